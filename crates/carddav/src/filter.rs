//! `CARDDAV:filter` (RFC 6352 §10.5) and whether a card matches it. Names compare whatever their case.
//!
//! What stands in a prop-filter is asked of one property at a time: `EMAIL` of type `work` that ends in `.org` is one
//! address, not two.

use std::borrow::Cow;

use nichoir_contentline::{Collation, Component, Line, NotUnderstood, TextMatch, texts};
use nichoir_dav::Error;
use nichoir_xml::{Element, Name, carddav};

use crate::object::Limits;
use crate::property_name::PropertyName;

/// A filter, understood.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    test: Test,
    props: Vec<PropFilter>,
}

/// How many of several conditions have to hold.
#[derive(Clone, Copy, Debug, Default)]
enum Test {
    #[default]
    AnyOf,
    AllOf,
}

#[derive(Clone, Debug)]
struct PropFilter {
    name: PropertyName,
    is_not_defined: bool,
    test: Test,
    texts: Vec<TextMatch>,
    params: Vec<ParamFilter>,
}

#[derive(Clone, Debug)]
struct ParamFilter {
    name: String,
    is_not_defined: bool,
    text: Option<TextMatch>,
}

impl Filter {
    /// Reads the filter element of an addressbook-query.
    ///
    /// # Errors
    /// 403 with `CARDDAV:supported-filter` or `supported-collation`; for a filter that contradicts its grammar with
    /// `valid-filter`, which is CalDAV's and which other servers use here too.
    pub fn of(element: &Element, limits: &Limits) -> Result<Filter, Error> {
        let mut budget = Budget(limits.filter_conditions_max);
        let mut filter = Filter { test: Test::of(element)?, props: Vec::new() };
        for child in element.elements() {
            if child.name != carddav::PROP_FILTER {
                return Err(unknown());
            }
            filter.props.push(PropFilter::of(child, &mut budget)?);
        }
        Ok(filter)
    }

    /// Whether it has no condition, and so lets everything through, as Nextcloud's web client wants it.
    pub fn is_empty(&self) -> bool {
        self.props.is_empty()
    }

    /// Whether the card matches.
    pub fn matches(&self, card: &Component<'_>) -> bool {
        self.is_empty() || self.test.holds(self.props.iter().map(|prop| prop.matches(card)))
    }
}

impl Test {
    fn of(element: &Element) -> Result<Test, Error> {
        match element.attribute(&Name::new("", "test")) {
            None | Some("anyof") => Ok(Test::AnyOf),
            Some("allof") => Ok(Test::AllOf),
            Some(_) => Err(invalid("A test is anyof or allof.")),
        }
    }

    fn holds(self, mut outcomes: impl Iterator<Item = bool>) -> bool {
        match self {
            Test::AnyOf => outcomes.any(|outcome| outcome),
            Test::AllOf => outcomes.all(|outcome| outcome),
        }
    }
}

impl PropFilter {
    fn of(element: &Element, budget: &mut Budget) -> Result<PropFilter, Error> {
        budget.take()?;
        let mut filter = PropFilter {
            name: PropertyName::of(&name_of(element)?),
            is_not_defined: false,
            test: Test::of(element)?,
            texts: Vec::new(),
            params: Vec::new(),
        };
        for child in element.elements() {
            if child.name == carddav::IS_NOT_DEFINED {
                filter.is_not_defined = true;
            } else if child.name == carddav::TEXT_MATCH {
                budget.take()?;
                filter.texts.push(text_match(child)?);
            } else if child.name == carddav::PARAM_FILTER {
                filter.params.push(ParamFilter::of(child, budget)?);
            } else {
                return Err(unknown());
            }
        }
        if filter.is_not_defined && !filter.is_bare() {
            return Err(invalid("is-not-defined stands alone."));
        }
        Ok(filter)
    }

    /// Whether it asks for nothing but the property's presence or absence.
    fn is_bare(&self) -> bool {
        self.texts.is_empty() && self.params.is_empty()
    }

    fn matches(&self, card: &Component<'_>) -> bool {
        let mut named = card.lines.iter().filter(|line| self.name.names(line)).peekable();
        if self.is_not_defined {
            return named.peek().is_none();
        }
        named.any(|line| {
            let texts = self.texts.iter().map(|text| text.holds(texts(line, &LISTS)));
            let params = self.params.iter().map(|param| param.matches(line));
            self.is_bare() || self.test.holds(texts.chain(params))
        })
    }
}

impl ParamFilter {
    fn of(element: &Element, budget: &mut Budget) -> Result<ParamFilter, Error> {
        budget.take()?;
        let mut filter = ParamFilter { name: name_of(element)?, is_not_defined: false, text: None };
        for child in element.elements() {
            if child.name == carddav::IS_NOT_DEFINED {
                filter.is_not_defined = true;
            } else if child.name == carddav::TEXT_MATCH && filter.text.is_none() {
                filter.text = Some(text_match(child)?);
            } else {
                return Err(unknown());
            }
        }
        if filter.is_not_defined && filter.text.is_some() {
            return Err(invalid("is-not-defined stands alone."));
        }
        Ok(filter)
    }

