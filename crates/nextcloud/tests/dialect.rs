//! What Nextcloud's clients see and do, as whole requests.

mod support;

mod dialect {
    mod archive;
    mod bulk_upload;
    mod chunked_upload;
    mod files;
}
