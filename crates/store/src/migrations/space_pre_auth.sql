CREATE TABLE pre_auth (
    space_id BIGINT NOT NULL,
    token_hash BLOB NOT NULL,
    account_id BIGINT NOT NULL,
    device_id BIGINT,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, token_hash)
);
