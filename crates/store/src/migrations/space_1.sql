CREATE TABLE space_state (
    space_id BIGINT PRIMARY KEY,
    change_seq BIGINT NOT NULL,
    next_id BIGINT NOT NULL,
    used_bytes BIGINT NOT NULL,
    reclaimable_bytes BIGINT NOT NULL,
    log_floor BIGINT NOT NULL
);
CREATE TABLE account (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    login TEXT NOT NULL,
    login_key TEXT NOT NULL,
    display_name TEXT NOT NULL,
    email TEXT,
    email_key TEXT,
    role TEXT NOT NULL,
    password_hash TEXT,
    is_enabled BIGINT NOT NULL,
    language TEXT,
    home_id BIGINT NOT NULL,
    trash_id BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    last_seen_us BIGINT,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX account_login ON account (space_id, login_key);
CREATE UNIQUE INDEX account_email ON account (space_id, email_key);
CREATE TABLE device (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    password_hash BLOB NOT NULL,
    created_us BIGINT NOT NULL,
    last_used_us BIGINT,
    is_wiped BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX device_password ON device (space_id, password_hash);
CREATE INDEX device_account ON device (space_id, account_id);
CREATE TABLE login_flow (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    poll_hash BLOB NOT NULL,
    page_hash BLOB NOT NULL,
    client_name TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    account_id BIGINT,
    sealed_password BLOB,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX login_flow_poll ON login_flow (space_id, poll_hash);
CREATE UNIQUE INDEX login_flow_page ON login_flow (space_id, page_hash);
CREATE TABLE node (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    parent_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    is_folder BIGINT NOT NULL,
    etag BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    uploaded_us BIGINT NOT NULL,
    content_id BIGINT,
    media_type TEXT,
    checksums TEXT,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX node_name ON node (space_id, parent_id, name);
CREATE INDEX node_member ON node (space_id, parent_id, id);
CREATE TABLE content (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    reference_count BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE TABLE piece (
    space_id BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    position BIGINT NOT NULL,
    offset_bytes BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    digest BLOB NOT NULL,
    bytes BLOB,
    blob_key TEXT,
    PRIMARY KEY (space_id, content_id, position)
);
CREATE TABLE intent (
    space_id BIGINT NOT NULL,
    blob_key TEXT NOT NULL,
    collect_after_us BIGINT NOT NULL,
    is_collecting BIGINT NOT NULL,
    PRIMARY KEY (space_id, blob_key)
);
CREATE INDEX intent_due ON intent (space_id, collect_after_us);
CREATE TABLE lock (
    space_id BIGINT NOT NULL,
    token TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    is_exclusive BIGINT NOT NULL,
    is_deep BIGINT NOT NULL,
    owner_xml TEXT,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, token)
);
CREATE TABLE dead_property (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    namespace TEXT NOT NULL,
    local TEXT NOT NULL,
    xml TEXT NOT NULL,
    PRIMARY KEY (space_id, node_id, namespace, local)
);
CREATE TABLE favourite (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id, node_id)
);
CREATE INDEX favourite_node ON favourite (space_id, node_id);
CREATE TABLE trash (
    space_id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    original_parent_id BIGINT NOT NULL,
    original_path TEXT NOT NULL,
    original_name TEXT NOT NULL,
    deleted_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, node_id)
);
CREATE INDEX trash_deleted ON trash (space_id, deleted_us);
CREATE TABLE version (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    content_id BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    checksums TEXT,
    author_id BIGINT,
    label TEXT,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE INDEX version_node ON version (space_id, node_id, id);
CREATE INDEX version_created ON version (space_id, created_us);
CREATE TABLE upload (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    touched_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX upload_name ON upload (space_id, account_id, name);
CREATE TABLE chunk (
    space_id BIGINT NOT NULL,
    upload_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    number BIGINT,
    etag BIGINT NOT NULL,
    modified_us BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    digest BLOB NOT NULL,
    bytes BLOB,
    blob_key TEXT,
    PRIMARY KEY (space_id, upload_id, name)
);
CREATE TABLE finished_upload (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    was_new BIGINT NOT NULL,
    finished_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id, name)
);
CREATE TABLE change_log (
    space_id BIGINT NOT NULL,
    change_seq BIGINT NOT NULL,
    parent_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    is_deep BIGINT NOT NULL,
    logged_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, change_seq, parent_id, name)
);
CREATE INDEX change_log_parent ON change_log (space_id, parent_id, change_seq);
CREATE TABLE copy_map (
    space_id BIGINT NOT NULL,
    old_id BIGINT NOT NULL,
    new_id BIGINT NOT NULL,
    depth BIGINT NOT NULL,
    PRIMARY KEY (space_id, old_id)
);
