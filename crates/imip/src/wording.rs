//! What people read: subject and text, in French and English, since nobody knows what somebody outside reads.

use crate::invitation::Invitation;

/// What happened, in both languages.
struct Wording {
    french: &'static str,
    english: &'static str,
    subject: &'static str,
}

fn wording(method: &str, invitation: &Invitation) -> Wording {
    let say = |subject, french, english| Wording { french, english, subject };
    match (method, invitation.answer.as_deref()) {
        ("REQUEST", _) if invitation.is_update => {
            say("Invitation (mise à jour / updated)", "a modifié son invitation", "has changed the invitation")
        }
        ("REQUEST", _) => say("Invitation", "vous invite", "invites you"),
        ("CANCEL", _) => say("Annulé / Cancelled", "a annulé", "has cancelled"),
        ("REPLY", Some("ACCEPTED")) => say("Accepté / Accepted", "a accepté", "has accepted"),
        ("REPLY", Some("DECLINED")) => say("Refusé / Declined", "a refusé", "has declined"),
        ("REPLY", Some("TENTATIVE")) => say("Peut-être / Tentative", "viendra peut-être", "may come"),
        ("REPLY", _) => say("Réponse / Reply", "a répondu", "has replied"),
        ("COUNTER", _) => say("Proposition / Proposal", "propose un changement", "proposes a change"),
        _ => say("Calendrier / Calendar", "vous envoie un message de calendrier", "sends you a calendar message"),
    }
}

/// The subject.
pub(crate) fn subject(method: &str, invitation: &Invitation) -> String {
    match invitation.summary.is_empty() {
        true => wording(method, invitation).subject.to_owned(),
        false => format!("{}: {}", wording(method, invitation).subject, invitation.summary),
    }
}

/// The text part: both languages, then what only the organizer can word.
pub(crate) fn text(method: &str, invitation: &Invitation, sender: &str) -> String {
    let wording = wording(method, invitation);
    let mut text = format!("{sender} {}.\n{sender} {}.\n\n", wording.french, wording.english);
    let mut line = |name: &str, value: &str| text.push_str(&format!("{name}: {value}\n"));
    if !invitation.summary.is_empty() {
        line("Titre / Title", &invitation.summary);
    }
    if let Some(starts) = &invitation.starts {
        line("Début / Start", starts);
    }
    if let Some(ends) = &invitation.ends {
        line("Fin / End", ends);
    }
    if invitation.repeats {
        line("Répétition / Repeats", "oui / yes");
    }
    if let Some(location) = &invitation.location {
        line("Lieu / Place", location);
    }
    for part in [&invitation.comment, &invitation.description].into_iter().flatten() {
        text.push('\n');
        text.push_str(part);
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: &str, answer: Option<&str>, is_update: bool, expected: &str) {
        let invitation = Invitation {
            summary: "Fête".to_owned(),
            answer: answer.map(str::to_owned),
            is_update,
            ..Invitation::default()
        };
        assert_eq!(subject(method, &invitation), expected);
    }

    #[test]
    fn subjects() {
        check("REQUEST", None, false, "Invitation: Fête");
        check("REQUEST", None, true, "Invitation (mise à jour / updated): Fête");
        check("CANCEL", None, true, "Annulé / Cancelled: Fête");
        check("REPLY", Some("ACCEPTED"), false, "Accepté / Accepted: Fête");
        check("REPLY", Some("DECLINED"), false, "Refusé / Declined: Fête");
        check("REPLY", Some("TENTATIVE"), false, "Peut-être / Tentative: Fête");
        check("REPLY", Some("DELEGATED"), false, "Réponse / Reply: Fête");
        assert_eq!(subject("REQUEST", &Invitation::default()), "Invitation");
    }

    #[test]
    fn the_text_says_it_in_both_languages() {
        let invitation = Invitation {
            summary: "Fête".to_owned(),
            starts: Some("2026-01-31".to_owned()),
            location: Some("Salle".to_owned()),
            ..Invitation::default()
        };
        let text = text("REQUEST", &invitation, "Alice");
        for expected in ["Alice vous invite.", "Alice invites you.", "Début / Start: 2026-01-31", "Lieu / Place: Salle"]
        {
            assert!(text.contains(expected), "{expected} in {text}");
        }
    }
}
