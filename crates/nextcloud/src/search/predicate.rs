//! What a `DAV:where` says of a file or folder (RFC 5323 §5.5 to §5.16): three-valued, because not every property is there.

use std::cmp::Ordering;

use nichoir_dav::{Error, media_type_of};
use nichoir_store::{Candidate, FileId, Kind, Search, Timestamp};
use nichoir_xml::{Element, Name, dav, nc, oc};
use unicode_normalization::UnicodeNormalization as _;

use super::literal;
use super::pattern::Pattern;

/// Comparisons in one search.
pub(super) const COMPARISONS_MAX: usize = 100;
/// Characters of all its literals: what one look at a file can cost.
const LITERAL_CHARS_MAX: usize = 4_000;

/// A property that can be searched by and ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    MediaType,
    Modified,
    Created,
    Uploaded,
    Size,
    Favourite,
    FileId,
    Owner,
}

impl Field {
    pub(super) fn of(name: &Name) -> Option<Field> {
        let known = [
            (dav::DISPLAYNAME, Field::Name),
            (dav::GETCONTENTTYPE, Field::MediaType),
            (dav::GETLASTMODIFIED, Field::Modified),
            (dav::CREATIONDATE, Field::Created),
            (nc::CREATION_TIME, Field::Created),
            (nc::UPLOAD_TIME, Field::Uploaded),
            (oc::SIZE, Field::Size),
            (dav::GETCONTENTLENGTH, Field::Size),
            (oc::FAVORITE, Field::Favourite),
            (oc::FILEID, Field::FileId),
            (oc::OWNER_ID, Field::Owner),
        ];
        known.into_iter().find(|(known, _)| known == name).map(|(_, field)| field)
    }

    /// Its value as a number, for those that have one.
    fn number(self, of: &Candidate) -> Option<i64> {
        match self {
            Field::Modified => Some(of.modified.seconds()),
            Field::Created => Some(of.created.seconds()),
            Field::Uploaded => (of.kind == Kind::File).then(|| of.uploaded.seconds()),
            Field::Size => i64::try_from(of.size_bytes).ok(),
            Field::Favourite => Some(i64::from(of.is_favourite)),
            Field::FileId => Some(of.id.0),
            Field::Name | Field::MediaType | Field::Owner => None,
        }
    }

    /// Its value as text, for the others.
    fn text(self, of: &Candidate) -> &str {
        match self {
            Field::MediaType => media_type(of),
            _ => &of.name,
        }
    }

    /// How two compare by it: text without regard to case first.
    pub(super) fn compare(self, one: &Candidate, other: &Candidate) -> Ordering {
        match self {
            Field::Name | Field::MediaType => {
                let (one, other) = (self.text(one), self.text(other));
                let folded = |text: &str| text.chars().flat_map(char::to_lowercase).collect::<String>();
                folded(one).cmp(&folded(other)).then_with(|| one.cmp(other))
            }
            // To the microsecond, where the second is all that clients see.
            Field::Modified => one.modified.cmp(&other.modified),
            Field::Created => one.created.cmp(&other.created),
            Field::Uploaded => one.uploaded.cmp(&other.uploaded),
            _ => self.number(one).cmp(&self.number(other)),
        }
    }
}

/// As `DAV:getcontenttype` tells it; Nextcloud has one for folders too.
fn media_type(of: &Candidate) -> &str {
    match (&of.media_type, of.kind) {
        (_, Kind::Folder) => "httpd/unix-directory",
        (Some(told), Kind::File) => told,
        (None, Kind::File) => media_type_of(&of.name),
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
    IsCollection,
    /// Whether the property is there.
    IsDefined(Field),
    /// The number that the property is compared with, and which outcomes are right.
    Number(Field, Comparison, i64),
    /// The same for text.
    Text(Field, Comparison, String),
    Like(Field, Pattern),
    /// Only what is the caller's own.
    IsOwn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Eq,
    Lt,
    Lte,
    Gt,
    Gte,
}

impl Comparison {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Comparison::Eq => ordering.is_eq(),
            Comparison::Lt => ordering.is_lt(),
            Comparison::Lte => ordering.is_le(),
            Comparison::Gt => ordering.is_gt(),
            Comparison::Gte => ordering.is_ge(),
        }
    }
}

