//! The sections of the configuration: each key is written here, once, with its description and its default.

use std::path::PathBuf;

use nichoir_auth::AuthLimits;
use nichoir_caldav::Limits as CalendarLimits;
use nichoir_carddav::Limits as CardLimits;
use nichoir_imip::Limits as MailLimits;
use nichoir_nextcloud::LinkSettings;
use nichoir_nextcloud::bulk::BulkLimits;
use nichoir_nextcloud::notes::NotesLimits;
use nichoir_notify::Limits as NotifyLimits;
use nichoir_outbound::Limits as OutboundLimits;
use nichoir_preview::{Limits as PreviewLimits, ToolLimits};
use nichoir_push::{Limits as PushLimits, SendLimits};
use nichoir_store::Limits;
use serde::{Deserialize, Serialize};

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $kind:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> $name {
                $name { $($field: $default,)* }
            }
        }

        impl Described for $name {
            const KEYS: &'static [(&'static str, &'static str)] = &[$((stringify!($field), concat!($($field_doc, "\n",)*)),)*];
        }
    };
}

/// A section whose keys can be listed with their descriptions.
pub(super) trait Described {
    const KEYS: &'static [(&'static str, &'static str)];
}

section! {
    /// `[server]`: where it listens and whom it believes.
    Server {
        /// Addresses to listen on: `127.0.0.1:8080`, `[::]:80`, or `unix:/run/nichoir.sock`. Sockets passed by systemd come besides.
        listen: Vec<String> = vec!["127.0.0.1:8080".to_owned()],
        /// Permissions of unix sockets, octal.
        unix_socket_mode: String = "0660".to_owned(),
        /// Address of the admin listener (/healthz, /readyz, /metrics); empty: none.
        admin_listen: String = String::new(),
        /// Spaces answer at NAME.base_domain.
        base_domain: String = String::new(),
        /// The space that answers on every other host.
        default_space: String = String::new(),
        /// Addresses or networks (`10.0.0.0/8`) whose X-Forwarded-For, -Proto and -Host are believed. Unix sockets always are.
        trusted_proxies: Vec<String> = Vec::new(),
        /// PEM file with the certificate chain; with tls_key_file, connections speak TLS.
        tls_certificate_file: String = String::new(),
        /// PEM file with the private key.
        tls_key_file: String = String::new(),
        /// Connections that the system holds until they are taken (at most `net.core.somaxconn`); clients beyond that try again after a
        /// second.
        backlog: u32 = 1024,
        /// Connections at once; a quarter of the files that the process may open, if that is less. When few are left, the oldest
        /// that has asked for nothing yet makes way for the next.
        connections_max: usize = 4096,
        /// Connections at once whose last request was for the same space; more are answered 503 and closed. At most a sixteenth of
        /// the files that the process may open.
        space_connections_max: usize = 1000,
        /// HTTP/2 requests of one space at once, with those whose answer is still being read; more are answered 503. Likewise.
        space_requests_max: usize = 1000,
        /// Seconds in which a request's headers must have arrived.
        header_seconds: u64 = 20,
        /// Bytes of a request's headers.
        header_bytes: usize = 65_536,
        /// Number of a request's headers.
        headers_max: usize = 100,
        /// Seconds that a client may pause while it sends a body.
        body_idle_seconds: u64 = 120,
        /// Bytes a second of a body, on average after its first minute; slower clients are cut off.
        body_bytes_per_second_min: u64 = 64,
        /// Seconds that a client may leave a piece of an answer unread.
        write_idle_seconds: u64 = 120,
        /// Seconds from the last byte of a request to its answer; then 503.
        answer_seconds: u64 = 300,
        /// HTTP/2 requests at once on one connection.
        http2_streams_max: u32 = 100,
        /// Seconds that an HTTP/2 connection may be without a request.
        http2_idle_seconds: u64 = 120,
        /// Bytes that may come on an HTTP/2 connection beside requests and bodies; then it is cut off. Each request allows two
        /// megabytes more, each body twice its length.
        http2_overhead_bytes_max: u64 = 1_048_576,
        /// Seconds that requests under way may still take when the server stops.
        drain_seconds: u64 = 30,
    }
}

