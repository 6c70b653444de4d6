//! The sample configuration: every key with its description and default.

use super::{
    AddressBooks, Auth, Backup, Bounds, Calendars, Config, Described, Dialect, Links, Log, Mail, Maintenance, Notes,
    NotifyPush, Office, Outbound, Previews, Push, Server, Storage,
};

/// The sample configuration: every key with its description and default, commented out.
pub fn sample() -> String {
    let mut sample =
        "# nichoir.toml: every key, with its default. Each is also NICHOIR_SECTION__KEY in the environment.\n"
            .to_owned();
    let defaults = toml::Table::try_from(Config::default()).unwrap_or_default();
    let sections: [(&str, &[(&str, &str)]); 18] = [
        ("server", Server::KEYS),
        ("storage", Storage::KEYS),
        ("limits", Bounds::KEYS),
        ("auth", Auth::KEYS),
        ("dialect", Dialect::KEYS),
        ("notes", Notes::KEYS),
        ("office", Office::KEYS),
        ("calendars", Calendars::KEYS),
        ("address_books", AddressBooks::KEYS),
        ("previews", Previews::KEYS),
        ("outbound", Outbound::KEYS),
        ("push", Push::KEYS),
        ("notify_push", NotifyPush::KEYS),
        ("mail", Mail::KEYS),
        ("links", Links::KEYS),
        ("maintenance", Maintenance::KEYS),
        ("backup", Backup::KEYS),
        ("log", Log::KEYS),
    ];
    for (section, keys) in sections {
        sample.push_str(&format!("\n[{section}]\n"));
        for (key, description) in keys {
            for line in description.lines() {
                sample.push_str(&format!("#{line}\n"));
            }
            if let Some(value) = defaults.get(section).and_then(|values| values.get(key)) {
                sample.push_str(&format!("#{key} = {value}\n"));
            }
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_sample_is_what_the_code_says() {
        let committed = include_str!("../../packaging/nichoir.toml");
        assert_eq!(committed, sample(), "run: nichoir config-sample > packaging/nichoir.toml");
        let uncommented: String = committed
            .lines()
            .filter_map(|line| {
                let line = line.strip_prefix('#').filter(|line| !line.starts_with(' ')).unwrap_or(line);
                (!line.starts_with("# ") && !line.starts_with('#')).then(|| format!("{line}\n"))
            })
            .collect();
        assert!(Config::parse(&uncommented, std::iter::empty()).is_ok(), "{uncommented}");
    }
}
