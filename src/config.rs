//! The one configuration. Each key is written here, once: the file, the environment, the sample and the admin guide follow.
//!
//! Order: defaults, then the TOML file, then `NICHOIR_SECTION__KEY`, then flags. Unknown keys are errors.

mod read;
mod sample;
mod section;

use std::path::PathBuf;

use nichoir_auth::AuthLimits;
use nichoir_carddav::Limits as CardLimits;
use nichoir_dav::header::depth::Depth;
use nichoir_imip::{Limits as MailLimits, Security, SmtpConfig};
use nichoir_nextcloud::LinkSettings;
use nichoir_nextcloud::bulk::BulkLimits;
use nichoir_nextcloud::notes::NotesLimits;
use nichoir_nextcloud::office::{Office as OfficeServer, OfficeConfig};
use nichoir_nextcloud::search::SearchLimits;
use nichoir_outbound::Limits as OutboundLimits;
use nichoir_preview::{Kinds, Limits as PreviewLimits, Previews as Workshop, Tool, ToolLimits, WORK};
use nichoir_push::{Limits as PushLimits, SendLimits};
use nichoir_store::{BlobConfig, DatabaseConfig, Limits, S3Config, StoreConfig};

pub use sample::sample;
pub use section::*;

use crate::generated::Generator;
use crate::subscription::{FeedLimits, Subscriptions};

/// What is wrong with a configuration, in words for whoever wrote it.
pub type Wrong = String;

impl Config {
    /// What the store needs to know.
    pub fn store(&self) -> StoreConfig {
        let Storage { data_dir, postgres_url, .. } = &self.storage;
        let database = match postgres_url.is_empty() {
            true => DatabaseConfig::Sqlite { directory: data_dir.clone() },
            false => DatabaseConfig::Postgres {
                url: postgres_url.clone(),
                connections_max: self.storage.postgres_connections_max,
            },
        };
        let blobs = match self.storage.s3_endpoint.is_empty() {
            true => BlobConfig::Local { directory: data_dir.join("blobs") },
            false => BlobConfig::S3(S3Config {
                endpoint: self.storage.s3_endpoint.clone(),
                bucket: self.storage.s3_bucket.clone(),
                region: self.storage.s3_region.clone(),
                access_key_id: self.storage.s3_access_key_id.clone(),
                secret_access_key: self.storage.s3_secret_access_key.clone(),
                has_path_style: self.storage.s3_path_style,
            }),
        };
        let named = |text: &String| (!text.is_empty()).then(|| text.clone());
        StoreConfig {
            database,
            blobs,
            base_domain: named(&self.server.base_domain),
            default_space: named(&self.server.default_space),
            limits: self.store_limits(),
        }
    }

    /// How to reach a bucket with backups.
    ///
    /// # Errors
    /// When nothing says where S3 is.
    pub(crate) fn backup_s3(&self, bucket: &str) -> Result<S3Config, Wrong> {
        let (backup, storage) = (&self.backup, &self.storage);
        let bucket = bucket.to_owned();
        if !backup.s3_endpoint.is_empty() {
            return Ok(S3Config {
                endpoint: backup.s3_endpoint.clone(),
                bucket,
                region: backup.s3_region.clone(),
                access_key_id: backup.s3_access_key_id.clone(),
                secret_access_key: backup.s3_secret_access_key.clone(),
                has_path_style: backup.s3_path_style,
            });
        }
        match self.store().blobs {
            BlobConfig::S3(config) if !storage.s3_endpoint.is_empty() => Ok(S3Config { bucket, ..config }),
            _ => Err("set backup.s3_endpoint and its key to reach s3:// places".to_owned()),
        }
    }

