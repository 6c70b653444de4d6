//! Tickets: addresses and tokens that let whoever has them act for an account on one file until an instant, without a password.
//! Nothing of them is stored: a keyed hash of the space says that they were given. They end with the account, with the device
//! they were given to, and with the password where there was no device.

use nichoir_auth::Caller;
use nichoir_store::{AccountId, DeviceId, Error, FileId, Needs, Node, NodePath, Space, Timestamp};

/// Bytes of the payload: four numbers and the right to write.
const PAYLOAD_BYTES: usize = 33;
const MAC_BYTES: usize = 16;

/// What a ticket is good for. One for one thing is none for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The content of a file, read by a player.
    Direct,
    /// The page that an office document is opened in.
    OfficePage,
    /// What the office server reads and writes.
    Office,
}

impl Purpose {
    const fn key_name(self) -> &'static str {
        match self {
            Purpose::Direct => "direct link",
            Purpose::OfficePage => "office page",
            Purpose::Office => "office access",
        }
    }
}

/// What a ticket says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    /// For whom.
    pub(crate) account: AccountId,
    /// The device that asked for it; 0: none.
    device: i64,
    /// The file.
    pub(crate) node: FileId,
    /// Until when.
    pub(crate) expires: Timestamp,
    /// Whether it lets write.
    pub(crate) is_writable: bool,
}

/// Why a ticket is none.
#[derive(Debug)]
pub(crate) enum Invalid {
    /// It was never given, or what it hangs on is gone.
    Unknown,
    /// Its time is over.
    Expired,
    /// It cannot be looked at.
    Store(Error),
}

impl From<Error> for Invalid {
    fn from(error: Error) -> Invalid {
        match error {
            Error::NotFound => Invalid::Unknown,
            error => Invalid::Store(error),
        }
    }
}

impl Ticket {
    /// For the caller, about a file, for that many seconds from now.
    pub(crate) fn new(caller: &Caller, node: FileId, is_writable: bool, seconds: i64) -> Ticket {
        let device = caller.device.as_ref().map_or(0, |device| device.id.0);
        let expires = caller.space.ports().clock.now().plus_seconds(seconds);
        Ticket { account: caller.account.id, device, node, expires, is_writable }
    }

    /// As text of letters and digits.
    pub(crate) fn seal(&self, caller: &Caller, purpose: Purpose) -> String {
        let payload = self.payload();
        let password = caller.account.password_hash.as_deref();
        let mac = mac(&caller.space, purpose, &payload, self.device, password);
        payload.iter().chain(&mac).map(|byte| format!("{byte:02x}")).collect()
    }

    fn payload(&self) -> [u8; PAYLOAD_BYTES] {
        let mut payload = [0; PAYLOAD_BYTES];
        let numbers = [self.account.0, self.device, self.node.0, self.expires.0];
        for (place, number) in payload.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_be_bytes());
        }
        payload[PAYLOAD_BYTES - 1] = u8::from(self.is_writable);
        payload
    }

    /// The ticket in `text`, and whom it lets act.
    pub(crate) async fn open(space: &Space, purpose: Purpose, text: &str) -> Result<(Ticket, Caller), Invalid> {
        let bytes = bytes_of(text).ok_or(Invalid::Unknown)?;
        let (payload, told) = bytes.split_at(PAYLOAD_BYTES);
        let number = |place: usize| payload[place * 8..place * 8 + 8].try_into().map_or(0, i64::from_be_bytes);
        let ticket = Ticket {
            account: AccountId(number(0)),
            device: number(1),
            node: FileId(number(2)),
            expires: Timestamp(number(3)),
            is_writable: payload[PAYLOAD_BYTES - 1] == 1,
        };
        // Looked up before anything is proven; the answer is the same whether there is such an account or not.
        let account = space.account(ticket.account).await?;
        let mac = mac(space, purpose, payload, ticket.device, account.password_hash.as_deref());
        // Compared in constant time.
        let told: [u8; MAC_BYTES] = told.try_into().map_err(|_| Invalid::Unknown)?;
        let differs = told.iter().zip(mac).fold(0, |differs, (told, byte)| differs | (told ^ byte));
        if differs != 0 || !account.is_enabled {
            return Err(Invalid::Unknown);
        }
        if ticket.expires <= space.ports().clock.now() {
            return Err(Invalid::Expired);
        }
        let device = match ticket.device {
            0 => None,
            id => {
                let devices = space.devices(account.id).await?;
                let device = devices.into_iter().find(|device| device.id == DeviceId(id) && !device.is_wiped);
                Some(device.ok_or(Invalid::Unknown)?)
            }
        };
        Ok((ticket, Caller::new(space, account, device)))
    }

    /// The file as it is now, if the account still sees it.
    pub(crate) async fn file(&self, caller: &Caller, needs: Needs) -> Result<(NodePath, Node), Error> {
        let (path, node) = caller.tree.node_by_id(self.node, needs).await?;
        if node.is_folder() { Err(Error::NotFound) } else { Ok((path, node)) }
    }
}

fn mac(space: &Space, purpose: Purpose, payload: &[u8], device: i64, password: Option<&str>) -> [u8; MAC_BYTES] {
    let mut hasher = blake3::Hasher::new_keyed(&space.key(purpose.key_name()));
    hasher.update(payload);
    // What was opened with a password ends with it; a device has its own.
    if device == 0 {
        hasher.update(password.unwrap_or_default().as_bytes());
    }
    let mut mac = [0; MAC_BYTES];
    hasher.finalize_xof().fill(&mut mac);
    mac
}

fn bytes_of(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * (PAYLOAD_BYTES + MAC_BYTES) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 2).map(|place| u8::from_str_radix(&text[place * 2..place * 2 + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_ticket_is_seen_at_once() {
        assert_eq!(bytes_of(""), None);
        assert_eq!(bytes_of(&"0".repeat(97)), None);
        assert_eq!(bytes_of(&"+".repeat(98)), None);
        assert_eq!(bytes_of(&"é".repeat(49)), None);
        assert_eq!(bytes_of(&"0f".repeat(49)), Some(vec![15; 49]));
    }
}
