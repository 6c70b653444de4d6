//! Reads the file, the environment and the secrets into the one [`Config`].

use std::path::{Path, PathBuf};

use super::{Config, Wrong};

/// Where the file is looked for when no flag names one.
const DEFAULT_FILE: &str = "/etc/nichoir/nichoir.toml";
/// What the names of our environment variables begin with.
const PREFIX: &str = "NICHOIR_";
/// Where systemd tells the directory of `StateDirectory=`.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";
/// Where systemd puts what `LoadCredential=` loads.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

impl Config {
    /// The configuration: the file named, or the usual one if it exists, then the environment.
    ///
    /// # Errors
    /// What is wrong and where.
    pub fn load(file: Option<&Path>) -> Result<Config, Wrong> {
        let text = match file {
            Some(file) => {
                std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?
            }
            None => match std::fs::read_to_string(DEFAULT_FILE) {
                // One that may not be read is not one that is not there: it would be another server.
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(format!("cannot read {DEFAULT_FILE}: {error}"));
                }
                text => text.unwrap_or_default(),
            },
        };
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Config::parse(&text, environment)
    }

    /// The same from a text and name-value pairs.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, environment: impl Iterator<Item = (String, String)>) -> Result<Config, Wrong> {
        let mut table: toml::Table = text.parse().map_err(|error| told(text, &error))?;
        // Checked on its own first, so that a mistake in the file is told with its line.
        toml::from_str::<Config>(text).map_err(|error| told(text, &error))?;
        let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
        let mut credentials = None;
        for (name, value) in environment {
            match name.as_str() {
                STATE_DIRECTORY => insert_default(&mut table, &value),
                CREDENTIALS_DIRECTORY => credentials = Some(PathBuf::from(value)),
                _ => overlay(&mut table, &defaults, &name, &value)?,
            }
        }
        let config: Config = toml::Value::Table(table).try_into().map_err(|error| told("", &error))?;
        config.with_secrets(credentials.as_deref())
    }

    /// Reads the secrets that are kept in files of their own.
    fn with_secrets(mut self, credentials: Option<&Path>) -> Result<Config, Wrong> {
        let (storage, mail, backup) = (&mut self.storage, &mut self.mail, &mut self.backup);
        for (key, file, value) in [
            ("storage.postgres_url", &storage.postgres_url_file, &mut storage.postgres_url),
            ("storage.s3_secret_access_key", &storage.s3_secret_access_key_file, &mut storage.s3_secret_access_key),
            ("backup.s3_secret_access_key", &backup.s3_secret_access_key_file, &mut backup.s3_secret_access_key),
            ("mail.password", &mail.password_file, &mut mail.password),
        ] {
            if file.is_empty() {
                continue;
            }
            if !value.is_empty() {
                return Err(format!("both {key} and {key}_file are set: remove one of them"));
            }
            let file = resolve(file, credentials);
            let secret = std::fs::read_to_string(&file)
                .map_err(|error| format!("{key}_file: cannot read {}: {error}", file.display()))?;
            *value = secret.trim().to_owned();
        }
        let server = &mut self.server;
        for file in [&mut server.tls_certificate_file, &mut server.tls_key_file] {
            if !file.is_empty() {
                *file = resolve(file, credentials).to_string_lossy().into_owned();
            }
        }
        Ok(self)
    }
}

/// What is wrong, in which line and key. The line itself is not shown, nor is any value: it may be a secret, and what is said here
/// ends up in the journal.
fn told(text: &str, error: &toml::de::Error) -> Wrong {
    let message = match error.message().split_once(", expected ") {
        Some((found, expected)) if found.starts_with("invalid type") || found.starts_with("invalid value") => {
            format!("the value is not {expected}")
        }
        _ => error.message().to_owned(),
    };
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return message };
    let line = before.matches('\n').count();
    let key = text.lines().nth(line).and_then(|line| line.split_once('=')).map_or("", |(key, _)| key.trim());
    format!("line {}, {key}: {message}", line + 1)
}

/// A bare name is one of systemd's credentials, if it passed any; anything else is a path.
fn resolve(file: &str, credentials: Option<&Path>) -> PathBuf {
    match credentials {
        Some(directory) if !file.contains('/') => directory.join(file),
        _ => PathBuf::from(file),
    }
}

/// Takes a variable `NICHOIR_SECTION__KEY` into the table, read as what its default is.
fn overlay(table: &mut toml::Table, defaults: &toml::Table, name: &str, text: &str) -> Result<(), Wrong> {
    let Some((section, key)) = name.strip_prefix(PREFIX).and_then(|name| name.split_once("__")) else { return Ok(()) };
    let (section, key) = (section.to_lowercase(), key.to_lowercase());
    let default = defaults.get(&section).and_then(|values| values.get(&key));
    let default =
        default.ok_or_else(|| format!("{name}: there is no {key} in [{section}]; unset it or correct its name"))?;
    let wrong = |expected: &str| format!("{name}: {text:?} is not {expected}");
    let value = match default {
        toml::Value::Integer(_) => text.trim().parse::<i64>().map_err(|_| wrong("a whole number"))?.into(),
        toml::Value::Boolean(_) => text.trim().parse::<bool>().map_err(|_| wrong("true or false"))?.into(),
        toml::Value::Array(_) => list_of(text).ok_or_else(|| wrong("a list"))?,
        _ => text.into(),
    };
    if let Some(values) = table.entry(section).or_insert_with(|| toml::Table::new().into()).as_table_mut() {
        values.insert(key, value);
    }
    Ok(())
}