    fn store_limits(&self) -> Limits {
        let (storage, limits) = (&self.storage, &self.limits);
        Limits {
            inline_bytes: storage.inline_bytes,
            part_bytes: storage.part_bytes.max(5 * 1024 * 1024),
            open_spaces_max: storage.open_spaces_max,
            idle_close_seconds: storage.idle_close_seconds,
            remembered_content_bytes: storage.remembered_content_bytes,
            page_rows: storage.page_rows,
            page_members: storage.page_members,
            page_member_bytes: storage.page_member_bytes,
            queued_changes_max: storage.queued_changes_max.max(1),
            group_changes_max: storage.group_changes_max.max(1),
            lock_timeout_seconds_max: limits.lock_timeout_seconds_max,
            locks_max: limits.locks_max,
            client_lock_seconds: limits.client_lock_seconds,
            dead_properties_max: limits.dead_properties_max,
            dead_property_bytes_max: limits.dead_property_bytes_max,
            upload_chunks_max: limits.upload_chunks_max,
            uploads_max: limits.uploads_max,
            links_max: limits.links_max,
            link_text_bytes_max: limits.link_text_bytes_max,
            upload_expiry_seconds: limits.upload_expiry_seconds,
            trash_days: limits.trash_days,
            departed_days: limits.departed_days,
            version_days: limits.version_days,
            versions_max: limits.versions_max,
            thins_versions: limits.thins_versions,
            change_log_days: limits.change_log_days,
            copy_nodes_max: limits.copy_nodes_max,
            groups_max: limits.groups_max,
            search_candidates_max: limits.search_candidates_max,
            searches_at_once_max: limits.searches_at_once_max,
            upload_parts_at_once_max: limits.upload_parts_at_once_max,
            space_turns: limits.space_turns,
            space_waiting_max: limits.space_waiting_max,
            tags_max: limits.tags_max,
            tags_of_node_max: limits.tags_of_node_max,
            has_view_without_download: limits.has_view_without_download,
            comments_of_node_max: limits.comments_of_node_max,
            mentions_of_comment_max: limits.mentions_of_comment_max,
            team_folders_max: limits.team_folders_max,
            shares_max: limits.shares_max,
            share_note_bytes_max: limits.share_note_bytes_max,
            devices_max: limits.devices_max,
            login_flows_max: limits.login_flows_max,
            activity_days: limits.activity_days,
            audit_days: limits.audit_days,
            audit_rows_max: limits.audit_rows_max.max(1),
            activities_max: limits.activities_max.max(1),
            activity_gather_seconds: limits.activity_gather_seconds,
            activity_burst_rows: limits.activity_burst_rows.max(1),
            notification_days: limits.notification_days,
            notifications_max: limits.notifications_max.max(1),
            collect_after_seconds: limits.collect_after_seconds,
            intent_expiry_seconds: limits.intent_expiry_seconds,
            upkeep_after_seconds: match i64::try_from(self.maintenance.interval_seconds) {
                Ok(0) | Err(_) => Limits::default().upkeep_after_seconds,
                Ok(seconds) => seconds,
            },
            check_hours: self.maintenance.check_hours,
            scrub_days: self.maintenance.scrub_days,
            scrub_bytes_per_second: self.maintenance.scrub_bytes_per_second,
            problems_max: self.maintenance.problems_max.max(1),
        }
    }

    /// How much one search may tell.
    pub fn search_limits(&self) -> SearchLimits {
        SearchLimits { search_results_max: self.limits.search_results_max }
    }

    /// What the DAV engine needs to know.
    pub fn dav_limits(&self) -> nichoir_dav::Limits {
        let limits = &self.limits;
        nichoir_dav::Limits {
            xml: nichoir_xml::Limits {
                request_xml_bytes: limits.request_xml_bytes,
                request_xml_depth: limits.request_xml_depth,
                request_xml_elements: limits.request_xml_elements,
                request_xml_attributes: limits.request_xml_attributes,
            },
            // RFC 4918 §9.1 against what Nextcloud's clients are used to.
            absent_depth: if self.dialect.nextcloud { Depth::One } else { Depth::Infinity },
            has_infinite_propfind: limits.has_infinite_propfind,
            ranges_max: limits.ranges_max,
            sync_results_max: limits.sync_results_max,
            ..nichoir_dav::Limits::default()
        }
    }

