CREATE TABLE notification (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_id BIGINT,
    object_id BIGINT NOT NULL,
    node_id BIGINT,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE INDEX notification_account ON notification (space_id, account_id, id);
CREATE TABLE activity (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    actor_id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    folder_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    detail TEXT NOT NULL,
    others BIGINT NOT NULL,
    happened_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE TABLE user_status (
    space_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    status TEXT NOT NULL,
    is_user_defined BIGINT NOT NULL,
    message_id TEXT,
    message TEXT,
    icon TEXT,
    clear_us BIGINT,
    set_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, account_id)
);
