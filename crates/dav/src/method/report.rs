//! REPORT: the root element says which. RFC 3253 §3.6.

use nichoir_xml::Name;

use super::read_xml;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::principal::PRINCIPAL_REPORTS;
use crate::report::ReportCall;
use crate::request::{Body, Response};
use crate::target::Call;

pub(crate) async fn report(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let root = read_xml(call.dav, body).await?;
    let root = root.ok_or_else(|| Error::bad_request("A REPORT has a body that names the report."))?;
    // Whoever is let in by a link sees what is behind it, and nothing of the people of the space.
    if call.caller.tree.is_published() && is_about_people(&root.name) {
        return Err(Error::unknown_report());
    }
    let report = call.dav.reports().iter().find(|report| report.name == root.name);
    let answer = report.ok_or_else(Error::unknown_report)?.answer;
    let report_call = ReportCall {
        dav: call.dav.clone(),
        caller: call.caller.clone(),
        mount: call.mount.clone(),
        path: call.path.clone(),
        depth: Depth::of(&call.parts.headers)?.unwrap_or(Depth::Zero),
        headers: call.parts.headers.clone(),
        root,
    };
    answer(report_call).await
}

fn is_about_people(name: &Name) -> bool {
    PRINCIPAL_REPORTS.contains(name)
}
