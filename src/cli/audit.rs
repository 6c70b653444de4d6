//! `nichoir audit`.

use clap::Args;
use nichoir_dav::property::http_date;
use nichoir_store::Trace;
use serde_json::{Value, json};

use super::{Failure, Session, about};

/// Shows the trail of a space, newest first.
#[derive(Debug, Args)]
pub(super) struct Audit {
    /// The space's name.
    space: String,
    /// Rows at most.
    #[arg(long, default_value_t = 1000)]
    limit: u32,
}

impl Audit {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let store = session.store().await?;
        let traces = store.audit(&self.space, self.limit).await;
        store.close().await;
        let traces = traces.map_err(|error| about(&format!("space {}", self.space), &error))?;
        let text: String = traces.iter().map(|trace| format!("{}\n", line(trace))).collect();
        session.say(&text, &Value::Array(traces.iter().map(shown).collect()));
        Ok(())
    }
}

/// For people: when, who, what, to whom or what, and from where, a tab between each.
fn line(trace: &Trace) -> String {
    let times = if trace.times == 1 { String::new() } else { format!(" ({} times)", trace.times) };
    let what = format!("{}{times}", trace.kind);
    let cells = [&instant(trace), &trace.actor, &what, &trace.subject, &trace.detail, &trace.device, &trace.address];
    cells.map(|cell| if cell.is_empty() { "-" } else { cell.as_str() }).join("\t")
}

fn instant(trace: &Trace) -> String {
    http_date(trace.last).to_string()
}

fn shown(trace: &Trace) -> Value {
    json!({
        "happened_seconds": trace.happened.seconds(),
        "last_seconds": trace.last.seconds(),
        "times": trace.times,
        "what": trace.kind,
        "actor": trace.actor,
        "subject": trace.subject,
        "detail": trace.detail,
        "device": trace.device,
        "address": trace.address,
    })
}
