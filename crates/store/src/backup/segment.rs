//! A segment: some rows of one table, as lines of JSON. The first line names the table and its columns; each further line is one
//! row, an array in that order: whole numbers, texts, null, and bytes as `{"base64": "…"}`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::sql::{Columns, Value};
use crate::tables::{Kind, Table};

/// The table of the blobs that a generation reaches: BLAKE3 and size.
pub(super) const BLOBS: &str = "blob";

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Head {
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

impl Head {
    pub(super) fn of(table: &Table) -> Head {
        Head {
            table: table.name.to_owned(),
            columns: table.columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    pub(super) fn of_blobs() -> Head {
        Head { table: BLOBS.to_owned(), columns: vec!["blake3".to_owned(), "size_bytes".to_owned()] }
    }

    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }
}

#[derive(Deserialize, Serialize)]
struct Encoded {
    base64: String,
}

/// A row as it stands in a database, as a line.
pub(super) fn line_of(table: &Table, row: &dyn Columns) -> Result<String, Error> {
    let values = values_of(table, row)?;
    let cells: Vec<serde_json::Value> = values.into_iter().map(cell_of).collect();
    Ok(serde_json::Value::Array(cells).to_string() + "\n")
}

/// The values of a row, beginning with `first` column of the statement.
pub(super) fn values_of(table: &Table, row: &dyn Columns) -> Result<Vec<Value>, Error> {
    let value = |(place, (_, kind)): (usize, &(&str, Kind))| {
        Ok(match kind {
            Kind::Int => row.maybe_int(place)?.map_or(Value::NoInt, Value::Int),
            Kind::Text => row.maybe_text(place)?.map_or(Value::NoText, Value::Text),
            Kind::Bytes => row.maybe_bytes(place)?.map_or(Value::NoBytes, Value::Bytes),
        })
    };
    table.columns.iter().enumerate().map(value).collect()
}

fn cell_of(value: Value) -> serde_json::Value {
    match value {
        Value::Int(value) => value.into(),
        Value::Text(value) => value.into(),
        Value::Bytes(value) => serde_json::json!({ "base64": BASE64.encode(value) }),
        Value::NoInt | Value::NoText | Value::NoBytes => serde_json::Value::Null,
    }
}

/// A line read back; `None` for what is no such line.
pub(super) fn read_line(line: &str) -> Option<Vec<Value>> {
    let cells: Vec<serde_json::Value> = serde_json::from_str(line).ok()?;
    cells.into_iter().map(value_of).collect()
}

fn value_of(cell: serde_json::Value) -> Option<Value> {
    Some(match cell {
        serde_json::Value::Null => Value::NoInt,
        serde_json::Value::Number(number) => Value::Int(number.as_i64()?),
        serde_json::Value::String(text) => Value::Text(text),
        cell @ serde_json::Value::Object(_) => {
            let encoded: Encoded = serde_json::from_value(cell).ok()?;
            Value::Bytes(BASE64.decode(encoded.base64).ok()?)
        }
        serde_json::Value::Bool(_) | serde_json::Value::Array(_) => return None,
    })
}

/// The blobs that a segment of [`BLOBS`] names.
pub(super) fn blobs_of(text: &str) -> Option<Vec<(blake3::Hash, u64)>> {
    let blob = |line: &str| match read_line(line)?.as_slice() {
        [Value::Text(digest), Value::Int(size)] => {
            Some((blake3::Hash::from_hex(digest).ok()?, u64::try_from(*size).ok()?))
        }
        _ => None,
    };
    text.lines().skip(1).map(blob).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_as_they_were() {
        let values = [
            Value::Int(i64::MIN),
            Value::Text("é\n\"\u{0}\u{2028}".to_owned()),
            Value::Bytes(vec![0, 255, 10]),
            Value::NoBytes,
        ];
        let line = serde_json::Value::Array(values.iter().cloned().map(cell_of).collect()).to_string();
        assert!(!line.contains('\n'), "{line}");
        let read = read_line(&line).unwrap();
        assert!(matches!(&read[..], [Value::Int(i64::MIN), Value::Text(text), Value::Bytes(bytes), Value::NoInt]
            if text == "é\n\"\u{0}\u{2028}" && *bytes == [0, 255, 10]));
    }

    #[test]
    fn what_is_no_row_is_told_from_one() {
        for line in ["", "{}", "[1.5]", "[true]", "[[]]", "[{\"base64\":\"*\"}]", "[1", "[{}]"] {
            assert!(read_line(line).is_none(), "{line}");
        }
    }
}