section! {
    /// `[storage]`: where metadata and blobs live.
    Storage {
        /// Directory of everything that is kept on this machine. Under systemd, its state directory unless set.
        data_dir: PathBuf = PathBuf::from("/var/lib/nichoir"),
        /// `postgres://user:password@host/database`; empty: SQLite files below data_dir.
        postgres_url: String = String::new(),
        /// File that holds postgres_url, for secrets kept apart; a name without a slash is one of systemd's credentials.
        postgres_url_file: String = String::new(),
        /// Connections to PostgreSQL at most.
        postgres_connections_max: u32 = 20,
        /// `https://s3.example.org`; empty: blobs are files below data_dir.
        s3_endpoint: String = String::new(),
        /// The bucket, which must exist.
        s3_bucket: String = "nichoir".to_owned(),
        /// The region.
        s3_region: String = "garage".to_owned(),
        /// Access key id.
        s3_access_key_id: String = String::new(),
        /// Secret access key.
        s3_secret_access_key: String = String::new(),
        /// File that holds s3_secret_access_key, for secrets kept apart; likewise.
        s3_secret_access_key_file: String = String::new(),
        /// Address the bucket as endpoint/bucket rather than bucket.endpoint.
        s3_path_style: bool = true,
        /// Content up to this many bytes lives in the row.
        inline_bytes: usize = Limits::default().inline_bytes,
        /// Bytes of one part of an upload to S3; at least 5 MiB.
        part_bytes: usize = Limits::default().part_bytes,
        /// Space files open at once; fewer where the process may not open as many files.
        open_spaces_max: usize = Limits::default().open_spaces_max,
        /// Seconds after which an unused space file is closed.
        idle_close_seconds: u64 = Limits::default().idle_close_seconds,
        /// Changes waiting for one space; more are answered 503.
        queued_changes_max: usize = Limits::default().queued_changes_max,
        /// Changes in one commit.
        group_changes_max: usize = Limits::default().group_changes_max,
        /// Bytes of small files that an open space remembers after they were read; 0: none.
        remembered_content_bytes: usize = Limits::default().remembered_content_bytes,
        /// Rows in one page of a listing.
        page_rows: i64 = Limits::default().page_rows,
        /// Members of a calendar or address book that are read at once, with their content.
        page_members: i64 = Limits::default().page_members,
        /// Bytes of their content that are held at once; one member may be larger.
        page_member_bytes: u64 = Limits::default().page_member_bytes,
    }
}

