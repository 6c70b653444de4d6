//! What SQLite makes of the statements: whatever is asked for some nodes must not go through those of the whole space.
//!
//! Without statistics its planner prefers an index that gives the order that is asked for, and joins whatever comes. CROSS JOIN fixes
//! the order of tables, and `ORDER BY +id` hides that an index would do. PostgreSQL reads both as usual.

use crate::support::on_every_engine;

/// Tables that grow with what members keep.
const LARGE: &[&str] = &["node", "member", "content", "piece", "dead_property", "tagged", "favourite", "share", "link"];

/// Statements that are about the whole space: the recount, removal of everything, and what expires first; and what must look at
/// all shares, because it asks which of them lie below a folder, or who has to do with an account.
const WHOLE_SPACE: &[&str] = &[
    "node.size_bytes <> COALESCE(content.size_bytes, 0)",
    "content.reference_count <>",
    "HAVING content.size_bytes <>",
    "HAVING folder.",
    "node.parent_id <> COALESCE(account.trash_id, 0)",
    "target.etag > node.etag",
    "member.node_id IS NULL",
    "SELECT COUNT(*) FROM node WHERE space_id = $1",
    "blob_key IS NOT NULL UNION ALL SELECT blob_key",
    "WITH RECURSIVE up (share_id, id)",
    "share_type = 0 AND (sharee_id = $2",
    "(share_type = 0 AND sharee_id = $2 OR owner_id = $2 OR initiator_id = $2)",
    "SELECT DISTINCT owner_id FROM share",
    "share.owner_id <> $2 AND share.initiator_id <> $2",
    "DELETE FROM share WHERE space_id = $1 AND share_type = 1",
    "SELECT MIN(due_us) FROM",
];

fn is_whole(step: &str) -> bool {
    let mut words = step.split(' ');
    let (what, table) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    LARGE.contains(&table) && (what == "SCAN" || what == "SEARCH" && step.ends_with("(space_id=?)"))
}

#[tokio::test]
async fn no_statement_about_a_part_goes_through_the_whole_space() {
    on_every_engine(async |world| {
        let mut found = Vec::new();
        for (statement, steps) in world.store.statement_plans(&world.space.info().name).await.unwrap() {
            let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_removal = statement.starts_with("DELETE FROM") && statement.ends_with("WHERE space_id = $1");
            let is_meant = is_removal || WHOLE_SPACE.iter().any(|part| statement.contains(part));
            if !is_meant && steps.iter().any(|step| is_whole(step)) {
                found.push(format!("{statement}\n    {}", steps.join("\n    ")));
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
    })
    .await;
}

#[test]
fn steps_that_go_through_a_table_are_recognised() {
    assert!(is_whole("SEARCH node USING INDEX node_member (space_id=?)"));
    assert!(is_whole("SCAN node"));
    assert!(!is_whole("SEARCH node USING INDEX node_member (space_id=? AND parent_id=?)"));
    assert!(!is_whole("SEARCH account USING INDEX account_home (space_id=?)"));
    assert!(!is_whole("SCAN up"));
}
