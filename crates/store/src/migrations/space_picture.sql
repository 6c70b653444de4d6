CREATE TABLE picture (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    digest TEXT NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (space_id, account_id)
);
