//! What a row is: a request, what it asks for, and what is answered.

use super::column::Who;
use super::verdict::{Asks, Way};

/// One request. `{word}`, `{id}` and so on stand for what there is, `{folder}` for where the column reaches it.
#[derive(Clone, Copy)]
pub(crate) struct Row {
    /// As the source names it; [`BY_PATH`]: the table that takes its path.
    pub(super) route: &'static str,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// One a line.
    pub(crate) headers: &'static str,
    pub(crate) body: &'static str,
    /// What it asks for.
    pub(super) asks: Asks,
    /// What is answered to whoever may.
    pub(super) status: u16,
    /// Columns that are answered something else than what follows from their standing, and why.
    pub(super) told: [(&'static [Who], u16, &'static str); 3],
    /// What the owner sees when it was done, and does not see when it was refused.
    pub(super) effect: Effect,
}

/// What a request leaves behind, as the owner sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Nothing that is looked for.
    None,
    /// This text in the file.
    Writes(&'static str),
    /// A member of this name in the folder.
    Makes(&'static str),
    /// No member of this name in the folder.
    Unmakes(&'static str),
    /// The listing of the first holds the second.
    Lists(&'static str, &'static str),
    /// The listing of the first does not hold the second.
    Unlists(&'static str, &'static str),
    /// The answer to a GET of the first holds the second.
    Shows(&'static str, &'static str),
}

/// A row whose route is found by its path.
pub(super) const BY_PATH: &str = "";

/// Nobody is told anything else.
const AS_THEY_STAND: (&[Who], u16, &str) = (&[], 0, "");

pub(crate) const fn row(route: &'static str, method: &'static str, path: &'static str, asks: Asks, status: u16) -> Row {
    Row { route, method, path, headers: "", body: "", asks, status, told: [AS_THEY_STAND; 3], effect: Effect::None }
}

/// A call of OCS: its path stands behind `/ocs/v2.php`.
pub(super) const fn ocs(method: &'static str, path: &'static str, asks: Asks, status: u16) -> Row {
    row(BY_PATH, method, path, asks, status).with("ocs-apirequest: true\naccept: application/json")
}

impl Row {
    pub(crate) const fn with(mut self, headers: &'static str) -> Row {
        self.headers = headers;
        self
    }

    /// A form to a call of OCS.
    pub(super) const fn with_form(mut self, body: &'static str) -> Row {
        self.headers =
            "ocs-apirequest: true\naccept: application/json\ncontent-type: application/x-www-form-urlencoded";
        self.body = body;
        self
    }

    pub(crate) const fn sending(mut self, body: &'static str) -> Row {
        self.body = body;
        self
    }

    pub(super) const fn told(mut self, who: &'static [Who], status: u16, why: &'static str) -> Row {
        let mut free = 0;
        while !self.told[free].0.is_empty() {
            free += 1;
        }
        self.told[free] = (who, status, why);
        self
    }

    pub(super) const fn effect(mut self, effect: Effect) -> Row {
        self.effect = effect;
        self
    }

    /// Whether it is a call of OCS.
    pub(crate) fn is_ocs(&self) -> bool {
        self.headers.contains("ocs-apirequest")
    }

    /// How its path says who asks.
    pub(super) fn way(&self) -> Way {
        match self.path {
            path if path.contains("{token}") => Way::Token,
            path if path.contains("{direct}") || path.contains("{wopi}") || path.contains("{page}") => Way::Address,
            path if path.contains("{folder}") || path.contains("{uploads}") => Way::Place,
            _ => Way::Account,
        }
    }

    /// Whether it only looks.
    pub(super) fn is_safe(&self) -> bool {
        ["GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"].contains(&self.method)
    }

    /// What is answered to this column in place of what follows from its standing.
    pub(super) fn said_to(&self, who: Who) -> Option<u16> {
        self.told.iter().find(|(columns, ..)| columns.contains(&who)).map(|(_, status, _)| *status)
    }
}
