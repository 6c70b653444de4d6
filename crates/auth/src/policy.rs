//! What a new password must be: long enough, and none of those that everybody tries first.

/// What a new password must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// Characters at least.
    pub chars_min: usize,
    /// Whether common passwords, and the account's own login, are refused.
    pub refuses_common: bool,
}

/// What a password lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weakness {
    /// It has fewer characters than this.
    TooShort(usize),
    /// It is longer than anybody types, and costs the server what it costs to hash it.
    TooLong(usize),
    /// It is among those that are tried first.
    Common,
}

/// The longest password, in characters: Nextcloud's.
const CHARS_MAX: usize = 469;

impl PasswordPolicy {
    /// Whether `password` will do for the account of that login.
    ///
    /// # Errors
    /// What it lacks.
    pub fn check(&self, password: &str, login: &str) -> Result<(), Weakness> {
        let chars = password.chars().count();
        if chars < self.chars_min {
            return Err(Weakness::TooShort(self.chars_min));
        }
        if chars > CHARS_MAX {
            return Err(Weakness::TooLong(CHARS_MAX));
        }
        match self.refuses_common && is_common(password, login) {
            true => Err(Weakness::Common),
            false => Ok(()),
        }
    }
}

impl std::fmt::Display for Weakness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Weakness::TooShort(chars) => write!(f, "Password needs to be at least {chars} characters long."),
            Weakness::TooLong(chars) => write!(f, "Password needs to be at most {chars} characters long."),
            Weakness::Common => write!(f, "Password is among the most common ones. Please make it unique."),
        }
    }
}

/// A common word is one also with digits and signs around it, twice in a row, or in capitals.
fn is_common(password: &str, login: &str) -> bool {
    let lower = password.to_lowercase();
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let half = &core[..core.len() / 2 - usize::from(!core.is_char_boundary(core.len() / 2))];
    let is_doubled = !half.is_empty() && half.repeat(2) == core;
    let core = if is_doubled { half } else { core };
    let first = lower.chars().next();
    let login = login.to_lowercase();
    let has_one_character = lower.chars().all(|c| Some(c) == first);
    let is_digits = lower.chars().all(|c| c.is_ascii_digit()) && (is_run(&lower) || lower.len() < 10);
    has_one_character
        || is_digits
        || core == login
        || lower == login
        || COMMON.contains(&core)
        || COMMON.contains(&&*lower)
}

/// `1234567890`, `0987654321`, and the like.
fn is_run(digits: &str) -> bool {
    let step = |pair: &[u8]| (i16::from(pair[1]) - i16::from(pair[0])).rem_euclid(10);
    let mut steps = digits.as_bytes().windows(2).map(step);
    let first = steps.next();
    matches!(first, Some(0 | 1 | 9)) && steps.all(|step| Some(step) == first)
}

/// Words that are tried first, in the languages of our members.
static COMMON: &[&str] = &[
    "abcd",
    "abcdef",
    "abcdefg",
    "abcdefgh",
    "abcdefghij",
    "access",
    "administrateur",
    "administrator",
    "admin",
    "association",
    "azerty",
    "azertyuiop",
    "azertyuiopqsdfghjklm",
    "bienvenue",
    "bonjour",
    "changeme",
    "changezmoi",
    "chocolat",
    "computer",
    "correcthorsebatterystaple",
    "coucou",
    "default",
    "doudou",
    "dragon",
    "football",
    "franceinter",
    "iloveyou",
    "internet",
    "jetaime",
    "letmein",
    "liverpool",
    "loulou",
    "marseille",
    "master",
    "michael",
    "monkey",
    "motdepasse",
    "nextcloud",
    "nichoir",
    "nicolas",
    "ordinateur",
    "passe",
    "passphrase",
    "passw",
    "passwd",
    "password",
    "princess",
    "qsdfghjklm",
    "qwerty",
    "qwertyuiop",
    "qwertz",
    "qwertzuiop",
    "secret",
    "soleil",
    "starwars",
    "sunshine",
    "superman",
    "test",
    "trustno",
    "welcome",
    "whatever",
    "p@ssw0rd",
    "p@ssword",
    "passw0rd",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "zaq12wsx",
    "q1w2e3r4t5",
    "a1b2c3d4e5",
];

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: PasswordPolicy = PasswordPolicy { chars_min: 10, refuses_common: true };

    #[track_caller]
    fn check(password: &str, expected: Result<(), Weakness>) {
        assert_eq!(POLICY.check(password, "fabienne.d"), expected, "{password}");
    }

    #[test]
    fn the_length_counts_characters_on_both_sides_of_each_bound() {
        check("ééééüüüüa", Err(Weakness::TooShort(10)));
        check("ééééüüüüab", Ok(()));
        check(&"aé".repeat(300)[..469 + 234], Ok(()));
        check(&format!("{}x", "ab cd ".repeat(78)), Ok(()));
        check(&format!("{}xy", "ab cd ".repeat(78)), Err(Weakness::TooLong(469)));
        check("", Err(Weakness::TooShort(10)));
    }

    #[test]
    fn what_everybody_tries_first_is_refused_in_any_dress() {
        for password in [
            "Password123",
            "motdepasse2026!",
            "AZERTYUIOP",
            "1234567890",
            "0987654321",
            "aaaaaaaaaaaa",
            "azertyazerty",
            "fabienne.d",
            "Fabienne.D99",
            "!!!!!!!!!!",
            "1q2w3e4r5t",
            "777777777777",
        ] {
            check(password, Err(Weakness::Common));
        }
        for password in ["cheval-pile-agrafe", "password manager", "4815162342", "kaçınılmaz-1"] {
            check(password, Ok(()));
        }
        let lenient = PasswordPolicy { chars_min: 0, refuses_common: false };
        assert_eq!(lenient.check("password", "x"), Ok(()));
        assert_eq!(lenient.check("", "x"), Ok(()));
    }
}
