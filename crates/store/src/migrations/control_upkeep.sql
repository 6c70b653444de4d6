ALTER TABLE space ADD COLUMN upkeep_due_us BIGINT NOT NULL DEFAULT 0;
CREATE INDEX space_upkeep ON space (upkeep_due_us);
ALTER TABLE control_state ADD COLUMN retention TEXT NOT NULL DEFAULT '';
