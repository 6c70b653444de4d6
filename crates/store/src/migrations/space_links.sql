CREATE TABLE link (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    token TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    permissions BIGINT NOT NULL,
    password_hash TEXT,
    expires_us BIGINT,
    label TEXT NOT NULL,
    note TEXT NOT NULL,
    hides_download BIGINT NOT NULL,
    attributes TEXT,
    download_limit BIGINT,
    download_count BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX link_token ON link (space_id, token);
CREATE INDEX link_node ON link (space_id, node_id);
CREATE INDEX link_account ON link (space_id, account_id, id);
