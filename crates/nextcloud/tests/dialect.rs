//! What Nextcloud's clients see and do, as whole requests.

#![allow(clippy::unwrap_used, reason = "the helpers of tests may panic as tests do")]

mod support;

mod dialect {
    mod archive;
    mod bulk_upload;
    mod chunked_upload;
    mod files;
}
