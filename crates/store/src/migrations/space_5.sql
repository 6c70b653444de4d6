CREATE TABLE push_registration (
    space_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    account_id BIGINT NOT NULL,
    device_id BIGINT,
    area TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    resource TEXT NOT NULL,
    public_key BLOB NOT NULL,
    auth_secret BLOB NOT NULL,
    has_content BIGINT NOT NULL,
    has_properties BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, name)
);
CREATE UNIQUE INDEX push_registration_resource ON push_registration (space_id, account_id, node_id, resource);