section! {
    /// `[limits]`: what one space, account, file or request may at most be.
    Bounds {
        /// The longest WebDAV lock, in seconds.
        lock_timeout_seconds_max: u64 = Limits::default().lock_timeout_seconds_max,
        /// Locks in a space.
        locks_max: u64 = Limits::default().locks_max,
        /// Seconds that a lock lasts which an app, the desktop client or an office server took, unless it is renewed.
        client_lock_seconds: u64 = Limits::default().client_lock_seconds,
        /// Dead properties on one file or folder.
        dead_properties_max: u64 = Limits::default().dead_properties_max,
        /// Bytes of one dead property.
        dead_property_bytes_max: u64 = Limits::default().dead_property_bytes_max,
        /// Chunks in one upload.
        upload_chunks_max: u64 = Limits::default().upload_chunks_max,
        /// Unfinished uploads of one account.
        uploads_max: u64 = Limits::default().uploads_max,
        /// Public links that one account has made.
        links_max: u64 = Limits::default().links_max,
        /// Bytes of a link's note, and of the attributes that clients keep with it.
        link_text_bytes_max: u64 = Limits::default().link_text_bytes_max,
        /// Seconds after its last chunk that an unfinished upload is kept.
        upload_expiry_seconds: i64 = Limits::default().upload_expiry_seconds,
        /// Days that deleted files are kept.
        trash_days: i64 = Limits::default().trash_days,
        /// Days that the files, calendars and shares of a deleted account are kept, unless they were handed over.
        departed_days: i64 = Limits::default().departed_days,
        /// Days that earlier versions are kept; those with a label are kept for good.
        version_days: i64 = Limits::default().version_days,
        /// Earlier versions of one file.
        versions_max: u64 = Limits::default().versions_max,
        /// Whether fewer versions are kept the older they get: one of each minute of the last hour, hour of the last day,
        /// day of the last 30, then week.
        thins_versions: bool = Limits::default().thins_versions,
        /// Days that sync tokens stay valid.
        change_log_days: i64 = Limits::default().change_log_days,
        /// Files and folders copied by one COPY.
        copy_nodes_max: u64 = Limits::default().copy_nodes_max,
        /// Groups of accounts in a space.
        groups_max: u64 = Limits::default().groups_max,
        /// Files and folders that one search looks at; a larger tree is searched folder by folder.
        search_candidates_max: u64 = Limits::default().search_candidates_max,
        /// Searches of one space at once; more wait for their turn.
        searches_at_once_max: usize = Limits::default().searches_at_once_max,
        /// Parts of uploads of one space that are hashed and written at once; more wait.
        upload_parts_at_once_max: usize = Limits::default().upload_parts_at_once_max,
        /// Requests of one space that compute at once. Those that wait for their client, a commit or a search are not counted.
        space_turns: usize = Limits::default().space_turns,
        /// Requests of one space that wait for that; more are answered 503.
        space_waiting_max: usize = Limits::default().space_waiting_max,
        /// Files and folders that one search tells of.
        search_results_max: usize = 10_000,
        /// Tags of a space.
        tags_max: u64 = Limits::default().tags_max,
        /// Tags on one file or folder.
        tags_of_node_max: u64 = Limits::default().tags_of_node_max,
        /// Whether files that are shared for looking at only (the apps' "no download") may be read by whoever they are shared
        /// with, as programs need that show them; else there are only previews and the office server.
        has_view_without_download: bool = Limits::default().has_view_without_download,
        /// Comments on one file or folder.
        comments_of_node_max: u64 = Limits::default().comments_of_node_max,
        /// Members that one comment tells that it mentions them.
        mentions_of_comment_max: usize = Limits::default().mentions_of_comment_max,
        /// Team folders of a space.
        team_folders_max: u64 = Limits::default().team_folders_max,
        /// Shares of what one account or team folder has.
        shares_max: u64 = Limits::default().shares_max,
        /// The longest note beside a share.
        share_note_bytes_max: u64 = Limits::default().share_note_bytes_max,
        /// Devices of one account.
        devices_max: u64 = Limits::default().devices_max,
        /// Login flows waiting in a space.
        login_flows_max: u64 = Limits::default().login_flows_max,
        /// Days that activities are kept.
        activity_days: i64 = Limits::default().activity_days,
        /// Activities of a space.
        activities_max: u64 = Limits::default().activities_max,
        /// Days that the trail of a space (`nichoir audit`) is kept.
        audit_days: i64 = Limits::default().audit_days,
        /// Rows of each kind in it: failed sign-ins, sign-ins, acts.
        audit_rows_max: u64 = Limits::default().audit_rows_max,
        /// Seconds in which activities of one member in one folder are alike.
        activity_gather_seconds: i64 = Limits::default().activity_gather_seconds,
        /// Alike activities that are told one by one; further ones are counted.
        activity_burst_rows: u64 = Limits::default().activity_burst_rows,
        /// Days that notifications are kept.
        notification_days: i64 = Limits::default().notification_days,
        /// Notifications of one account.
        notifications_max: u64 = Limits::default().notifications_max,
        /// Seconds before blobs that nothing refers to are removed: longer than any download takes.
        collect_after_seconds: i64 = Limits::default().collect_after_seconds,
        /// Seconds before blobs are removed that were uploaded and never used: longer than any upload takes.
        intent_expiry_seconds: i64 = Limits::default().intent_expiry_seconds,
        /// Bytes of an XML request body.
        request_xml_bytes: usize = 1024 * 1024,
        /// Elements inside each other in an XML request body.
        request_xml_depth: usize = 64,
        /// Elements in an XML request body.
        request_xml_elements: usize = 20_000,
        /// Attributes of one element in an XML request body.
        request_xml_attributes: usize = 64,
        /// Ranges in one GET.
        ranges_max: usize = 32,
        /// Members in one sync-collection answer.
        sync_results_max: usize = 10_000,
        /// Whether PROPFIND with Depth: infinity is served.
        has_infinite_propfind: bool = false,
    }
}

