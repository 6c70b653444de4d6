CREATE INDEX node_folder ON node (space_id, parent_id, id) WHERE is_folder = 1;
CREATE TABLE tag (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
    color TEXT NOT NULL,
    is_visible BIGINT NOT NULL,
    is_assignable BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX tag_name ON tag (space_id, name_key, is_visible, is_assignable);
CREATE TABLE tagged (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    tag_id BIGINT NOT NULL,
    PRIMARY KEY (space_id, node_id, tag_id)
);
CREATE INDEX tagged_tag ON tagged (space_id, tag_id, node_id);
CREATE TABLE comment (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    account_id BIGINT,
    message TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE INDEX comment_node ON comment (space_id, node_id, id);
CREATE INDEX comment_account ON comment (space_id, account_id);
CREATE TABLE comment_read (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    read_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id, node_id)
);
CREATE INDEX comment_read_node ON comment_read (space_id, node_id);
