CREATE TABLE audit (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    class BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    device TEXT NOT NULL,
    address TEXT NOT NULL,
    detail TEXT NOT NULL,
    happened_us BIGINT NOT NULL,
    last_us BIGINT NOT NULL,
    times BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE INDEX audit_class ON audit (space_id, class, id);
CREATE INDEX audit_subject ON audit (space_id, class, subject, happened_us);
