//! Two spaces with the same names, accounts and numbers: what the one gave is worth nothing in the other. Promise 8 of the design.
//!
//! Both are furnished alike, so that files, shares, comments and so on have the same numbers; passwords, tokens and contents
//! differ. Then every row of the matrix, and what it has no rows for, is sent to the second space
//!
//! * with credentials of the first: answered as a wrong password is;
//! * with its own credentials and something that the first gave, or a number that there is in the first only: answered as what was
//!   never given is;
//! * as its own owner does: which the first does not notice.
//!
//! *Answered as* means the same bytes (but for the number of the request and the time), the same number of SQL statements, and
//! nothing changed in either space. Afterwards all that was given still opens what it is for.

mod timing;
pub(crate) mod tokens;
pub(crate) mod twins;

use crate::matrix::{rows, send, settle};
use crate::support::Answer;
use twins::{OUR_PASSWORD, OURS, THEIR_PASSWORD, Twins, forged, on_twins};

/// Answers that are never twice the same, whoever asks: what they give is random.
const GIVING: &[&str] = &["/index.php/login/v2"];

/// An answer in all that is sent, without what differs from one to the next, and without what was told.
fn shown(answer: &Answer, told: &str) -> String {
    let mut headers: Vec<String> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    let text = format!("{} {} {}", answer.status, headers.join("\n"), String::from_utf8_lossy(&answer.body));
    let told = regex::Regex::new(&format!(r"\b{}\b", regex::escape(told))).expect("a pattern");
    told.replace_all(&text, "(told)").into_owned()
}

impl Twins<'_> {
    /// Whether anything tells `given`, which the first space gave, from `never`, which nobody gave.
    async fn compare(&self, (given, never): (&str, &str), ask: impl AsyncFn(&str) -> Answer) -> Result<String, String> {
        let before = self.sequences().await;
        // What is looked up for the first time may take more.
        ask(never).await;
        let statements = &self.here.statements;
        let (start, one) = (statements.seen(), ask(given).await);
        let (middle, two) = (statements.seen(), ask(never).await);
        let end = statements.seen();
        let (one, two) = (shown(&one, given), shown(&two, never));
        if one != two {
            return Err(format!("{one}\n    and not\n{two}"));
        }
        if one.contains(OURS) {
            return Err(format!("tells {one}"));
        }
        if middle - start != end - middle {
            return Err(format!("{} statements, and not {}: {one}", middle - start, end - middle));
        }
        if self.sequences().await != before {
            return Err(format!("has changed something: {one}"));
        }
        Ok(one)
    }
}

