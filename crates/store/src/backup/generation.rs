//! A generation: what one backup consists of, as a file of two lines: a JSON object, and the BLAKE3 of that line.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::BackupError;
use crate::ports::Timestamp;

/// The form that this release writes, and reads.
const FORMAT: u32 = 1;

/// One backup of a space, whole.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Generation {
    format: u32,
    /// Its name, which is when it was begun, in UTC: `20261130T230512Z`.
    pub name: String,
    /// The same in microseconds since 1970.
    pub(super) begun_us: i64,
    /// The release that wrote it.
    pub program: String,
    /// How many steps of the schema its rows are at.
    pub(super) schema: usize,
    /// What the catalogue knew of the space.
    pub(super) space: Catalogued,
    /// The rows of each table.
    pub rows: BTreeMap<String, u64>,
    /// Blobs that it reaches.
    pub blobs: u64,
    /// Their bytes.
    pub blob_bytes: u64,
    /// The BLAKE3 of blobs that were missing or damaged in the space when it was made.
    pub lacking: Vec<String>,
    /// Where the rows are, in order.
    pub(super) segments: Vec<Segment>,
}

/// What the catalogue of spaces knows of one, with its secret.
#[derive(Clone, Deserialize, Serialize)]
pub(super) struct Catalogued {
    pub(super) name: String,
    pub(super) uuid: String,
    pub(super) instance_id: String,
    /// In hexadecimal digits.
    pub(super) secret: String,
    pub(super) hosts: Vec<String>,
    pub(super) quota_bytes: u64,
    pub(super) max_accounts: u32,
    pub(super) title: String,
    pub(super) slogan: String,
    pub(super) colour: String,
    pub(super) logo: String,
}

/// Without the secret.
impl std::fmt::Debug for Catalogued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalogued").field("name", &self.name).field("uuid", &self.uuid).finish_non_exhaustive()
    }
}

/// A run of rows of one table.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Segment {
    pub(super) table: String,
    pub(super) rows: u64,
    pub(super) size_bytes: u64,
    /// In hexadecimal digits; also its name among the objects.
    pub(super) blake3: String,
}

impl Generation {
    pub(super) fn new(begun: Timestamp, space: Catalogued, segments: Vec<Segment>) -> Generation {
        let mut rows = BTreeMap::new();
        for segment in &segments {
            *rows.entry(segment.table.clone()).or_default() += segment.rows;
        }
        Generation {
            format: FORMAT,
            name: name_of(begun),
            begun_us: begun.0,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            schema: crate::migrations::SPACE.len(),
            space,
            rows,
            blobs: 0,
            blob_bytes: 0,
            lacking: Vec::new(),
            segments,
        }
    }

    /// The space that it is a backup of.
    pub fn space_name(&self) -> &str {
        &self.space.name
    }

    /// When it was begun.
    pub fn begun(&self) -> Timestamp {
        Timestamp(self.begun_us)
    }

    /// What its file says.
    pub(super) fn to_text(&self) -> Result<String, BackupError> {
        let line = serde_json::to_string(self).map_err(|error| BackupError::Refused(error.to_string()))?;
        let digest = blake3::hash(line.as_bytes()).to_hex();
        Ok(format!("{line}\n{digest}\n"))
    }

    /// Reads what a file says that calls itself `name`.
    pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Generation, BackupError> {
        let damaged = |why: &str| {
            BackupError::Damaged(format!(
                "the generation {name} {why}; restore another and remove this one, or fetch it from a copy"
            ))
        };
        let text = std::str::from_utf8(bytes).map_err(|_| damaged("is not text"))?;
        let (line, digest) = text.split_once('\n').ok_or_else(|| damaged("is cut off"))?;
        if digest.trim_end_matches('\n') != blake3::hash(line.as_bytes()).to_hex().as_str() {
            return Err(damaged("does not have the digest that stands below it"));
        }
        // Before anything else of it is believed to be as it is today.
        let known =
            serde_json::from_str::<Format>(line).map_err(|error| damaged(&format!("is unreadable: {error}")))?;
        if known.format != FORMAT {
            return Err(BackupError::Refused(format!(
                "the generation {name} has form {}, this release reads {FORMAT}: use the release that wrote it",
                known.format
            )));
        }
        let generation: Generation =
            serde_json::from_str(line).map_err(|error| damaged(&format!("is unreadable: {error}")))?;
        if generation.name != name {
            return Err(damaged(&format!("says that it is {}", generation.name)));
        }
        Ok(generation)
    }
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// `20261130T230512Z`.
pub(super) fn name_of(instant: Timestamp) -> String {
    let (days, second) = (instant.seconds().div_euclid(86_400), instant.seconds().rem_euclid(86_400));
    let (year, month, day) = date_of(days);
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The date that many days after 1970-01-01: eras of 400 years, years that begin in March.
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let (day, month) =
        (day_of_year - (153 * shifted + 2) / 5 + 1, if shifted < 10 { shifted + 3 } else { shifted - 9 });
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_named_by_when_they_were_begun() {
        let check = |seconds, name: &str| assert_eq!(name_of(Timestamp::from_seconds(seconds)), name);
        check(0, "19700101T000000Z");
        check(951_782_399, "20000228T235959Z");
        check(951_782_400, "20000229T000000Z");
        check(1_800_000_000, "20270115T080000Z");
        check(4_107_542_400, "21000301T000000Z");
    }
}
