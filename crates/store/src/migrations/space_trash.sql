ALTER TABLE trash ADD COLUMN deleted_by BIGINT;
ALTER TABLE node ADD COLUMN author_id BIGINT;
ALTER TABLE node ADD COLUMN version_label TEXT;
ALTER TABLE version ADD COLUMN named_seconds BIGINT NOT NULL DEFAULT 0;
ALTER TABLE version ADD COLUMN saved_us BIGINT NOT NULL DEFAULT 0;
UPDATE version SET named_seconds = modified_us / 1000000, saved_us = created_us;
CREATE TABLE trash_view (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    seen_path TEXT NOT NULL,
    PRIMARY KEY (space_id, account_id, node_id)
);
CREATE UNIQUE INDEX trash_view_name ON trash_view (space_id, account_id, name);
CREATE INDEX trash_view_node ON trash_view (space_id, node_id);
