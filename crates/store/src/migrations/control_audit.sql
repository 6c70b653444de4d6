CREATE TABLE space_act (
    space_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    detail TEXT NOT NULL,
    happened_us BIGINT NOT NULL
);
CREATE INDEX space_act_name ON space_act (name, happened_us);
CREATE INDEX space_act_happened ON space_act (happened_us);
