//! Calls of OCS, and sharing, as several tests need them.

use super::{Answer, Client};

const SHARES: &str = "/apps/files_sharing/api/v1/shares";

impl Client {
    /// A call of OCS with a form, answered in JSON; `path` is what stands behind `/ocs/v2.php`.
    pub(crate) async fn ocs(&self, method: &str, path: &str, form: &str) -> Answer {
        let call = self.request(method, &format!("/ocs/v2.php{path}")).header("accept", "application/json");
        let call = call.header("ocs-apirequest", "true");
        call.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned()).await
    }

    /// Shares with an account; the share's number.
    pub(crate) async fn share(&self, path: &str, with: &str, permissions: u8) -> String {
        let form = format!("path={path}&shareType=0&shareWith={with}&permissions={permissions}");
        let made = self.ocs("POST", SHARES, &form).await.expect(200).json();
        made["ocs"]["data"]["id"].as_str().expect("an id").to_owned()
    }

    /// Gives the share other rights.
    pub(crate) async fn set_rights(&self, share: &str, permissions: u8) {
        self.ocs("PUT", &format!("{SHARES}/{share}"), &format!("permissions={permissions}")).await.expect(200);
    }

    /// Takes the share back.
    pub(crate) async fn unshare(&self, share: &str) {
        self.ocs("DELETE", &format!("{SHARES}/{share}"), "").await.expect(200);
    }
}

impl Answer {
    /// The number of the file that was written, without that of the instance.
    pub(crate) fn file_id(&self) -> i64 {
        self.header("oc-fileid").get(..8).and_then(|digits| digits.parse().ok()).expect("a file id")
    }
}