section! {
    /// `[auth]`: passwords and guessing.
    Auth {
        /// Memory of one password hash, in KiB.
        argon2_memory_kib: u32 = AuthLimits::default().argon2_memory_kib,
        /// Passes of one password hash.
        argon2_passes: u32 = AuthLimits::default().argon2_passes,
        /// Password hashes computed at once.
        argon2_parallel: usize = AuthLimits::default().argon2_parallel,
        /// Log-ins of one space that may wait for one; more are answered 503. Spaces take turns.
        argon2_waiting_max: usize = AuthLimits::default().argon2_waiting_max,
        /// Seconds that a proven log-in is remembered, unless an account or device of its space changes before.
        remember_seconds: i64 = AuthLimits::default().remember_seconds,
        /// Log-ins remembered at once, of some 600 bytes each.
        remembered_max: usize = AuthLimits::default().remembered_max,
        /// Window in which failed log-ins count, in seconds.
        throttle_window_seconds: i64 = AuthLimits::default().throttle_window_seconds,
        /// Failed log-ins of one login from one address block.
        failures_per_login_and_address: usize = AuthLimits::default().failures_per_login_and_address,
        /// Failed log-ins from one address block (an IPv4 address, an IPv6 /56).
        failures_per_address: usize = AuthLimits::default().failures_per_address,
        /// Failed log-ins of one login from anywhere.
        failures_per_login: usize = AuthLimits::default().failures_per_login,
        /// Characters of a new password at least.
        password_chars_min: usize = AuthLimits::default().password_chars_min,
        /// Whether new passwords are refused that everybody tries first.
        refuses_common_passwords: bool = AuthLimits::default().refuses_common_passwords,
    }
}

section! {
    /// `[dialect]`: which clients are served beyond plain WebDAV.
    Dialect {
        /// Whether Nextcloud's clients are served; without, this is a plain WebDAV server.
        nextcloud: bool = true,
        /// The product name that clients show.
        product_name: String = "Nichoir".to_owned(),
        /// Whether many small files may come in one request. Desktop clients before 3.16.3 send no empty files once it is offered.
        has_bulk_upload: bool = false,
        /// Files in one such request.
        bulk_files_max: usize = BulkLimits::default().bulk_files_max,
        /// Bytes of the headers of one file in it.
        bulk_header_bytes_max: usize = BulkLimits::default().bulk_header_bytes_max,
        /// Bytes of the parameters of one OCS request.
        parameter_bytes_max: usize = 262_144,
    }
}

section! {
    /// `[notes]`: what the Notes apps may at most have.
    Notes {
        /// Bytes of one note. Larger files are listed, but neither read nor changed.
        note_bytes_max: usize = NotesLimits::default().note_bytes_max,
        /// Notes and categories of one account; where there are more, the apps get none.
        notes_max: usize = NotesLimits::default().notes_max,
        /// Bytes of a file that is attached to a note.
        attachment_bytes_max: usize = NotesLimits::default().attachment_bytes_max,
    }
}

section! {
    /// `[office]`: the office server (Collabora Online, OnlyOffice) that documents are opened in. Off unless url is set.
    Office {
        /// Where this server reaches it, such as `https://office.example.org`; may be a private address; empty: none.
        url: String = String::new(),
        /// What it is called, in menus and where a file is locked.
        product_name: String = "Collabora Online".to_owned(),
        /// Addresses that it asks from; others are refused; empty: any.
        allowed_addresses: Vec<String> = Vec::new(),
        /// Whether its requests must be signed, where it tells the keys to check that with.
        verifies_proof: bool = true,
        /// Seconds that an open document may be worked on.
        token_seconds: i64 = 36_000,
        /// Seconds in which an app must have opened the page that it was told.
        page_seconds: i64 = 600,
        /// Seconds after which it is asked again what it can do.
        discovery_seconds: i64 = 43_200,
        /// Bytes of its answer to that.
        discovery_bytes_max: usize = 1024 * 1024,
    }
}