    fn matches(&self, line: &Line<'_>) -> bool {
        let parameters = line.parameters();
        let mut named = parameters.into_iter().filter(|it| it.name.eq_ignore_ascii_case(&self.name)).peekable();
        if self.is_not_defined || named.peek().is_none() {
            return self.is_not_defined && named.peek().is_none();
        }
        // `TYPE=home,pref`, `TYPE="home,pref"` and `TYPE=home;TYPE=pref` are the same thing (RFC 6350 §5.6).
        let is_list = self.name.eq_ignore_ascii_case("TYPE");
        let values = named.flat_map(|parameter| parameter.values).flat_map(|value| match is_list {
            true => value.split(',').map(|one| Cow::Owned(one.to_owned())).collect(),
            false => vec![value],
        });
        self.text.as_ref().is_none_or(|text| text.holds(values))
    }
}

/// The properties whose value is a list of texts.
const LISTS: [&str; 2] = ["CATEGORIES", "NICKNAME"];

/// `CARDDAV:text-match` (RFC 6352 §10.5.4); the collation is `i;unicode-casemap` unless said otherwise (§8.3).
fn text_match(element: &Element) -> Result<TextMatch, Error> {
    let attribute = |name: &'static str| element.attribute(&Name::new("", name));
    let is_negated = match attribute("negate-condition") {
        None | Some("no") => false,
        Some("yes") => true,
        Some(_) => return Err(invalid("negate-condition is yes or no.")),
    };
    let (collation, match_type) = (attribute("collation"), attribute("match-type"));
    let absent = Collation::UnicodeCasemap;
    TextMatch::of_attributes(&element.text(), collation, absent, match_type, is_negated).map_err(|what| match what {
        NotUnderstood::Collation => {
            Error::forbidden("This collation is not known here.").with_condition(carddav::SUPPORTED_COLLATION)
        }
        NotUnderstood::MatchType => invalid("This match-type is not known here."),
    })
}

fn name_of(element: &Element) -> Result<String, Error> {
    let name = element.attribute(&Name::new("", "name")).map(str::trim).filter(|name| !name.is_empty());
    name.map(str::to_owned).ok_or_else(|| invalid("A condition has no name."))
}

fn invalid(message: &'static str) -> Error {
    Error::forbidden(message).with_condition(carddav::VALID_FILTER)
}

fn unknown() -> Error {
    Error::forbidden("The filter holds something that is not known here.").with_condition(carddav::SUPPORTED_FILTER)
}

/// How many conditions are still to be read.
struct Budget(usize);