/// What is still allowed while a condition is read.
struct Budget {
    comparisons: usize,
    chars: usize,
}

impl Predicate {
    /// Reads the children of `DAV:where`, which must all hold; `login` is the caller's.
    pub(super) fn of(condition: &Element, login: &str) -> Result<Predicate, Error> {
        let mut budget = Budget { comparisons: COMPARISONS_MAX, chars: LITERAL_CHARS_MAX };
        Ok(Predicate::All(all_of(condition, login, &mut budget)?))
    }

    /// Whether it holds; `None` where a property that it asks for is not there.
    pub(super) fn holds(&self, of: &Candidate) -> Option<bool> {
        match self {
            Predicate::All(parts) => strongest(parts.iter().map(|part| part.holds(of)), false),
            Predicate::Any(parts) => strongest(parts.iter().map(|part| part.holds(of)), true),
            Predicate::Not(part) => part.holds(of).map(|holds| !holds),
            Predicate::IsCollection => Some(of.kind == Kind::Folder),
            Predicate::IsDefined(Field::Uploaded) => Some(of.kind == Kind::File),
            Predicate::IsDefined(_) | Predicate::IsOwn => Some(true),
            Predicate::Number(field, comparison, wanted) => {
                field.number(of).map(|found| comparison.holds(found.cmp(wanted)))
            }
            Predicate::Text(field, comparison, wanted) => Some(comparison.holds(field.text(of).cmp(wanted.as_str()))),
            Predicate::Like(field, pattern) => Some(pattern.matches(field.text(of))),
        }
    }