section! {
    /// `[calendars]`: what one calendar object or question may at most be.
    Calendars {
        /// Whether members get a calendar of the birthdays in their contacts.
        has_birthday_calendar: bool = true,
        /// Bytes of one calendar object.
        object_bytes_max: usize = CalendarLimits::default().object_bytes_max,
        /// Content lines of one object.
        lines_max: usize = CalendarLimits::default().content.lines_max,
        /// Components of one object, alarms and time zones among them.
        components_max: usize = CalendarLimits::default().content.components_max,
        /// Overridden instances of one object.
        overrides_max: usize = CalendarLimits::default().overrides_max,
        /// Attendees of one event.
        attendees_max: usize = CalendarLimits::default().attendees_max,
        /// Single dates that a recurrence adds or takes out.
        dates_max: usize = CalendarLimits::default().dates_max,
        /// Steps that are walked through the recurrence rules of one object in one question.
        recurrence_steps_max: usize = CalendarLimits::default().recurrence_steps_max,
        /// Instances of one object in one answer.
        instances_max: usize = CalendarLimits::default().instances_max,
        /// Seconds that a rule which recurs within a day is walked through.
        subday_window_seconds_max: i64 = CalendarLimits::default().subday_window_seconds_max,
        /// Bytes of a file that is imported.
        import_bytes_max: usize = CalendarLimits::default().import_bytes_max,
        /// Objects in a file that is imported.
        import_objects_max: usize = CalendarLimits::default().import_objects_max,
        /// Bytes of a subscribed feed.
        feed_bytes_max: usize = 16 * 1024 * 1024,
        /// Redirects on the way to a subscribed feed.
        feed_redirects_max: usize = 5,
        /// Seconds between two fetches of a feed at least, whatever it and its subscriber say.
        feed_refresh_seconds_min: i64 = 900,
        /// Seconds between two fetches of a feed if neither it nor its subscriber says.
        feed_refresh_seconds: i64 = 86_400,
        /// Seconds after a fetch that failed before the next.
        feed_retry_seconds: i64 = 3_600,
        /// Members that one multiget may ask for.
        multiget_hrefs_max: usize = CalendarLimits::default().multiget_hrefs_max,
        /// Conditions in one filter.
        filter_conditions_max: usize = CalendarLimits::default().filter_conditions_max,
        /// Seconds that one question may ask to expand, or ask free and busy time of.
        expand_seconds_max: i64 = CalendarLimits::default().expand_seconds_max,
        /// Scheduling messages that one write may send.
        scheduling_recipients_max: usize = CalendarLimits::default().scheduling_recipients_max,
        /// Times that a write is planned anew because others wrote to the same object meanwhile.
        scheduling_retries_max: usize = CalendarLimits::default().scheduling_retries_max,
        /// People that one free-busy request is answered about.
        free_busy_recipients_max: usize = CalendarLimits::default().free_busy_recipients_max,
    }
}

section! {
    /// `[address_books]`: what one card or question may at most be.
    AddressBooks {
        /// Whether members find each other in an address book of their own.
        has_member_directory: bool = true,
        /// Bytes of one card, pictures included.
        object_bytes_max: usize = CardLimits::default().object_bytes_max,
        /// Content lines of one card.
        lines_max: usize = CardLimits::default().content.lines_max,
        /// Bytes of a file that is imported.
        import_bytes_max: usize = CardLimits::default().import_bytes_max,
        /// Cards in a file that is imported.
        import_objects_max: usize = CardLimits::default().import_objects_max,
        /// Members that one multiget may ask for.
        multiget_hrefs_max: usize = CardLimits::default().multiget_hrefs_max,
        /// Conditions in one filter.
        filter_conditions_max: usize = CardLimits::default().filter_conditions_max,
    }
}