    /// What calendars need to know.
    pub fn calendar_limits(&self) -> nichoir_caldav::Limits {
        let calendars = &self.calendars;
        nichoir_caldav::Limits {
            object_bytes_max: calendars.object_bytes_max,
            content: nichoir_contentline::Limits {
                lines_max: calendars.lines_max,
                components_max: calendars.components_max,
                ..nichoir_contentline::Limits::default()
            },
            overrides_max: calendars.overrides_max,
            attendees_max: calendars.attendees_max,
            dates_max: calendars.dates_max,
            recurrence_steps_max: calendars.recurrence_steps_max,
            instances_max: calendars.instances_max,
            subday_window_seconds_max: calendars.subday_window_seconds_max,
            import_bytes_max: calendars.import_bytes_max,
            import_objects_max: calendars.import_objects_max,
            multiget_hrefs_max: calendars.multiget_hrefs_max,
            filter_conditions_max: calendars.filter_conditions_max,
            expand_seconds_max: calendars.expand_seconds_max,
            scheduling_recipients_max: calendars.scheduling_recipients_max,
            scheduling_retries_max: calendars.scheduling_retries_max,
            free_busy_recipients_max: calendars.free_busy_recipients_max,
            sends_mail: !self.mail.host.is_empty(),
            ..nichoir_caldav::Limits::default()
        }
    }

    /// What address books need to know.
    pub fn card_limits(&self) -> CardLimits {
        let AddressBooks {
            object_bytes_max,
            lines_max,
            import_bytes_max,
            import_objects_max,
            multiget_hrefs_max,
            filter_conditions_max,
            ..
        } = self.address_books;
        let content = nichoir_contentline::Limits { lines_max, ..nichoir_contentline::Limits::default() };
        CardLimits {
            object_bytes_max,
            content,
            import_bytes_max,
            import_objects_max,
            multiget_hrefs_max,
            filter_conditions_max,
        }
    }

    /// What fetches subscribed calendars.
    pub(crate) fn subscriptions(&self, outbound: &nichoir_outbound::Outbound) -> Subscriptions {
        let calendars = &self.calendars;
        Subscriptions {
            outbound: outbound.clone(),
            limits: FeedLimits {
                bytes_max: calendars.feed_bytes_max,
                redirects_max: calendars.feed_redirects_max,
                refresh_seconds_min: calendars.feed_refresh_seconds_min,
                refresh_seconds: calendars.feed_refresh_seconds,
                retry_seconds: calendars.feed_retry_seconds,
            },
            calendars: self.calendar_limits(),
            under_way: std::sync::Mutex::default(),
        }
    }

    /// The workshop of previews.
    pub(crate) fn previews(&self) -> Workshop {
        let previews = &self.previews;
        let directory = match previews.directory.is_empty() {
            true => self.storage.data_dir.join("previews"),
            false => previews.directory.clone().into(),
        };
        let limits = ToolLimits {
            tool_seconds: previews.tool_seconds,
            tool_memory_bytes_max: previews.tool_memory_bytes_max,
            tool_output_bytes_max: previews.tool_output_bytes_max,
        };
        let tool = |command: &String, make: fn(PathBuf, PathBuf, ToolLimits) -> Tool| {
            let at_work = directory.join(WORK);
            (!command.is_empty()).then(|| make(command.into(), at_work, limits.clone()))
        };
        let (pdf, video) = (tool(&previews.pdf_command, Tool::pdftoppm), tool(&previews.video_command, Tool::ffmpeg));
        let kinds = Kinds {
            is_offered: previews.is_offered,
            source_bytes_max: previews.source_bytes_max,
            tool_source_bytes_max: previews.tool_source_bytes_max,
            ..Kinds::default()
        };
        let limits = PreviewLimits {
            directory,
            cache_bytes_max: previews.cache_bytes_max,
            memory_bytes_max: previews.memory_bytes_max,
            parallel: previews.parallel,
            waiting_max: previews.waiting_max,
            side_pixels_max: previews.side_pixels_max.max(64),
            jpeg_quality: previews.jpeg_quality,
        };
        Workshop::new(limits, kinds, pdf, video)
    }