/// `a, b`, or a list as the file writes it.
fn list_of(text: &str) -> Option<toml::Value> {
    if text.trim_start().starts_with('[') && text.trim_end().ends_with(']') && text.contains('"') {
        return format!("list = {text}").parse::<toml::Table>().ok()?.remove("list");
    }
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    Some(parts.map(toml::Value::from).collect::<Vec<_>>().into())
}

/// The state directory that systemd made, where the file names none.
fn insert_default(table: &mut toml::Table, directories: &str) {
    let directory = directories.split(':').next().unwrap_or(directories);
    if let Some(storage) = table.entry("storage").or_insert_with(|| toml::Table::new().into()).as_table_mut() {
        storage.entry("data_dir").or_insert_with(|| directory.into());
    }
}

#[cfg(test)]
mod tests {
    use nichoir_store::DatabaseConfig;

    use super::*;

    fn parse(text: &str, environment: &[(&str, &str)]) -> Result<Config, Wrong> {
        Config::parse(text, environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn no_configuration_at_all_works() {
        let config = parse("", &[]).unwrap();
        assert_eq!(config.server.listen, ["127.0.0.1:8080"]);
        assert!(matches!(config.store().database, DatabaseConfig::Sqlite { .. }));
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let environment = [
            ("NICHOIR_SERVER__LISTEN", "[\"[::1]:1\", \"unix:/s\"]"),
            ("NICHOIR_DIALECT__NEXTCLOUD", "false"),
            ("NICHOIR_LIMITS__LOCKS_MAX", "7"),
        ];
        let config = parse("[server]\nlisten = [\"127.0.0.1:9\"]\nbase_domain = \"x.org\"\n", &environment).unwrap();
        assert_eq!(config.server.listen, ["[::1]:1", "unix:/s"]);
        assert_eq!(config.server.base_domain, "x.org");
        assert!(!config.dialect.nextcloud);
        assert_eq!(config.store().limits.locks_max, 7);
    }

    #[test]
    fn unknown_keys_are_errors_that_name_them() {
        assert!(parse("[server]\nlisten_on = 1\n", &[]).unwrap_err().contains("listen_on"));
        assert!(parse("[sever]\n", &[]).unwrap_err().contains("sever"));
        assert!(parse("", &[("NICHOIR_SERVER__PORT", "1")]).unwrap_err().contains("port"));
        assert!(parse("", &[("NICHOIR_LIMITS__LOCKS_MAX", "many")]).unwrap_err().contains("a whole number"));
        assert!(parse("", &[("NICHOIR_DIALECT__NEXTCLOUD", "yes")]).unwrap_err().contains("true or false"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_without_its_values() {
        for (file, place) in [
            ("[storage]\npostgres_url = \"postgres://u:planted@h/d\n", "line 2, postgres_url"),
            ("[storage]\npostgres_urll = \"postgres://u:planted@h/d\"\n", "line 2, postgres_urll"),
            ("[storage]\npostgres_url = [\"planted\"]\n", "line 2, postgres_url"),
            (
                "[storage]\n\ns3_secret_access_key = 7007007\n",
                "line 3, s3_secret_access_key: the value is not a string",
            ),
            ("[storage]\ninline_bytes = \"planted\"\n", "line 2, inline_bytes: the value is not usize"),
            ("[mail]\npassword = planted\n", "line 2, password"),
            ("[mail]\npassword planted = \"x\"\n", "line 2"),
            ("[mail]\npassword = \"a\"\npassword = \"planted\"\n", "line 3, password"),
            ("[mail]\npassword = \"planted\" planted\n", "line 2, password"),
        ] {
            let wrong = parse(file, &[]).unwrap_err();
            assert!(wrong.contains(place), "{wrong}");
            let is_key = wrong.contains("password planted");
            assert!(is_key || !wrong.contains("planted") && !wrong.contains("7007007"), "{wrong}");
        }
        let wrong = parse("", &[("NICHOIR_STORAGE__POSTGRES_CONNECTIONS_MAX", "x")]).unwrap_err();
        assert!(wrong.contains("a whole number"), "{wrong}");
    }

    #[test]
    fn variables_are_read_as_what_their_setting_is() {
        let config = parse("", &[("NICHOIR_SERVER__LISTEN", "127.0.0.1:1, [::1]:2")]).unwrap();
        assert_eq!(config.server.listen, ["127.0.0.1:1", "[::1]:2"]);
        assert_eq!(parse("", &[("NICHOIR_SERVER__LISTEN", "[::1]:1")]).unwrap().server.listen, ["[::1]:1"]);
        assert_eq!(parse("", &[("NICHOIR_STORAGE__S3_ACCESS_KEY_ID", "123")]).unwrap().storage.s3_access_key_id, "123");
        assert!(parse("", &[("NICHOIR_CONFIG", "x"), ("HOME", "/root")]).is_ok());
    }

    #[test]
    fn systemd_gives_the_directory_and_the_secrets() {
        let state = ("STATE_DIRECTORY", "/var/lib/private/n:/other");
        assert_eq!(parse("", &[state]).unwrap().storage.data_dir, Path::new("/var/lib/private/n"));
        let file = "[storage]\ndata_dir = \"/srv\"\n";
        assert_eq!(parse(file, &[state]).unwrap().storage.data_dir, Path::new("/srv"));

        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("database-url"), "postgres://u:p@h/d\n").unwrap();
        let credentials = ("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap());
        let file = "[storage]\npostgres_url_file = \"database-url\"\n";
        assert_eq!(parse(file, &[credentials]).unwrap().storage.postgres_url, "postgres://u:p@h/d");
        let twice = "[storage]\npostgres_url = \"x\"\npostgres_url_file = \"database-url\"\n";
        assert!(parse(twice, &[credentials]).unwrap_err().contains("remove one"));
        assert!(parse(file, &[]).unwrap_err().contains("postgres_url_file"));
    }
}