section! {
    /// `[previews]`: small pictures of files, avatars, and what may be spent on them.
    Previews {
        /// Whether there are previews of files.
        is_offered: bool = true,
        /// Where they are kept; empty: `previews` below data_dir. It may be emptied at any time.
        directory: String = String::new(),
        /// Bytes that are kept there; the oldest go first. They do not count toward any pool.
        cache_bytes_max: u64 = PreviewLimits::default().cache_bytes_max,
        /// Bytes of a picture of which there is a preview.
        source_bytes_max: u64 = 50 * 1024 * 1024,
        /// Bytes of memory that making one may take; pictures that need more have none.
        memory_bytes_max: u64 = PreviewLimits::default().memory_bytes_max,
        /// Previews made at once.
        parallel: usize = PreviewLimits::default().parallel,
        /// Requests of one space that may wait for one; more are answered 429. Spaces take turns.
        waiting_max: usize = PreviewLimits::default().waiting_max,
        /// The longest side of a preview, in pixels.
        side_pixels_max: u32 = PreviewLimits::default().side_pixels_max,
        /// Quality of previews that are JPEG, 1 to 100.
        jpeg_quality: u8 = PreviewLimits::default().jpeg_quality,
        /// Bytes of a picture that a member sends as avatar.
        avatar_bytes_max: usize = 20 * 1024 * 1024,
        /// Bytes of a file with the logo of a space.
        logo_bytes_max: u64 = 1024 * 1024,
        /// The program `pdftoppm` of poppler-utils, for previews of PDF; empty: none. It is run through `prlimit` of util-linux.
        pdf_command: String = String::new(),
        /// The program `ffmpeg`, for previews of video; empty: none. Likewise.
        video_command: String = String::new(),
        /// Bytes of a file that is handed to such a program.
        tool_source_bytes_max: u64 = 100 * 1024 * 1024,
        /// Seconds that such a program may take, of the clock and of the processor.
        tool_seconds: u64 = ToolLimits::default().tool_seconds,
        /// Bytes of memory that it may take.
        tool_memory_bytes_max: u64 = ToolLimits::default().tool_memory_bytes_max,
        /// Bytes of the picture that it makes.
        tool_output_bytes_max: u64 = ToolLimits::default().tool_output_bytes_max,
    }
}

section! {
    /// `[outbound]`: requests that the server makes to addresses that its users name, such as push services.
    Outbound {
        /// Seconds until a connection must stand.
        connect_seconds: u64 = OutboundLimits::default().connect_seconds,
        /// Seconds until the whole answer must be there.
        answer_seconds: u64 = OutboundLimits::default().answer_seconds,
        /// Whether http is spoken, not only https. For tests.
        allows_http: bool = OutboundLimits::default().allows_http,
        /// Whether addresses of private and special networks may be asked: lets users reach what only this machine reaches.
        allows_private_addresses: bool = OutboundLimits::default().allows_private_addresses,
    }
}

section! {
    /// `[push]`: telling registered clients of changes in calendars and address books.
    Push {
        /// Whether it is offered.
        is_offered: bool = true,
        /// Whom push services may turn to, `mailto:` or `https:`; empty: the first host of the space.
        contact: String = String::new(),
        /// Registrations of one account.
        registrations_max: u64 = PushLimits::default().registrations_max,
        /// Seconds that a registration holds unless its client asks for less; clients count on three days.
        registration_seconds_max: i64 = PushLimits::default().registration_seconds_max,
        /// Bytes of the address that messages go to.
        resource_bytes_max: usize = PushLimits::default().resource_bytes_max,
        /// Milliseconds that changes are gathered before anybody is told.
        gather_milliseconds: u64 = SendLimits::default().gather_milliseconds,
        /// Messages on their way at once.
        parallel: usize = SendLimits::default().parallel,
        /// Registrations that wait for their message; further ones are passed over.
        waiting_max: usize = SendLimits::default().waiting_max,
        /// Tries of one message.
        tries_max: u32 = SendLimits::default().tries_max,
        /// Seconds before the second try; each further one waits twice as long, or as long as the push service says.
        retry_seconds: u64 = SendLimits::default().retry_seconds,
        /// Seconds that no wait is longer than.
        retry_seconds_max: u64 = SendLimits::default().retry_seconds_max,
        /// Seconds that a push service keeps a message for a device that is off.
        ttl_seconds: u32 = SendLimits::default().ttl_seconds,
    }
}