    /// What requests to other servers are bound by.
    pub fn outbound_limits(&self) -> OutboundLimits {
        let outbound = &self.outbound;
        OutboundLimits {
            connect_seconds: outbound.connect_seconds,
            answer_seconds: outbound.answer_seconds,
            allows_http: outbound.allows_http,
            allows_private_addresses: outbound.allows_private_addresses,
        }
    }

    /// What the collections that the server makes need to know.
    pub(crate) fn generator(&self) -> Generator {
        Generator {
            calendars: self.calendar_limits(),
            contacts: self.card_limits(),
            has_member_directory: self.address_books.has_member_directory,
            has_birthday_calendar: self.calendars.has_birthday_calendar,
        }
    }

    /// The mail server, if there is one.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn smtp(&self) -> Result<Option<SmtpConfig>, Wrong> {
        let mail = &self.mail;
        if mail.host.is_empty() {
            return Ok(None);
        }
        let security = Security::of_name(&mail.security)
            .ok_or_else(|| format!("mail.security: {:?} is none of starttls, tls, none", mail.security))?;
        Ok(Some(SmtpConfig {
            host: mail.host.clone(),
            port: mail.port,
            security,
            user: mail.user.clone(),
            password: mail.password.clone(),
            from_address: mail.from_address.clone(),
            answer_seconds: mail.answer_seconds,
        }))
    }

    /// How mail is sent.
    pub fn mail_limits(&self) -> MailLimits {
        let mail = &self.mail;
        MailLimits {
            tries_max: mail.tries_max,
            retry_seconds: mail.retry_seconds,
            retry_seconds_max: mail.retry_seconds_max,
            messages_per_hour_max: mail.messages_per_hour_max,
            round_seconds: mail.round_seconds,
        }
    }

    /// What push registrations are bound by.
    pub fn push_limits(&self) -> PushLimits {
        let Push { registrations_max, registration_seconds_max, resource_bytes_max, .. } = self.push;
        PushLimits { registrations_max, registration_seconds_max, resource_bytes_max }
    }

    /// How push messages are sent.
    pub fn push_send_limits(&self) -> SendLimits {
        let push = &self.push;
        SendLimits {
            gather_milliseconds: push.gather_milliseconds,
            parallel: push.parallel,
            waiting_max: push.waiting_max,
            tries_max: push.tries_max,
            retry_seconds: push.retry_seconds,
            retry_seconds_max: push.retry_seconds_max,
            ttl_seconds: push.ttl_seconds,
            contact: (!push.contact.is_empty()).then(|| push.contact.clone()),
        }
    }

    /// What sockets for clients are bound by; `None` where there are none.
    pub fn notify_limits(&self) -> Option<nichoir_notify::Limits> {
        let notify = &self.notify_push;
        (self.dialect.nextcloud && notify.is_offered).then_some(nichoir_notify::Limits {
            login_seconds: notify.login_seconds,
            ping_seconds: notify.ping_seconds,
            write_seconds: notify.write_seconds,
            sockets_max: notify.sockets_max,
            logging_in_max: notify.logging_in_max,
            sockets_per_space_max: notify.sockets_per_space_max,
            sockets_per_account_max: notify.sockets_per_account_max,
            message_bytes_max: notify.message_bytes_max,
            gather_milliseconds: notify.gather_milliseconds,
            jitter_milliseconds_max: notify.jitter_milliseconds_max,
            file_seconds_min: notify.file_seconds_min,
            file_seconds_max: notify.file_seconds_max,
            activity_seconds: notify.activity_seconds,
            notification_seconds: notify.notification_seconds,
            messages_per_second: notify.messages_per_second,
            file_ids_max: notify.file_ids_max,
            recheck_seconds: notify.recheck_seconds,
        })
    }

    /// What bulk upload needs to know; `None` where it is not served.
    pub fn bulk_limits(&self) -> Option<BulkLimits> {
        let Dialect { nextcloud, has_bulk_upload, bulk_files_max, bulk_header_bytes_max, .. } = self.dialect;
        (nextcloud && has_bulk_upload).then_some(BulkLimits { bulk_files_max, bulk_header_bytes_max })
    }

    /// What notes are bound by.
    pub fn notes_limits(&self) -> NotesLimits {
        let Notes { note_bytes_max, notes_max, attachment_bytes_max } = self.notes;
        NotesLimits { note_bytes_max, notes_max, attachment_bytes_max }
    }

    /// The office server, if there is one.
    ///
    /// # Errors
    /// What is wrong with the section.
    pub fn office(&self) -> Result<Option<OfficeServer>, Wrong> {
        let office = &self.office;
        if office.url.is_empty() {
            return Ok(None);
        }
        // The operator chose it: it may be on this machine or in its network, and speak plain http there.
        let limits = OutboundLimits { allows_http: true, allows_private_addresses: true, ..self.outbound_limits() };
        let outbound = nichoir_outbound::Outbound::new(limits);
        let url = outbound.parse_url(&office.url).map_err(|error| format!("office.url: {error}"))?;
        let address =
            |text: &String| text.parse().map_err(|_| format!("office.allowed_addresses: {text:?} is no address"));
        let config = OfficeConfig {
            url,
            product_name: office.product_name.clone(),
            allowed_addresses: office.allowed_addresses.iter().map(address).collect::<Result<_, _>>()?,
            verifies_proof: office.verifies_proof,
            token_seconds: office.token_seconds,
            page_seconds: office.page_seconds,
            discovery_seconds: office.discovery_seconds,
            discovery_bytes_max: office.discovery_bytes_max,
        };
        Ok(Some(OfficeServer::new(config, outbound)))
    }

    /// What public links need to know.
    pub fn link_settings(&self) -> LinkSettings {
        let links = &self.links;
        LinkSettings {
            is_offered: links.is_offered,
            takes_uploads: links.takes_uploads,
            suggests_password: links.suggests_password,
            demands_password: links.demands_password,
            expiry_days: links.expiry_days,
            demands_expiry: links.demands_expiry,
            ticket_seconds: links.ticket_seconds,
            page_members_max: links.page_members_max,
            shown_text_bytes_max: links.shown_text_bytes_max,
            shown_picture_bytes_max: links.shown_picture_bytes_max,
            form_files_max: links.form_files_max,
        }
    }

    /// What log-ins need to know.
    pub fn auth_limits(&self) -> AuthLimits {
        let auth = &self.auth;
        AuthLimits {
            argon2_memory_kib: auth.argon2_memory_kib,
            argon2_passes: auth.argon2_passes,
            argon2_parallel: auth.argon2_parallel,
            argon2_waiting_max: auth.argon2_waiting_max,
            remember_seconds: auth.remember_seconds,
            remembered_max: auth.remembered_max,
            throttle_window_seconds: auth.throttle_window_seconds,
            failures_per_login_and_address: auth.failures_per_login_and_address,
            failures_per_address: auth.failures_per_address,
            failures_per_login: auth.failures_per_login,
            password_chars_min: auth.password_chars_min,
            refuses_common_passwords: auth.refuses_common_passwords,
        }
    }
}

impl Server {
    /// The same for a process that may open so many files: connections, and the blobs that they read and write, leave enough for
    /// the files of spaces.
    pub(crate) fn within(&self, open_files_max: Option<usize>) -> Server {
        let files = open_files_max.unwrap_or(usize::MAX);
        let share = |wanted: usize, part: usize| wanted.min((files / part).max(1));
        Server {
            connections_max: share(self.connections_max, 4),
            space_connections_max: share(self.space_connections_max, 16),
            space_requests_max: share(self.space_requests_max, 16),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_files_are_few_connections_and_fewer_for_one_space() {
        let check = |files, expected| {
            let Server { connections_max, space_connections_max, space_requests_max, .. } =
                Server::default().within(files);
            assert_eq!((connections_max, space_connections_max, space_requests_max), expected, "{files:?}");
        };
        check(None, (4096, 1000, 1000));
        check(Some(500_000), (4096, 1000, 1000));
        check(Some(1024), (256, 64, 64));
        check(Some(256), (64, 16, 16));
        check(Some(1), (1, 1, 1));
    }
}
