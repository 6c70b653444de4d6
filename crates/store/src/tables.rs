//! Every table of a space with its columns, once: what a backup writes, what a restore fills, what the end of a space removes. A test
//! compares it with the schema.

use std::sync::LazyLock;

use crate::sql::Sql;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
}

/// A table, with the statements that go through all of a space's rows in it.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// Without `space_id`, which every table has.
    pub(crate) columns: &'static [(&'static str, Kind)],
    /// Whether it is in backups. What is not is of the moment: locks, log-ins under way, what waits to be sent or collected.
    pub(crate) is_kept: bool,
    /// All rows, in the order of their numbers where they have such.
    pub(crate) select: Sql,
    /// One row, all columns.
    pub(crate) insert: Sql,
    /// No row any more.
    pub(crate) delete: Sql,
}

impl Table {
    fn new(name: &'static str, is_kept: bool, order: &[&str], columns: &'static [(&'static str, Kind)]) -> Table {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
        let select = format!("SELECT {} FROM {name} AS whole WHERE whole.space_id = $1{order}", names.join(", "));
        let insert = insert_into(name, &names);
        let delete = format!("DELETE FROM {name} WHERE space_id = $1");
        Table {
            name,
            columns,
            is_kept,
            select: kept_text(select),
            insert: kept_text(insert),
            delete: kept_text(delete),
        }
    }

    /// Where the column of that name stands.
    pub(crate) fn place_of(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| *name == column)
    }
}

/// A statement that puts one row into a table; `$1` is the space.
pub(crate) fn insert_into(table: &str, columns: &[&str]) -> String {
    let places: Vec<String> = (1..=columns.len() + 1).map(|place| format!("${place}")).collect();
    format!("INSERT INTO {table} (space_id, {}) VALUES ({})", columns.join(", "), places.join(", "))
}

/// Statements live as long as the process.
pub(crate) fn kept_text(text: String) -> Sql {
    Sql(text.leak())
}

/// The statements of this file, for the test that prepares them on both engines.
pub(crate) fn statements() -> impl Iterator<Item = Sql> {
    TABLES.iter().flat_map(|table| [table.select, table.insert, table.delete])
}

macro_rules! tables {
    ($($fate:ident $name:ident by [$($order:ident),*] { $($column:ident: $kind:ident),* })*) => {
        vec![$(Table::new(
            stringify!($name),
            stringify!($fate) == "kept",
            &[$(stringify!($order)),*],
            &[$((stringify!($column), Kind::$kind)),*],
        )),*]
    };
}

/// All of them. `kept`: it is in backups; `passing`: it is not.
pub(crate) static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    tables! {
        kept space_state by [] {
            change_seq: Int, next_id: Int, used_bytes: Int, reclaimable_bytes: Int, log_floor: Int,
            mount_count: Int, member_quota_count: Int, upkeep_due_us: Int, blobs_held_until_us: Int
        }
        kept account by [id] {
            id: Int, login: Text, login_key: Text, display_name: Text, email: Text, email_key: Text,
            role: Text, password_hash: Text, is_enabled: Int, language: Text, home_id: Int, trash_id: Int,
            created_us: Int, last_seen_us: Int, quota_bytes: Int, locale: Text, departed_us: Int
        }
        kept device by [id] {
            id: Int, account_id: Int, name: Text, password_hash: Bytes, created_us: Int, last_used_us: Int,
            is_wiped: Int
        }
        passing login_flow by [id] {
            id: Int, poll_hash: Bytes, page_hash: Bytes, client_name: Text, created_us: Int, account_id: Int,
            sealed_password: Bytes
        }
        kept node by [id] {
            id: Int, parent_id: Int, name: Text, is_folder: Int, etag: Int, size_bytes: Int, modified_us: Int,
            created_us: Int, uploaded_us: Int, content_id: Int, media_type: Text, checksums: Text,
            collection: Text, target_id: Int, author_id: Int, version_label: Text
        }
        kept content by [id] {
            id: Int, size_bytes: Int, reference_count: Int
        }
        kept piece by [content_id, position] {
            content_id: Int, position: Int, offset_bytes: Int, size_bytes: Int, digest: Bytes, bytes: Bytes,
            blob_key: Text
        }
        passing intent by [] {
            blob_key: Text, collect_after_us: Int, is_collecting: Int
        }
        passing lock by [] {
            token: Text, node_id: Int, account_id: Int, is_exclusive: Int, is_deep: Int, owner_xml: Text,
            created_us: Int, expires_us: Int, kind: Int, editor_name: Text, editor_session: Text
        }
        kept dead_property by [node_id] {
            node_id: Int, namespace: Text, local: Text, xml: Text
        }
        kept favourite by [account_id, node_id] {
            account_id: Int, node_id: Int
        }
        kept trash by [node_id] {
            node_id: Int, account_id: Int, original_parent_id: Int, original_path: Text, original_name: Text,
            deleted_us: Int, deleted_by: Int
        }
        kept version by [id] {
            id: Int, node_id: Int, content_id: Int, size_bytes: Int, modified_us: Int, checksums: Text,
            author_id: Int, label: Text, created_us: Int, named_seconds: Int, saved_us: Int
        }
        kept upload by [id] {
            id: Int, account_id: Int, name: Text, touched_us: Int
        }
        kept chunk by [upload_id] {
            upload_id: Int, name: Text, number: Int, etag: Int, modified_us: Int, size_bytes: Int,
            digest: Bytes, bytes: Bytes, blob_key: Text
        }
        kept finished_upload by [account_id] {
            account_id: Int, name: Text, node_id: Int, was_new: Int, finished_us: Int
        }
        passing change_log by [change_seq, parent_id] {
            change_seq: Int, parent_id: Int, name: Text, node_id: Int, is_deep: Int, logged_us: Int
        }
        passing copy_map by [old_id] {
            old_id: Int, new_id: Int, depth: Int
        }
        kept root by [account_id] {
            account_id: Int, area: Text, node_id: Int, trash_id: Int
        }
        kept member by [node_id] {
            node_id: Int, collection_id: Int, uid: Text, component: Text, first_seconds: Int,
            last_seconds: Int, schedule_tag: Int, visibility: Int
        }
        passing outgoing_message by [id] {
            id: Int, account_id: Int, recipient: Text, method: Text, body: Bytes, queued_us: Int, due_us: Int,
            attempts: Int
        }
        kept mount by [node_id] {
            node_id: Int, target_id: Int, account_id: Int, owner_id: Int, permissions: Int, expires_us: Int,
            note: Text, attributes: Text
        }
        kept publication by [] {
            token: Text, node_id: Int, owner_id: Int, area: Text, created_us: Int
        }
        passing push_registration by [] {
            name: Text, account_id: Int, device_id: Int, area: Text, node_id: Int, resource: Text,
            public_key: Bytes, auth_secret: Bytes, has_content: Int, has_properties: Int, expires_us: Int
        }
        kept account_group by [id] {
            id: Int, name: Text, name_key: Text, display_name: Text, created_us: Int
        }
        kept membership by [group_id, account_id] {
            group_id: Int, account_id: Int
        }
        passing pre_auth by [] {
            token_hash: Bytes, account_id: Int, device_id: Int, expires_us: Int
        }
        kept trash_view by [account_id, node_id] {
            account_id: Int, node_id: Int, name: Text, seen_path: Text
        }
        kept account_value by [account_id] {
            account_id: Int, name: Text, value: Bytes
        }
        kept notification by [id] {
            id: Int, account_id: Int, kind: Text, actor_id: Int, object_id: Int, node_id: Int, name: Text,
            message: Text, created_us: Int
        }
        kept activity by [id] {
            id: Int, actor_id: Int, kind: Text, node_id: Int, folder_id: Int, name: Text, path: Text,
            detail: Text, others: Int, happened_us: Int, comment_id: Int
        }
        kept audit by [id] {
            id: Int, class: Int, kind: Text, actor: Text, subject: Text, device: Text, address: Text,
            detail: Text, happened_us: Int, last_us: Int, times: Int
        }
        kept user_status by [account_id] {
            account_id: Int, status: Text, is_user_defined: Int, message_id: Text, message: Text, icon: Text,
            clear_us: Int, set_us: Int
        }
        kept link by [id] {
            id: Int, token: Text, node_id: Int, account_id: Int, permissions: Int, password_hash: Text,
            expires_us: Int, label: Text, note: Text, hides_download: Int, attributes: Text,
            download_limit: Int, download_count: Int, created_us: Int
        }
        kept picture by [account_id] {
            account_id: Int, digest: Text, bytes: Bytes
        }
        kept tag by [id] {
            id: Int, name: Text, name_key: Text, color: Text, is_visible: Int, is_assignable: Int,
            changed_us: Int
        }
        kept tagged by [node_id, tag_id] {
            node_id: Int, tag_id: Int
        }
        kept comment by [id] {
            id: Int, node_id: Int, account_id: Int, message: Text, created_us: Int
        }
        kept comment_read by [account_id, node_id] {
            account_id: Int, node_id: Int, read_us: Int
        }
        kept share by [id] {
            id: Int, node_id: Int, share_type: Int, sharee_id: Int, owner_id: Int, initiator_id: Int,
            area: Text, permissions: Int, created_us: Int, expires_us: Int, note: Text, label: Text,
            attributes: Text, awaits_answer: Int
        }
        kept share_answer by [share_id, account_id] {
            share_id: Int, account_id: Int, is_accepted: Int
        }
        kept team_folder by [id] {
            id: Int, name: Text, node_id: Int, trash_id: Int, quota_bytes: Int, created_us: Int
        }
        kept team_folder_right by [folder_id, group_id] {
            folder_id: Int, group_id: Int, permissions: Int
        }
    }
});

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::migrations::{self, migrate};
    use crate::sql::Connection;
    use crate::sqlite::SqliteConnection;

    /// A table or column that is forgotten here would be missing from backups, and left behind when its space ends.
    #[tokio::test]
    async fn every_table_and_column_of_the_schema_stands_here() {
        let mut connection = Connection::sqlite(SqliteConnection::open(Path::new(":memory:")).unwrap(), None);
        migrate(&mut connection, "space", migrations::SPACE).await.unwrap();
        let schema = Sql("SELECT m.name, c.name, c.type FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
                           WHERE m.type = 'table' AND m.name <> 'schema_version'");
        let mut found = Vec::new();
        for row in connection.all(schema, &[]).await.unwrap() {
            let kind = match row.text(2).unwrap().as_str() {
                "BIGINT" => Kind::Int,
                "TEXT" => Kind::Text,
                "BLOB" => Kind::Bytes,
                other => panic!("{other}"),
            };
            found.push((row.text(0).unwrap(), row.text(1).unwrap(), kind));
        }
        found.retain(|(_, column, _)| column != "space_id");
        let mut expected = Vec::new();
        for table in TABLES.iter() {
            expected.extend(
                table.columns.iter().map(|(column, kind)| (table.name.to_owned(), (*column).to_owned(), *kind)),
            );
        }
        let sorted = |mut of: Vec<(String, String, Kind)>| {
            of.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
            of
        };
        assert_eq!(sorted(expected), sorted(found));
    }
}
