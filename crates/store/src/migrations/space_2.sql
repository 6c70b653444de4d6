ALTER TABLE node ADD COLUMN collection TEXT;
CREATE TABLE root (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    area TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    trash_id BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id, area)
);
CREATE TABLE member (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    collection_id BIGINT NOT NULL,
    uid TEXT NOT NULL,
    component TEXT NOT NULL,
    first_seconds BIGINT NOT NULL,
    last_seconds BIGINT NOT NULL,
    schedule_tag BIGINT,
    PRIMARY KEY (space_id, node_id)
);
CREATE INDEX member_uid ON member (space_id, uid);
CREATE INDEX member_scan ON member (space_id, collection_id, node_id, component, first_seconds, last_seconds);
