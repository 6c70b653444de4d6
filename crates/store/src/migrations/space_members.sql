ALTER TABLE account ADD COLUMN quota_bytes BIGINT;
ALTER TABLE account ADD COLUMN locale TEXT;
ALTER TABLE account ADD COLUMN departed_us BIGINT;
ALTER TABLE space_state ADD COLUMN member_quota_count BIGINT NOT NULL DEFAULT 0;
CREATE INDEX account_home ON account (space_id, home_id);
CREATE INDEX root_node ON root (space_id, node_id);
