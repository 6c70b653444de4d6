//! `/status.php`: what every client asks first. Nextcloud's version is told because clients switch features by it.

use http::StatusCode;
use nichoir_dav::Response;
use serde_json::json;

use crate::with_body;

/// The Nextcloud whose dialect we speak, as the four numbers of `version`.
pub(crate) const VERSION: &str = "32.0.1.2";
/// The same in three.
pub(crate) const VERSION_STRING: &str = "32.0.1";
/// Its first three numbers.
pub(crate) const VERSION_NUMBERS: [u32; 3] = [32, 0, 1];

/// The answer, with or without credentials. A suspended space says that it is under maintenance.
pub fn answer(product_name: &str, is_maintenance: bool) -> Response {
    let body = json!({
        "installed": true,
        "maintenance": is_maintenance,
        "needsDbUpgrade": false,
        "version": VERSION,
        "versionstring": VERSION_STRING,
        "edition": "",
        "productname": product_name,
        "extendedSupport": false,
    });
    let mut response = with_body(StatusCode::OK, "application/json", body.to_string());
    let anybody = http::HeaderValue::from_static("*");
    response.headers_mut().insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    response
}
