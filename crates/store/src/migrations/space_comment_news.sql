ALTER TABLE activity ADD COLUMN comment_id BIGINT;
