//! The mail server that takes our messages. RFC 5321, 3207, 8314.

use std::time::Duration;

use lettre::address::AddressError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

/// How the connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte, port 465.
    Tls,
    /// TLS after STARTTLS, which must succeed; port 587.
    StartTls,
    /// None, port 25: for a mail server on the same machine.
    None,
}

impl Security {
    /// The mode of that name: `tls`, `starttls` or `none`.
    pub fn of_name(name: &str) -> Option<Security> {
        match name {
            "tls" => Some(Security::Tls),
            "starttls" => Some(Security::StartTls),
            "none" => Some(Security::None),
            _ => None,
        }
    }

    fn port(self) -> u16 {
        match self {
            Security::Tls => 465,
            Security::StartTls => 587,
            Security::None => 25,
        }
    }
}

/// How to reach the mail server.
#[derive(Clone, Debug)]
pub struct SmtpConfig {
    /// Its name.
    pub host: String,
    /// Its port; 0: the usual one.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Whom to log in as; empty: nobody.
    pub user: String,
    /// With which password.
    pub password: String,
    /// The address that messages come from.
    pub from_address: String,
    /// Seconds until each of the server's answers.
    pub answer_seconds: u64,
}

/// What the mail server makes of a message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// It will never take it.
    #[error("the mail server refuses the message")]
    Permanent(#[source] lettre::transport::smtp::Error),
    /// It may take it later.
    #[error("the mail server does not take the message now")]
    Passing(#[source] lettre::transport::smtp::Error),
}

/// A way to the mail server. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    pub(crate) from: Address,
}

impl Smtp {
    /// The way to the server that `config` names; it is gone when there is something to send.
    ///
    /// # Errors
    /// What is wrong with the configuration, in words.
    pub fn new(config: &SmtpConfig) -> Result<Smtp, String> {
        // Fails only when a provider is installed already, which is then the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let wrong = |error: AddressError| format!("mail.from_address: {} is no address: {error}", config.from_address);
        let from: Address = config.from_address.parse().map_err(wrong)?;
        let tls = || TlsParameters::new(config.host.clone()).map_err(|error| format!("mail: no TLS: {error}"));
        let tls = match config.security {
            Security::Tls => Tls::Wrapper(tls()?),
            Security::StartTls => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        let port = if config.port == 0 { config.security.port() } else { config.port };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&config.host)
            .port(port)
            .tls(tls)
            .hello_name(ClientId::Domain(from.domain().to_owned()))
            .timeout(Some(Duration::from_secs(config.answer_seconds)));
        if !config.user.is_empty() {
            builder = builder.credentials(Credentials::new(config.user.clone(), config.password.clone()));
        }
        Ok(Smtp { transport: builder.build(), from })
    }

    pub(crate) async fn send(&self, message: Message) -> Result<(), Refusal> {
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Refusal::Permanent(error)),
            Err(error) => Err(Refusal::Passing(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn security_by_name() {
        assert_eq!(Security::of_name("starttls").map(Security::port), Some(587));
        assert_eq!(Security::of_name("tls").map(Security::port), Some(465));
        assert_eq!(Security::of_name("none").map(Security::port), Some(25));
        assert_eq!(Security::of_name("ssl"), None);
    }
}