section! {
    /// `[notify_push]`: sockets on which Nextcloud's clients are told that something changed.
    NotifyPush {
        /// Whether they are offered; without, clients ask every half minute.
        is_offered: bool = true,
        /// Seconds in which a client must have logged in.
        login_seconds: u64 = NotifyLimits::default().login_seconds,
        /// Seconds of silence after which a client is asked whether it is there; after as many more it is taken for gone.
        ping_seconds: u64 = NotifyLimits::default().ping_seconds,
        /// Seconds that a client may leave a message unread.
        write_seconds: u64 = NotifyLimits::default().write_seconds,
        /// Sockets at once. Each is an open file of the process.
        sockets_max: usize = NotifyLimits::default().sockets_max,
        /// Sockets on which nobody has logged in yet: what strangers can have of them.
        logging_in_max: usize = NotifyLimits::default().logging_in_max,
        /// Sockets of one space.
        sockets_per_space_max: usize = NotifyLimits::default().sockets_per_space_max,
        /// Sockets of one account.
        sockets_per_account_max: usize = NotifyLimits::default().sockets_per_account_max,
        /// Bytes of a message from a client.
        message_bytes_max: usize = NotifyLimits::default().message_bytes_max,
        /// Milliseconds that changes are gathered before anybody is told.
        gather_milliseconds: u64 = NotifyLimits::default().gather_milliseconds,
        /// Milliseconds that a message waits at random, so that clients do not all ask at once.
        jitter_milliseconds_max: u64 = NotifyLimits::default().jitter_milliseconds_max,
        /// Seconds between two messages about files on one socket, while the server has little to send.
        file_seconds_min: u64 = NotifyLimits::default().file_seconds_min,
        /// The same while it has much to send.
        file_seconds_max: u64 = NotifyLimits::default().file_seconds_max,
        /// Seconds between two messages about activities on one socket.
        activity_seconds: u64 = NotifyLimits::default().activity_seconds,
        /// Seconds between two messages about notifications on one socket.
        notification_seconds: u64 = NotifyLimits::default().notification_seconds,
        /// Messages a second, on all sockets together, from which on it is much.
        messages_per_second: u64 = NotifyLimits::default().messages_per_second,
        /// File numbers in one message; beyond it, clients are told of a change without them.
        file_ids_max: usize = NotifyLimits::default().file_ids_max,
        /// Seconds between two looks at who may still be on a socket where nothing happens.
        recheck_seconds: u64 = NotifyLimits::default().recheck_seconds,
    }
}

section! {
    /// `[mail]`: the mail server through which people outside of a space are invited. Off unless host is set.
    Mail {
        /// Name of the mail server; empty: no mail is sent.
        host: String = String::new(),
        /// Its port; 0: 587, 465 or 25, after security.
        port: u16 = 0,
        /// `starttls`, `tls`, or `none` for a mail server on this machine.
        security: String = "starttls".to_owned(),
        /// Whom to log in as; empty: nobody.
        user: String = String::new(),
        /// With which password.
        password: String = String::new(),
        /// File that holds password, for secrets kept apart; a name without a slash is one of systemd's credentials.
        password_file: String = String::new(),
        /// The address that messages come from, which the mail server must let this server use.
        from_address: String = String::new(),
        /// Seconds until each of the mail server's answers.
        answer_seconds: u64 = 60,
        /// Tries of one message; then it is given up.
        tries_max: u64 = MailLimits::default().tries_max,
        /// Seconds before the second try; each further one waits twice as long.
        retry_seconds: i64 = MailLimits::default().retry_seconds,
        /// Seconds that no wait is longer than.
        retry_seconds_max: i64 = MailLimits::default().retry_seconds_max,
        /// Messages that one account sends in an hour; further ones wait.
        messages_per_hour_max: u64 = MailLimits::default().messages_per_hour_max,
        /// Seconds between two rounds through all spaces, for what an earlier run or another server left; 0: none.
        round_seconds: u64 = MailLimits::default().round_seconds,
    }
}

