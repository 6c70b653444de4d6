ALTER TABLE space_state ADD COLUMN blobs_held_until_us BIGINT NOT NULL DEFAULT 0;
