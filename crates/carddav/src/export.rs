//! A whole address book as one file of cards, for browsers and other servers: GET with `?export`. As sabre/dav and
//! Nextcloud serve it; the file is what RFC 6350 §10.1 calls `text/vcard`.

use bytes::{Bytes, BytesMut};
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use nichoir_dav::request::streamed;
use nichoir_dav::{Answering, Call, Error, Response};
use nichoir_store::{FileId, MemberFilter, Needs, Node, NodePath, Tree};

/// An export under way: a page at a time.
struct Export {
    tree: Tree,
    path: NodePath,
    book: Node,
    after: Option<FileId>,
}

pub(crate) fn answer(call: &Call<'_>, book: &Node) -> Answering {
    let disposition = disposition(&book.name);
    let pages = whole(call.caller.tree.clone(), call.path.clone(), book.clone());
    Box::pin(async move {
        let mut response = Response::new(streamed(pages));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/vcard; charset=utf-8"));
        headers.insert(CONTENT_DISPOSITION, disposition);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        Ok(response)
    })
}

/// All cards of an address book, one behind the other, a page at a time.
pub fn whole(tree: Tree, path: NodePath, book: Node) -> impl futures_util::Stream<Item = Result<Bytes, Error>> + Send {
    let export = Export { tree, path, book, after: None };
    futures_util::stream::try_unfold(Some(export), |export| async {
        let Some(export) = export else { return Ok(None) };
        export.next_page().await.map(Some)
    })
}

impl Export {
    /// The cards of the next page, each with a line end, and what comes after them.
    async fn next_page(mut self) -> Result<(Bytes, Option<Export>), Error> {
        let everything = MemberFilter::default();
        let page = self.tree.members(&self.path, &self.book, &everything, self.after, Needs::NONE).await?;
        let mut text = BytesMut::new();
        for body in page.nodes.iter().filter_map(|member| member.body.as_deref()) {
            text.extend_from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
            if !body.ends_with(b"\n") {
                text.extend_from_slice(b"\r\n");
            }
        }
        self.after = page.next;
        Ok((text.freeze(), page.next.is_some().then_some(self)))
    }
}

/// A file name that every system takes.
fn disposition(name: &str) -> HeaderValue {
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    HeaderValue::try_from(format!("attachment; filename=\"{plain}.vcf\""))
        .unwrap_or(HeaderValue::from_static("attachment"))
}
