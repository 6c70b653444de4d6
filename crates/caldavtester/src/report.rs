//! What a run found, test by test, and its form as JSON.

use serde_json::{Value, json};

/// What became of a test.
#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Passed,
    Ignored,
    Failed(Failure),
}

/// The request that failed, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Failure {
    /// Method and URI.
    pub(crate) request: String,
    /// The status of the answer; 0 if there was none.
    pub(crate) status: u16,
    pub(crate) reasons: Vec<String>,
    /// The beginning of the body.
    pub(crate) body: String,
}

/// A test and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct TestResult {
    pub(crate) suite: String,
    pub(crate) test: String,
    pub(crate) description: String,
    pub(crate) verdict: Verdict,
}

/// A script and what became of its tests.
#[derive(Clone, Debug)]
pub(crate) struct ScriptResult {
    /// As in `CalDAV/get.xml`.
    pub(crate) script: String,
    /// Why the set-up failed, if it did.
    pub(crate) set_up: Option<Failure>,
    pub(crate) tests: Vec<TestResult>,
}

impl ScriptResult {
    /// How many tests passed, failed, were ignored.
    pub(crate) fn counts(&self) -> (usize, usize, usize) {
        let count = |is_it: fn(&Verdict) -> bool| self.tests.iter().filter(|test| is_it(&test.verdict)).count();
        (
            count(|it| matches!(it, Verdict::Passed)),
            count(|it| matches!(it, Verdict::Failed(_))),
            count(|it| matches!(it, Verdict::Ignored)),
        )
    }

    /// One line: name and counts.
    pub(crate) fn summary(&self) -> String {
        let (passed, failed, ignored) = self.counts();
        let set_up = if self.set_up.is_some() { ", SET-UP FAILED" } else { "" };
        format!("{}: {passed} passed, {failed} failed, {ignored} ignored{set_up}", self.script)
    }

    /// The failures, a few lines each.
    pub(crate) fn details(&self) -> String {
        let mut out = String::new();
        if let Some(failure) = &self.set_up {
            out.push_str(&format!("  set-up: {}\n", failure.shown()));
        }
        for test in &self.tests {
            if let Verdict::Failed(failure) = &test.verdict {
                out.push_str(&format!(
                    "  {} | {} ({}): {}\n",
                    test.suite,
                    test.test,
                    test.description,
                    failure.shown()
                ));
            }
        }
        out
    }

    /// The whole as JSON.
    pub(crate) fn to_json(&self) -> Value {
        let test = |test: &TestResult| {
            let (verdict, failure) = match &test.verdict {
                Verdict::Passed => ("passed", Value::Null),
                Verdict::Ignored => ("ignored", Value::Null),
                Verdict::Failed(failure) => ("failed", failure.to_json()),
            };
            json!({
                "suite": test.suite, "test": test.test, "description": test.description,
                "verdict": verdict, "failure": failure,
            })
        };
        json!({
            "script": self.script,
            "set_up": self.set_up.as_ref().map(Failure::to_json),
            "tests": self.tests.iter().map(test).collect::<Vec<_>>(),
        })
    }
}

impl Failure {
    /// A failure that has no answer.
    pub(crate) fn without_answer(request: &str, reason: String) -> Failure {
        Failure { request: request.to_owned(), reasons: vec![reason], ..Failure::default() }
    }

    fn shown(&self) -> String {
        format!("{} → {}\n    {}", self.request, self.status, self.reasons.join("\n    "))
    }

    fn to_json(&self) -> Value {
        json!({ "request": self.request, "status": self.status, "reasons": self.reasons, "body": self.body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted_and_told() {
        let test =
            |verdict| TestResult { suite: "s".to_owned(), test: "1".to_owned(), description: "d".to_owned(), verdict };
        let failure = Failure::without_answer("GET /a", "statusCode: status none, expected 2xx".to_owned());
        let tests = vec![test(Verdict::Passed), test(Verdict::Failed(failure)), test(Verdict::Ignored)];
        let result = ScriptResult { script: "CalDAV/get.xml".to_owned(), set_up: None, tests };
        assert_eq!(result.summary(), "CalDAV/get.xml: 1 passed, 1 failed, 1 ignored");
        assert_eq!(result.details(), "  s | 1 (d): GET /a → 0\n    statusCode: status none, expected 2xx\n");
        assert_eq!(result.to_json()["tests"][1]["failure"]["request"], "GET /a");
        assert_eq!(result.to_json()["set_up"], Value::Null);
    }
}
