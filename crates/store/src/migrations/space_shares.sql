DROP INDEX share_account;
DROP INDEX share_owner;
ALTER TABLE share RENAME TO former_share;
CREATE TABLE share (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    node_id BIGINT NOT NULL,
    share_type BIGINT NOT NULL,
    sharee_id BIGINT NOT NULL,
    owner_id BIGINT NOT NULL,
    initiator_id BIGINT NOT NULL,
    area TEXT NOT NULL,
    permissions BIGINT NOT NULL,
    created_us BIGINT NOT NULL,
    expires_us BIGINT,
    note TEXT NOT NULL,
    label TEXT NOT NULL,
    attributes TEXT,
    awaits_answer BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
INSERT INTO share (space_id, id, node_id, share_type, sharee_id, owner_id, initiator_id, area, permissions, created_us,
                   note, label, awaits_answer)
    SELECT former.space_id,
           space_state.next_id - 1
               + ROW_NUMBER() OVER (PARTITION BY former.space_id ORDER BY former.node_id, former.account_id),
           former.node_id,
           CASE WHEN EXISTS (SELECT 1 FROM account
                              WHERE account.space_id = former.space_id AND account.id = former.account_id)
                THEN 0 ELSE 1 END,
           former.account_id, former.owner_id, former.owner_id, former.area, former.permissions, former.created_us,
           '', '', 0
      FROM former_share AS former JOIN space_state ON space_state.space_id = former.space_id;
UPDATE space_state SET next_id = next_id + (SELECT COUNT(*) FROM share WHERE share.space_id = space_state.space_id);
DROP TABLE former_share;
CREATE UNIQUE INDEX share_sharee ON share (space_id, node_id, share_type, sharee_id);
CREATE INDEX share_with ON share (space_id, sharee_id);
CREATE INDEX share_owner ON share (space_id, owner_id);
CREATE INDEX share_initiator ON share (space_id, initiator_id);
CREATE INDEX share_expiry ON share (space_id, expires_us);
CREATE TABLE share_answer (
    space_id BIGINT NOT NULL,
    share_id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    is_accepted BIGINT NOT NULL,
    PRIMARY KEY (space_id, share_id, account_id)
);
CREATE INDEX share_answer_account ON share_answer (space_id, account_id);
INSERT INTO share_answer (space_id, share_id, account_id, is_accepted)
    SELECT share.space_id, share.id, account.id, 0
      FROM share
      JOIN account ON account.space_id = share.space_id AND account.id <> share.owner_id
     WHERE share.share_type = 1 AND share.sharee_id = 0
       AND EXISTS (SELECT 1 FROM mount WHERE mount.space_id = share.space_id AND mount.target_id = share.node_id)
       AND EXISTS (SELECT 1 FROM root WHERE root.space_id = share.space_id AND root.account_id = account.id
                                        AND root.area = share.area)
       AND NOT EXISTS (SELECT 1 FROM mount WHERE mount.space_id = share.space_id AND mount.target_id = share.node_id
                                             AND mount.account_id = account.id);
ALTER TABLE mount ADD COLUMN expires_us BIGINT;
ALTER TABLE mount ADD COLUMN note TEXT;
ALTER TABLE mount ADD COLUMN attributes TEXT;
CREATE TABLE team_folder (
    space_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    name TEXT NOT NULL,
    node_id BIGINT NOT NULL,
    trash_id BIGINT NOT NULL,
    quota_bytes BIGINT,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (space_id, id)
);
CREATE UNIQUE INDEX team_folder_name ON team_folder (space_id, name);
CREATE TABLE team_folder_right (
    space_id BIGINT NOT NULL,
    folder_id BIGINT NOT NULL,
    group_id BIGINT NOT NULL,
    permissions BIGINT NOT NULL,
    PRIMARY KEY (space_id, folder_id, group_id)
);
