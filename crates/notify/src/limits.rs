//! What sockets are bound by, each a setting of the same name.

/// See the module.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Seconds in which a client must have logged in; also how long a token that stands for a log-in holds.
    pub login_seconds: u64,
    /// Seconds of silence after which a client is asked whether it is there; after as many more it is taken for gone.
    pub ping_seconds: u64,
    /// Seconds that a client may leave a message unread.
    pub write_seconds: u64,
    /// Sockets at once.
    pub sockets_max: usize,
    /// Sockets on which nobody has logged in yet: what strangers can have of them.
    pub logging_in_max: usize,
    /// Sockets of one space.
    pub sockets_per_space_max: usize,
    /// Sockets of one account.
    pub sockets_per_account_max: usize,
    /// Bytes of a message from a client.
    pub message_bytes_max: usize,
    /// Milliseconds that changes are gathered before anybody is told.
    pub gather_milliseconds: u64,
    /// Milliseconds that a message waits at random, so that clients do not all ask at once.
    pub jitter_milliseconds_max: u64,
    /// Seconds between two messages about files on one socket, while the server has little to send.
    pub file_seconds_min: u64,
    /// The same while it has much to send.
    pub file_seconds_max: u64,
    /// Seconds between two messages about activities on one socket.
    pub activity_seconds: u64,
    /// Seconds between two messages about notifications on one socket.
    pub notification_seconds: u64,
    /// Messages a second, on all sockets together, from which on it is much.
    pub messages_per_second: u64,
    /// File numbers in one message; beyond it, clients are told of a change without them.
    pub file_ids_max: usize,
    /// Seconds after which those who are told nothing are looked at as well: may they still be here?
    pub recheck_seconds: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            login_seconds: 15,
            ping_seconds: 60,
            write_seconds: 30,
            sockets_max: 20_000,
            logging_in_max: 500,
            sockets_per_space_max: 1_000,
            sockets_per_account_max: 50,
            message_bytes_max: 4_096,
            gather_milliseconds: 100,
            jitter_milliseconds_max: 300,
            file_seconds_min: 1,
            file_seconds_max: 15,
            activity_seconds: 15,
            notification_seconds: 1,
            messages_per_second: 1_000,
            file_ids_max: 100,
            recheck_seconds: 3_600,
        }
    }
}