impl Budget {
    fn take(&mut self) -> Result<(), Error> {
        let rest = self.0.checked_sub(1);
        self.0 = rest.ok_or_else(|| {
            Error::forbidden("The filter has too many conditions.").with_condition(carddav::SUPPORTED_FILTER)
        })?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Anna M\u{fc}ller\r\nN:M\u{fc}ller;Anna;;;\r\n\
        EMAIL;TYPE=work;TYPE=pref:anna@work.example\r\nEMAIL;TYPE=home:anna@home.example\r\n\
        item1.TEL;TYPE=\"cell,voice\":+33 1\r\nTEL:+33 2\r\nNOTE:one\\, two\\nthree\r\n\
        CATEGORIES:Choir,Bees\\, honey\r\nEND:VCARD\r\n";

    fn filter_of(inside: &str) -> Result<Filter, Error> {
        let text = format!("<c:filter xmlns:c='urn:ietf:params:xml:ns:carddav' {inside}</c:filter>");
        let root = nichoir_xml::read(text.as_bytes(), &nichoir_xml::Limits::default()).expect("well-formed");
        Filter::of(&root, &Limits { filter_conditions_max: 4, ..Limits::default() })
    }

    #[track_caller]
    fn check(inside: &str, expected: &str) {
        let mut cards = nichoir_contentline::parse(CARD.as_bytes(), &Limits::default().content).expect("a card");
        let card = cards.pop().expect("a card");
        let found = match filter_of(inside) {
            Ok(filter) => filter.matches(&card).to_string(),
            Err(error) => error.condition().expect("a condition").name.local.to_string(),
        };
        assert_eq!(found, expected, "{inside}");
    }

    fn prop(name: &str, inside: &str) -> String {
        format!("><c:prop-filter name='{name}'>{inside}</c:prop-filter>")
    }

    fn text(attributes: &str, wanted: &str) -> String {
        format!("<c:text-match {attributes}>{wanted}</c:text-match>")
    }

    #[test]
    fn properties_are_there_or_not() {
        check(">", "true");
        check(&prop("email", ""), "true");
        check(&prop("PHOTO", ""), "false");
        check(&prop("PHOTO", "<c:is-not-defined/>"), "true");
        check(&prop("EMAIL", "<c:is-not-defined/>"), "false");
    }

    #[test]
    fn a_group_in_the_name_is_meant() {
        check(&prop("TEL", &text("", "+33 1")), "true");
        check(&prop("item1.TEL", &text("", "+33 1")), "true");
        check(&prop("ITEM1.tel", &text("", "+33 2")), "false");
        check(&prop("item2.TEL", ""), "false");
        check(&prop("item2.TEL", "<c:is-not-defined/>"), "true");
    }

    #[test]
    fn texts_match_as_their_attributes_say() {
        check(&prop("FN", &text("", "m\u{dc}LLER")), "true");
        check(&prop("FN", &text("collation='i;ascii-casemap'", "m\u{dc}LLER")), "false");
        check(&prop("FN", &text("collation='i;octet'", "anna")), "false");
        check(&prop("FN", &text("match-type='equals'", "anna")), "false");
        check(&prop("FN", &text("match-type='equals'", "anna m\u{fc}ller")), "true");
        check(&prop("FN", &text("match-type='starts-with'", "anna")), "true");
        check(&prop("FN", &text("match-type='ends-with'", "anna")), "false");
        check(&prop("N", &text("match-type='starts-with'", "M\u{fc}ller;Anna")), "true");
        check(&prop("NOTE", &text("match-type='equals'", "one, two\nthree")), "true");
        check(&prop("CATEGORIES", &text("match-type='equals'", "bees, honey")), "true");
        check(&prop("CATEGORIES", &text("", "choir,bees")), "false");
    }

    #[test]
    fn a_negated_text_is_asked_of_a_property_that_is_there() {
        check(&prop("FN", &text("negate-condition='yes'", "anna")), "false");
        check(&prop("FN", &text("negate-condition='yes'", "berta")), "true");
        check(&prop("FN", &text("negate-condition='no'", "anna")), "true");
        check(&prop("PHOTO", &text("negate-condition='yes'", "x")), "false");
        check(&prop("EMAIL", &text("negate-condition='yes'", "work")), "true");
    }

    #[test]
    fn tests_join_conditions_on_one_property() {
        let both = format!("{}{}", text("", "work"), text("", "home"));
        check(&prop("EMAIL", &both), "true");
        check(&format!("><c:prop-filter name='EMAIL' test='allof'>{both}</c:prop-filter>"), "false");
        let typed = |kind: &str| {
            let param = format!("<c:param-filter name='type'>{}</c:param-filter>", text("", kind));
            format!("><c:prop-filter name='EMAIL' test='allof'>{}{param}</c:prop-filter>", text("", "work.example"))
        };
        check(&typed("PREF"), "true");
        check(&typed("home"), "false");
    }

    #[test]
    fn tests_join_properties() {
        let pair = |test: &str| {
            format!("{test}><c:prop-filter name='PHOTO'/><c:prop-filter name='FN'>{}</c:prop-filter>", text("", "anna"))
        };
        check(&pair(""), "true");
        check(&pair("test='anyof'"), "true");
        check(&pair("test='allof'"), "false");
        check("test='allof'>", "true");
    }

    #[test]
    fn parameters_are_there_or_not_and_their_values_are_one_list() {
        let param = |inside: &str| format!("<c:param-filter name='TYPE'>{inside}</c:param-filter>");
        check(&prop("EMAIL", &param("")), "true");
        check(&prop("EMAIL", &param("<c:is-not-defined/>")), "false");
        check(&prop("TEL", &param("<c:is-not-defined/>")), "true");
        check(&prop("NOTE", &param("")), "false");
        check(&prop("NOTE", &param(&text("negate-condition='yes'", "x"))), "false");
        check(&prop("TEL", &param(&text("match-type='equals'", "voice"))), "true");
        check(&prop("EMAIL", &param(&text("match-type='equals'", "pref"))), "true");
        let no_work_at_home = format!("{}{}", param(&text("negate-condition='yes'", "work")), text("", "@work"));
        check(&format!("><c:prop-filter name='EMAIL' test='allof'>{no_work_at_home}</c:prop-filter>"), "false");
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        check("test='some'>", "valid-filter");
        check("><c:prop-filter/>", "valid-filter");
        check(&prop("FN", &format!("<c:is-not-defined/>{}", text("", "x"))), "valid-filter");
        check(&prop("FN", &text("match-type='like'", "x")), "valid-filter");
        check(&prop("FN", &text("negate-condition='perhaps'", "x")), "valid-filter");
        check(&prop("FN", &text("collation='i;basic'", "x")), "supported-collation");
        check(&prop("FN", "<c:param-filter/>"), "valid-filter");
        check(
            &prop("FN", "<c:param-filter name='X'><c:is-not-defined/><c:text-match/></c:param-filter>"),
            "valid-filter",
        );
        check(&prop("FN", "<c:param-filter name='X'><c:other/></c:param-filter>"), "supported-filter");
        check(&prop("FN", "<c:time-range/>"), "supported-filter");
        check("><c:param-filter name='VFN'/>", "supported-filter");
    }

    #[test]
    fn a_filter_has_as_many_conditions_as_the_limit() {
        let many = |count: usize| format!(">{}", "<c:prop-filter name='FN'/>".repeat(count));
        check(&many(4), "true");
        check(&many(5), "supported-filter");
        check(&prop("FN", &text("", "anna").repeat(3)), "true");
        check(&prop("FN", &text("", "anna").repeat(4)), "supported-filter");
    }
}
