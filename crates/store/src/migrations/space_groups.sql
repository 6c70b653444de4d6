CREATE TABLE account_group (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    display_name TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX account_group_name ON account_group (space_id, name_key);
CREATE TABLE membership (
    space_id BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    PRIMARY KEY (space_id, group_id, account_id)
);
CREATE INDEX membership_account ON membership (space_id, account_id, group_id);