#[tokio::test]
async fn credentials_of_another_space_are_as_good_as_a_wrong_password() {
    on_twins(async |twins: &Twins| {
        let app_password = twins.ours.get("device");
        let mut wrong = Vec::new();
        let mut refused = 0;
        for row in rows() {
            if GIVING.contains(&row.path) && row.method == "POST" {
                continue;
            }
            for (scheme, given) in [("Basic", OUR_PASSWORD), ("Basic", &*app_password), ("Bearer", &*app_password)] {
                let ask = async |password: &str| {
                    let nobody = twins.there.anonymous();
                    let client = match scheme {
                        "Basic" => nobody.as_login("alice", password),
                        _ => nobody.with("authorization", &format!("Bearer {password}")),
                    };
                    send(&client, &twins.ours, row).await
                };
                match twins.compare((given, &forged(given)), ask).await {
                    Ok(told) => refused += usize::from(told.starts_with("401")),
                    Err(what) => wrong.push(format!("{scheme} {} {}: {what}", row.method, row.path)),
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(refused > 300, "only {refused} were asked for credentials");
        twins.still_good().await;
    })
    .await;
}

#[tokio::test]
async fn what_another_space_gave_is_as_good_as_what_nobody_gave() {
    on_twins(async |twins: &Twins| {
        let (device, nobody) = (twins.their_device().await, twins.there.anonymous());
        let owner = twins.there.account("alice");
        let mut wrong = Vec::new();
        let mut count = 0;
        let mut cases = Vec::new();
        for (name, row) in tokens::rows() {
            // The same thing as a device was given it, where that is another.
            let others = ["direct", "page", "wopi"].contains(&name).then(|| twins.ours.get(&format!("device_{name}")));
            for given in others.into_iter().chain([twins.ours.get(name)]) {
                cases.push((name, row, forged(&given), given));
            }
        }
        // Numbers of what there is in the first space only.
        for (name, number) in &twins.beyond {
            let never = "9".repeat(number.len());
            assert!(number.parse::<i64>().expect("a number") < never.parse().expect("a number"), "{name}");
            for row in rows().into_iter().filter(|row| tokens::says(row, name)) {
                cases.push((*name, row, never.clone(), number.clone()));
            }
        }
        for (name, row, never, given) in &cases {
            for (who, client) in [("owner", &owner), ("device", &device), ("nobody", &nobody)] {
                let ask = async |text: &str| send(client, &twins.theirs.clone().with(name, text.to_owned()), row).await;
                if let Err(what) = twins.compare((given, never), ask).await {
                    wrong.push(format!("{who}, {name} {given}: {} {}: {what}", row.method, row.path));
                }
                count += 1;
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count > 250, "only {count} were sent");
        twins.still_good().await;
    })
    .await;
}

#[tokio::test]
async fn what_an_owner_does_is_not_noticed_in_another_space_where_all_has_the_same_number() {
    on_twins(async |twins: &Twins| {
        let owner = twins.there.account("alice");
        settle(&owner, &twins.theirs).await;
        let before = (twins.here.space.change_sequence().await.expect("it answers"), twins.seen_here().await);
        let own = twins.there.space.change_sequence().await.expect("it answers");
        let mut wrong = Vec::new();
        for row in rows() {
            let answer = send(&owner, &twins.theirs, row).await;
            let text = shown(&answer, "nothing was told");
            if text.contains(OURS) || answer.status.is_server_error() || answer.status == 401 {
                wrong.push(format!("{} {}: {text}", row.method, row.path));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let moved = twins.there.space.change_sequence().await.expect("it answers") - own;
        assert!(moved > 50, "the rows did something: {moved}");
        let after = (twins.here.space.change_sequence().await.expect("it answers"), twins.seen_here().await);
        assert_eq!(before, after);
        twins.still_good().await;
    })
    .await;
}

#[tokio::test]
async fn pictures_of_files_with_the_same_number_are_each_spaces_own() {
    on_twins(async |twins: &Twins| {
        let path = "/index.php/core/preview?fileId={id}&x=64&y=64&a=1";
        let mut pictures = Vec::new();
        for (server, things) in [(twins.here, &twins.ours), (&twins.there, &twins.theirs)] {
            let answer = server.account("alice").request("GET", &things.put_into(path)).await.expect(200);
            pictures.push((answer.etag().to_owned(), answer.body));
        }
        assert_ne!(pictures[0].0, pictures[1].0);
        assert_ne!(pictures[0].1, pictures[1].1);
        // A browser that kept the one is not told that the other is the same.
        let asked = twins.there.account("alice").request("GET", &twins.theirs.put_into(path));
        asked.header("if-none-match", &pictures[0].0).await.expect(200);
    })
    .await;
}

/// The login form looks at passwords too.
#[tokio::test]
async fn a_login_form_takes_no_password_of_another_space() {
    on_twins(async |twins: &Twins| {
        let nobody = twins.there.anonymous();
        let path = twins.theirs.put_into("/index.php/login/v2/flow/{flow_page}");
        for path in [path.as_str(), "/index.php/login/flow"] {
            for given in [OUR_PASSWORD.to_owned(), twins.ours.get("device")] {
                let ask = async |password: &str| {
                    let call = nobody.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
                    call.body(format!("user=alice&password={password}")).await
                };
                let told = twins.compare((&given, &forged(&given)), ask).await.unwrap_or_else(|what| panic!("{what}"));
                assert!(told.starts_with("403"), "{told}");
            }
            let call = nobody.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
            let granted = call.body(format!("user=alice&password={THEIR_PASSWORD}")).await;
            assert!(granted.status == 200 || granted.status == 303, "{path}: {granted:?}");
        }
    })
    .await;
}
