ALTER TABLE share ADD COLUMN permissions BIGINT NOT NULL DEFAULT 1;
UPDATE share SET permissions = 15 WHERE is_writable = 1;
ALTER TABLE share DROP COLUMN is_writable;
ALTER TABLE mount ADD COLUMN permissions BIGINT NOT NULL DEFAULT 1;
UPDATE mount SET permissions = 15 WHERE is_writable = 1;
ALTER TABLE mount DROP COLUMN is_writable;
