//! Principals: the accounts of the space as resources. RFC 3744 §4, RFC 5397; what calendars and contacts add to them
//! comes from the extensions. Who is not in the caller's space does not exist.

use nichoir_auth::Caller;
use nichoir_store::Account;
use nichoir_xml::{dav, sabre};

use crate::Dav;
use crate::error::Error;
use crate::href;
use crate::target::Mount;
use crate::virtual_resource::{VirtualResource, VirtualValue};

/// The href of an account's principal, below the collection `principals`.
pub fn href_of(principals: &str, login: &str) -> String {
    let mut href = principals.to_owned();
    href::append_name(&mut href, login);
    href.push('/');
    href
}

/// The path of the DAV root that the collection of the principals stands in, without a trailing slash.
pub fn root_of(principals: &str) -> &str {
    principals.strip_suffix("/principals/users/").unwrap_or(principals.trim_end_matches('/'))
}

impl Dav {
    /// The principal that `account` is, as `caller` sees it.
    pub fn principal(&self, account: &Account, mount: &Mount) -> VirtualResource {
        let own = href_of(&mount.principals, &account.login);
        let addresses = account.email.iter().map(|email| format!("mailto:{email}")).collect();
        let mut principal = VirtualResource::principal(own.clone(), account.display_name.clone())
            .with_principal(&mount.principal, &mount.principals)
            .with(dav::OWNER, VirtualValue::Hrefs(vec![own]))
            .with(dav::ALTERNATE_URI_SET, VirtualValue::Hrefs(addresses))
            .with(dav::SUPPORTED_REPORT_SET, VirtualValue::Reports(PRINCIPAL_REPORTS));
        if let Some(email) = &account.email {
            principal = principal.with(sabre::EMAIL_ADDRESS, VirtualValue::Text(email.clone()));
        }
        let root = root_of(&mount.principals);
        for extension in self.all_extensions() {
            for (name, value) in extension.principal_properties(account, root) {
                principal = principal.with(name, value);
            }
        }
        principal
    }

    /// A group of principals, as `caller` sees it.
    pub fn group(&self, href: &str, name: &str, members: Vec<String>, mount: &Mount) -> VirtualResource {
        VirtualResource::principal(href, name)
            .with_principal(&mount.principal, &mount.principals)
            .with(dav::OWNER, VirtualValue::Hrefs(vec![href.to_owned()]))
            .with(dav::GROUP_MEMBER_SET, VirtualValue::Hrefs(members))
            .with(dav::SUPPORTED_REPORT_SET, VirtualValue::Reports(PRINCIPAL_REPORTS))
    }

    /// Every principal of the caller's space.
    ///
    /// # Errors
    /// 503 when they cannot be read.
    pub async fn principals(&self, caller: &Caller, mount: &Mount) -> Result<Vec<VirtualResource>, Error> {
        let accounts = caller.space.accounts().await?;
        Ok(accounts.iter().filter(|account| account.is_enabled).map(|account| self.principal(account, mount)).collect())
    }
}

/// The reports that principals and fixed collections answer.
pub(crate) static PRINCIPAL_REPORTS: &[nichoir_xml::Name] = &[
    dav::EXPAND_PROPERTY,
    dav::ACL_PRINCIPAL_PROP_SET,
    dav::PRINCIPAL_MATCH,
    dav::PRINCIPAL_PROPERTY_SEARCH,
    dav::PRINCIPAL_SEARCH_PROPERTY_SET,
];
