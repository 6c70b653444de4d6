ALTER TABLE space ADD COLUMN check_due_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN checked_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN checked_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN scrub_due_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN scrub_begun_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN scrub_content_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN scrub_position BIGINT NOT NULL DEFAULT 0;
ALTER TABLE space ADD COLUMN scrubbed_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX space_check ON space (check_due_us);
CREATE INDEX space_scrub ON space (scrub_due_us);
CREATE TABLE problem (
    space_id BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    text TEXT NOT NULL,
    found_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, content_id, position, text)
);