section! {
    /// `[links]`: files and folders for anybody who knows a public link.
    Links {
        /// Whether members may make public links; if not, those that there are do not work.
        is_offered: bool = LinkSettings::default().is_offered,
        /// Whether links may let people write.
        takes_uploads: bool = LinkSettings::default().takes_uploads,
        /// Whether clients suggest a password for each new link.
        suggests_password: bool = LinkSettings::default().suggests_password,
        /// Whether every link must have a password.
        demands_password: bool = LinkSettings::default().demands_password,
        /// Days after which a link ends, unless its maker says otherwise; 0: never.
        expiry_days: u32 = LinkSettings::default().expiry_days,
        /// Whether no link may last longer than that.
        demands_expiry: bool = LinkSettings::default().demands_expiry,
        /// Seconds for which a browser that was told the password does not ask again.
        ticket_seconds: i64 = LinkSettings::default().ticket_seconds,
        /// Members of a folder on one page.
        page_members_max: usize = LinkSettings::default().page_members_max,
        /// Bytes of a text that a page shows.
        shown_text_bytes_max: u64 = LinkSettings::default().shown_text_bytes_max,
        /// Bytes of a picture that a page shows as it is.
        shown_picture_bytes_max: u64 = LinkSettings::default().shown_picture_bytes_max,
        /// Files in one form.
        form_files_max: usize = LinkSettings::default().form_files_max,
    }
}

section! {
    /// `[maintenance]`: work in the background.
    Maintenance {
        /// Seconds after a change that its space is looked at for what has expired, and between two looks at one space; 0: no
        /// space is ever looked at.
        interval_seconds: u64 = 6 * 3600,
        /// Spaces that are looked at in a minute; more wait. A space in which nothing expires is not.
        spaces_per_minute: u32 = 60,
        /// Hours between two checks of the metadata of a space that is changed, or that has problems; 0: none is checked.
        check_hours: i64 = Limits::default().check_hours,
        /// Days in which all content of every space is read and compared with its digests; 0: none is.
        scrub_days: i64 = Limits::default().scrub_days,
        /// Bytes that are read for it in a second, in all spaces together; 0: as many as the store gives.
        scrub_bytes_per_second: u64 = Limits::default().scrub_bytes_per_second,
        /// Problems of one space that are kept to be shown.
        problems_max: usize = Limits::default().problems_max,
    }
}

section! {
    /// `[backup]`: how to reach s3:// places for backups.
    Backup {
        /// S3 endpoint; empty: that of the section storage, with its key.
        s3_endpoint: String = String::new(),
        /// Region.
        s3_region: String = "garage".to_owned(),
        /// Access key id.
        s3_access_key_id: String = String::new(),
        /// Secret access key.
        s3_secret_access_key: String = String::new(),
        /// File that holds s3_secret_access_key, for secrets kept apart; a name without a slash is a systemd credential.
        s3_secret_access_key_file: String = String::new(),
        /// Address buckets as ENDPOINT/BUCKET rather than BUCKET.ENDPOINT.
        s3_path_style: bool = true,
    }
}

section! {
    /// `[log]`: what is written to standard error.
    Log {
        /// `text` or `json`.
        format: String = "text".to_owned(),
        /// What is logged: `info`, `debug`, or by part as `info,nichoir_store=debug`.
        filter: String = "info".to_owned(),
    }
}

section! {
    /// Everything.
    Config {
        /// Where it listens and whom it believes.
        server: Server = Server::default(),
        /// Where metadata and blobs live.
        storage: Storage = Storage::default(),
        /// What one space, account, file or request may at most be.
        limits: Bounds = Bounds::default(),
        /// Passwords and guessing.
        auth: Auth = Auth::default(),
        /// Which clients are served beyond plain WebDAV.
        dialect: Dialect = Dialect::default(),
        /// What the Notes apps may at most have.
        notes: Notes = Notes::default(),
        /// The office server that documents are opened in.
        office: Office = Office::default(),
        /// What one calendar object or question may at most be.
        calendars: Calendars = Calendars::default(),
        /// What one card or question may at most be.
        address_books: AddressBooks = AddressBooks::default(),
        /// Small pictures of files.
        previews: Previews = Previews::default(),
        /// Requests that the server makes to addresses that its users name.
        outbound: Outbound = Outbound::default(),
        /// Telling registered clients of changes.
        push: Push = Push::default(),
        /// Sockets on which Nextcloud's clients are told that something changed.
        notify_push: NotifyPush = NotifyPush::default(),
        /// The mail server through which people outside of a space are invited.
        mail: Mail = Mail::default(),
        /// Public links.
        links: Links = Links::default(),
        /// Work in the background.
        maintenance: Maintenance = Maintenance::default(),
        /// How to reach places for backups.
        backup: Backup = Backup::default(),
        /// What is written to standard error.
        log: Log = Log::default(),
    }
}
