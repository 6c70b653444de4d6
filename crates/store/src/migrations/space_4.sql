ALTER TABLE node ADD COLUMN target_id BIGINT;
ALTER TABLE member ADD COLUMN visibility BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space_state ADD COLUMN mount_count BIGINT NOT NULL DEFAULT 0;
CREATE TABLE share (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    area TEXT NOT NULL,
    is_writable BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, node_id, account_id)
);
CREATE INDEX share_account ON share (space_id, account_id, area);
CREATE INDEX share_owner ON share (space_id, owner_id);
CREATE TABLE mount (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    target_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    is_writable BIGINT NOT NULL,
    PRIMARY KEY (space_id, node_id)
);
CREATE UNIQUE INDEX mount_target ON mount (space_id, target_id, account_id);
CREATE INDEX mount_account ON mount (space_id, account_id);
CREATE INDEX mount_owner ON mount (space_id, owner_id);
CREATE TABLE publication (
    space_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    area TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, token)
);
CREATE UNIQUE INDEX publication_node ON publication (space_id, node_id);
CREATE INDEX publication_owner ON publication (space_id, owner_id);
