CREATE TABLE outgoing_message (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    method TEXT NOT NULL,
    body BLOB NOT NULL,
    queued_us BIGINT NOT NULL,
    due_us BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE INDEX outgoing_message_due ON outgoing_message (space_id, due_us, id);
