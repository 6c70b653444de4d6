//! The scripts have an administrator who may read and delete in everyone's homes, mostly to clean up. A server need not
//! have one. Where it has none, such requests are sent as the owner of the home, so that what a suite leaves behind does
//! not make the next one fail.

use std::collections::BTreeMap;

/// Variables of a home, without number and colon.
const HOMES: [&str; 3] = ["$calendarhome", "$calendarhomealt", "$addressbookhome"];

/// Login and password.
pub(crate) type Account = (String, String);

/// Who owns the homes, as the server description says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Owners {
    administrator: String,
    /// The beginning of a path, and whose it is.
    homes: Vec<(String, Account)>,
}

impl Owners {
    /// The owners of the homes in a server description's variables.
    pub(crate) fn of(substitutions: &BTreeMap<String, String>) -> Owners {
        let value = |name: &str, number: &str| substitutions.get(&format!("{name}{number}:")).cloned();
        let numbers = substitutions.keys().filter_map(|key| key.strip_prefix("$userid")?.strip_suffix(':'));
        let mut homes = Vec::new();
        for number in numbers {
            let (Some(login), Some(password)) = (value("$userid", number), value("$pswd", number)) else { continue };
            let own = HOMES.iter().filter_map(|home| value(home, number));
            homes.extend(own.map(|home| (format!("{home}/"), (login.clone(), password.clone()))));
        }
        Owners { administrator: substitutions.get("$useradmin:").cloned().unwrap_or_default(), homes }
    }

    /// Who sends a request to that URI: the account that the script names, or the owner in the administrator's stead.
    pub(crate) fn sender(&self, named: &Account, uri: &str) -> Account {
        if named.0 != self.administrator {
            return named.clone();
        }
        let owner = self.homes.iter().find(|(home, _)| uri.starts_with(home.as_str()));
        owner.map_or_else(|| named.clone(), |(_, account)| account.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_stands_in_for_the_administrator_in_homes_only() {
        let pairs = [
            ("$useradmin:", "admin"),
            ("$userid1:", "user01"),
            ("$pswd1:", "p1"),
            ("$calendarhome1:", "/cal/user01"),
            ("$userid12:", "user012"),
            ("$pswd12:", "p12"),
            ("$calendarhome12:", "/cal/user012"),
        ];
        let owners = Owners::of(&pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        let check = |login: &str, uri, expected: &str| {
            assert_eq!(owners.sender(&(login.to_owned(), "x".to_owned()), uri).0, expected, "{login} {uri}");
        };
        check("admin", "/cal/user01/inbox/1.ics", "user01");
        check("admin", "/cal/user012/", "user012");
        check("admin", "/cal/", "admin");
        check("admin", "/principals/user01/", "admin");
        check("user02", "/cal/user01/", "user02");
    }
}
