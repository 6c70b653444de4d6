//! REPORT: the root element says which. RFC 3253 §3.6.

use super::read_xml;
use crate::error::Error;
use crate::header::depth::Depth;
use crate::report::ReportCall;
use crate::request::{Body, Response};
use crate::target::Call;

pub(crate) async fn report(call: Call<'_>, body: Body) -> Result<Response, Error> {
    let root = read_xml(call.dav, body).await?;
    let root = root.ok_or_else(|| Error::bad_request("A REPORT has a body that names the report."))?;
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
