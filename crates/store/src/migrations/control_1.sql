CREATE TABLE control_state (
    id BIGINT PRIMARY KEY,
    generation BIGINT NOT NULL,
    next_space_id BIGINT NOT NULL
);
INSERT INTO control_state (id, generation, next_space_id) VALUES (1, 1, 1);
CREATE TABLE space (
    id BIGINT PRIMARY KEY,
    uuid TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    quota_bytes BIGINT NOT NULL,
    max_accounts BIGINT NOT NULL,
    is_suspended BIGINT NOT NULL,
    instance_id TEXT NOT NULL,
    data_fingerprint TEXT NOT NULL,
    secret BLOB NOT NULL,
    created_us BIGINT NOT NULL
);
CREATE TABLE host (
    name TEXT PRIMARY KEY,
    space_id BIGINT NOT NULL
);
CREATE INDEX host_space ON host (space_id);