    /// Has the store leave out what cannot be meant.
    pub(super) fn narrow(&self, search: &mut Search) {
        match self {
            Predicate::All(parts) => parts.iter().for_each(|part| part.narrow(search)),
            Predicate::IsOwn => search.is_of_own = true,
            Predicate::Number(Field::Favourite, Comparison::Eq, 1) => search.is_of_favourites = true,
            Predicate::Number(Field::FileId, Comparison::Eq, id) => search.ids = Some(vec![FileId(*id)]),
            Predicate::Number(Field::Modified, comparison, seconds) => {
                let begins = Timestamp::from_seconds(*seconds);
                let ends = Timestamp(Timestamp::from_seconds(seconds.saturating_add(1)).0.saturating_sub(1));
                match comparison {
                    Comparison::Gt | Comparison::Gte => search.modified_from = search.modified_from.max(begins),
                    Comparison::Lt | Comparison::Lte => search.modified_to = search.modified_to.min(ends),
                    Comparison::Eq => {
                        search.modified_from = search.modified_from.max(begins);
                        search.modified_to = search.modified_to.min(ends);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether it asks for what the caller marked.
    pub(super) fn knows_favourites(&self) -> bool {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(Predicate::knows_favourites),
            Predicate::Not(part) => part.knows_favourites(),
            Predicate::Number(field, ..) => *field == Field::Favourite,
            _ => false,
        }
    }

    /// Whether [`Predicate::IsOwn`] stands anywhere in it.
    fn speaks_of_own(&self) -> bool {
        match self {
            Predicate::All(parts) | Predicate::Any(parts) => parts.iter().any(Predicate::speaks_of_own),
            Predicate::Not(part) => part.speaks_of_own(),
            _ => *self == Predicate::IsOwn,
        }
    }
}

/// `end` if any part is that, its contrary if all are, and unknown else: Kleene's logic.
fn strongest(parts: impl Iterator<Item = Option<bool>>, end: bool) -> Option<bool> {
    let mut is_known = true;
    for part in parts {
        match part {
            Some(found) if found == end => return Some(end),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(!end)
}

fn all_of(above: &Element, login: &str, budget: &mut Budget) -> Result<Vec<Predicate>, Error> {
    above.elements().map(|element| read(element, login, budget)).collect()
}

fn read(element: &Element, login: &str, budget: &mut Budget) -> Result<Predicate, Error> {
    let name = &element.name;
    let read = if *name == dav::AND {
        Predicate::All(all_of(element, login, budget)?)
    } else if *name == dav::OR {
        Predicate::Any(all_of(element, login, budget)?)
    } else if *name == dav::NOT {
        match <[Predicate; 1]>::try_from(all_of(element, login, budget)?) {
            Ok([part]) => Predicate::Not(Box::new(part)),
            Err(_) => return Err(Error::bad_request("DAV:not holds one condition.")),
        }
    } else {
        budget.comparisons = budget
            .comparisons
            .checked_sub(1)
            .ok_or_else(|| Error::bad_request(format!("A search has at most {COMPARISONS_MAX} comparisons.")))?;
        read_comparison(element, login, budget)?
    };
    // As part of "or" and "not" it would not narrow the search, and that is all it can do.
    match &read {
        Predicate::Any(_) | Predicate::Not(_) if read.speaks_of_own() => Err(not_searchable()),
        _ => Ok(read),
    }
}

fn read_comparison(element: &Element, login: &str, budget: &mut Budget) -> Result<Predicate, Error> {
    let name = &element.name;
    if *name == dav::IS_COLLECTION {
        return Ok(Predicate::IsCollection);
    }
    let property = element.child(&dav::PROP).and_then(|prop| prop.elements().next());
    let property = property.ok_or_else(|| Error::bad_request("A comparison of the search names no property."))?;
    let field = Field::of(&property.name).ok_or_else(not_searchable)?;
    if *name == dav::IS_DEFINED {
        return Ok(Predicate::IsDefined(field));
    }
    let literal = element.child(&dav::LITERAL).map(Element::text);
    let literal = literal.ok_or_else(|| Error::bad_request("A comparison of the search has no literal."))?;
    // As names are stored.
    let literal: String = literal.nfc().collect();
    budget.chars = budget
        .chars
        .checked_sub(literal.chars().count())
        .ok_or_else(|| Error::bad_request("The literals of the search are too long."))?;
    if *name == dav::LIKE {
        return match field {
            Field::Name | Field::MediaType => Ok(Predicate::Like(field, Pattern::of(&literal))),
            _ => Err(not_searchable()),
        };
    }
    let comparisons = [
        (dav::EQ, Comparison::Eq),
        (dav::LT, Comparison::Lt),
        (dav::LTE, Comparison::Lte),
        (dav::GT, Comparison::Gt),
        (dav::GTE, Comparison::Gte),
    ];
    let found = comparisons.into_iter().find(|(known, _)| known == name);
    let (_, comparison) =
        found.ok_or_else(|| Error::bad_request(format!("The search knows no operator \"{}\".", name.local)))?;
    Ok(match field {
        Field::Name | Field::MediaType => Predicate::Text(field, comparison, literal),
        Field::Modified | Field::Created | Field::Uploaded => {
            Predicate::Number(field, comparison, literal::seconds(&literal)?)
        }
        Field::Size => Predicate::Number(field, comparison, literal::number(&literal)?),
        Field::FileId => Predicate::Number(field, comparison, literal::file_id(&literal)?),
        Field::Favourite => Predicate::Number(field, comparison, i64::from(literal::truth(&literal))),
        Field::Owner if comparison == Comparison::Eq && literal.eq_ignore_ascii_case(login) => Predicate::IsOwn,
        Field::Owner => return Err(not_searchable()),
    })
}

fn not_searchable() -> Error {
    Error::bad_request("requested search property is not searchable")
}
