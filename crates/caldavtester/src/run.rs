//! The life of a script: set-up, suites, deletions, clean-up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::grab::Grabbed;
use crate::http::{Answer, Server};
use crate::listing::Asker;
use crate::message::{body, message, uri};
use crate::owner::Owners;
use crate::report::{Failure, ScriptResult, TestResult, Verdict};
use crate::script::{Data, Request, Script, Suite, Test};
use crate::serverinfo::ServerInfo;
use crate::substitution::Tables;
use crate::verify::{Judged, verify};

/// Characters of a body that a failure tells.
const BODY_CHARACTERS_MAX: usize = 2_000;

/// What a run is done with.
pub(crate) struct Bench {
    pub(crate) info: ServerInfo,
    pub(crate) server: Server,
    /// Who sends what the administrator would.
    pub(crate) owners: Owners,
    pub(crate) data: PathBuf,
    /// Whether the tests run also after a set-up that failed.
    pub(crate) goes_on: bool,
}

/// A script on its way.
struct Run<'b> {
    bench: &'b Bench,
    tables: Tables,
    /// What the last search found.
    found: String,
    /// What all searches found.
    seen: BTreeSet<String>,
    /// Resources to delete at the end, with whose credentials.
    deletions: Vec<Request>,
    /// ETags of the last GETs, by URI.
    etags: BTreeMap<String, String>,
}

/// How an answer is judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Judging {
    ByVerifiers,
    ByStatus,
}

/// Runs a script.
pub(crate) fn run(bench: &Bench, name: &str, mut script: Script, tables: Tables) -> ScriptResult {
    let mut run = Run {
        bench,
        tables,
        found: String::new(),
        seen: BTreeSet::new(),
        deletions: Vec::new(),
        etags: BTreeMap::new(),
    };
    let mut result = ScriptResult { script: name.to_owned(), set_up: None, tests: Vec::new() };
    if !script.needs.are_met_by(&bench.info.features) {
        result.tests.push(ignored("*", "*", "the script's features"));
        return result;
    }
    run.tables.renew_uids();
    for request in &mut script.start {
        if let Verdict::Failed(failure) = run.perform(request, 1, &format!("{name} | start"), Judging::ByStatus) {
            match &mut result.set_up {
                Some(first) => first.reasons.push(format!("{} → {}", failure.request, failure.status)),
                None => result.set_up = Some(failure),
            }
            if !bench.goes_on {
                break;
            }
        }
    }
    if result.set_up.is_none() || bench.goes_on {
        for suite in &mut script.suites {
            result.tests.extend(run.suite(suite, name));
        }
    }
    for mut request in std::mem::take(&mut run.deletions) {
        run.perform(&mut request, 1, &format!("{name} | end-delete"), Judging::ByStatus);
    }
    for request in &mut script.end {
        run.perform(request, 1, &format!("{name} | end"), Judging::ByStatus);
    }
    result
}

fn ignored(suite: &str, test: &str, description: &str) -> TestResult {
    let (suite, test, description) = (suite.to_owned(), test.to_owned(), description.to_owned());
    TestResult { suite, test, description, verdict: Verdict::Ignored }
}

impl Run<'_> {
    fn suite(&mut self, suite: &mut Suite, script: &str) -> Vec<TestResult> {
        if suite.is_ignored || !suite.needs.are_met_by(&self.bench.info.features) {
            return vec![ignored(&suite.name, "*", "the suite's features")];
        }
        self.etags.clear();
        if suite.renews_uids {
            self.tables.renew_uids();
        }
        let mut results = Vec::new();
        for test in &mut suite.tests {
            let label = format!("{script} | {} | {}", suite.name, test.name);
            let verdict = self.test(test, &label);
            let (suite, name, description) = (suite.name.clone(), test.name.clone(), test.description.clone());
            results.push(TestResult { suite, test: name, description, verdict });
        }
        results
    }

    fn test(&mut self, test: &mut Test, label: &str) -> Verdict {
        if test.is_ignored || !test.needs.are_met_by(&self.bench.info.features) {
            return Verdict::Ignored;
        }
        let mut verdict = Verdict::Passed;
        for repetition in 1..=test.count {
            verdict = Verdict::Passed;
            for (number, request) in test.requests.iter_mut().enumerate() {
                let label = format!("{label} | #{}", number + 1);
                verdict = self.perform_until_success(request, repetition, &label);
                if !matches!(verdict, Verdict::Passed) {
                    break;
                }
            }
        }
        verdict
    }

    fn perform_until_success(&mut self, request: &mut Request, repetition: usize, label: &str) -> Verdict {
        let wait = if request.waits_for_success { self.bench.info.wait_success } else { Duration::ZERO };
        let until = Asker::end_of(wait);
        loop {
            let verdict = self.perform(request, repetition, label, Judging::ByVerifiers);
            if !matches!(verdict, Verdict::Failed(_)) || Instant::now() >= until {
                return verdict;
            }
            std::thread::sleep(self.bench.info.wait_delay);
        }
    }

    fn perform(&mut self, request: &mut Request, repetition: usize, label: &str, judging: Judging) -> Verdict {
        if !request.needs.are_met_by(&self.bench.info.features) {
            return Verdict::Passed;
        }
        let shown = format!("{} {}", request.method, request.uris.first().map_or("", String::as_str));
        let shown = self.tables.run_pass(&shown);
        let failed = |reason| Verdict::Failed(Failure::without_answer(&shown, reason));
        if request.uses_second_server {
            return failed("there is no second server".to_owned());
        }
        match self.pseudo_method(request, repetition, label) {
            Ok(true) => return Verdict::Passed,
            Ok(false) => {}
            Err(reason) => return failed(reason),
        }
        if request.is_deleted_at_end {
            self.remember_deletion(request, repetition);
        }
        let files = match self.files(request) {
            Ok(files) => files,
            Err(reason) => return failed(reason),
        };
        if request.iterates_data && files.is_empty() {
            return Verdict::Ignored;
        }
        for file in files {
            let verdict = self.send(request, file, repetition, label, judging);
            if !matches!(verdict, Verdict::Passed) {
                return verdict;
            }
        }
        Verdict::Passed
    }

    fn remember_deletion(&mut self, request: &Request, repetition: usize) {
        let Some(first) = request.uris.first() else { return };
        self.deletions.push(Request {
            authenticates: true,
            account: request.account.clone(),
            method: "DELETE".to_owned(),
            uris: vec![uri(first, repetition, &self.found, &self.tables)],
            quotes_uri: request.quotes_uri,
            ..Request::default()
        });
    }

    /// The files whose content is sent, one after the other; one of none without data.
    fn files(&self, request: &Request) -> Result<Vec<Option<PathBuf>>, String> {
        let Some(data) = &request.data else { return Ok(vec![None]) };
        let path = self.bench.data.join(&data.path);
        if !request.iterates_data {
            return Ok(vec![Some(path)]);
        }
        let folder = match std::fs::read_dir(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            folder => folder.map_err(|error| format!("{}: {error}", path.display()))?,
        };
        let mut files: Vec<PathBuf> = folder.filter_map(|file| Some(file.ok()?.path())).collect();
        files.retain(|file| {
            file.is_file() && !file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
        });
        files.sort();
        Ok(files.into_iter().map(Some).collect())
    }

    /// Does what a pseudo-method asks for; whether that was all. A search turns the request into a GET of what it found.
    fn pseudo_method(&mut self, request: &mut Request, repetition: usize, label: &str) -> Result<bool, String> {
        let (method, argument) = request.method.split_once(' ').unwrap_or((&request.method, ""));
        let number = || argument.trim().parse::<usize>().map_err(|_| format!("{argument} is no number"));
        let uris: Vec<String> =
            request.uris.iter().map(|text| uri(text, repetition, &self.found, &self.tables)).collect();
        let first = uris.first().cloned().unwrap_or_default();
        let asker = Asker {
            server: &self.bench.server,
            account_for: &|target| self.bench.owners.sender(&request.account, target),
            user_agent: label,
            wait_count: self.bench.info.wait_count,
            wait_delay: self.bench.info.wait_delay,
        };
        match method {
            "DELETEALL" => uris.iter().try_for_each(|uri| asker.delete_all(uri, true)).map(|()| true),
            "DELAY" => {
                let seconds = first.trim().parse().map_err(|_| format!("{first} is no number of seconds"))?;
                std::thread::sleep(Duration::from_secs(seconds));
                Ok(true)
            }
            "WAITCOUNT" => {
                let wanted = number()?;
                uris.iter().try_for_each(|uri| asker.wait_for_count(uri, wanted)).map(|()| true)
            }
            "WAITDELETEALL" => {
                let wanted = number()?;
                for uri in &uris {
                    asker.wait_for_count(uri, wanted)?;
                    asker.delete_all(uri, false)?;
                }
                Ok(true)
            }
            "GETNEW" | "FINDNEW" => {
                let found = asker.newest(&first, None, &self.seen)?;
                self.remember(found);
                self.become_get(request, method_is_find(request))
            }
            "GETOTHER" => {
                let collection = first.trim_end_matches('/').rfind('/').map_or("/", |slash| &first[..=slash]);
                let found = asker.newest(collection, Some(&first), &self.seen)?;
                self.remember(found);
                self.become_get(request, false)
            }
            "GETCONTAINS" => {
                let text = self.tables.both_passes(argument);
                let found =
                    asker.containing(&first, &text)?.ok_or_else(|| format!("GETCONTAINS: {text} is in no member"))?;
                self.remember(Some(found));
                self.become_get(request, false)
            }
            "GETCHANGED" => {
                asker.wait_for_change(&first, self.etags.get(&first).map(String::as_str))?;
                request.method = "GET".to_owned();
                Ok(false)
            }
            _ => Ok(false),
        }
    }

    fn remember(&mut self, found: Option<String>) {
        self.found = found.unwrap_or_default();
        if !self.found.is_empty() {
            self.seen.insert(self.found.clone());
        }
    }

    fn become_get(&mut self, request: &mut Request, only_finds: bool) -> Result<bool, String> {
        for grab in &request.grabs {
            if let crate::script::Grab::Uri(variable) = grab {
                self.tables.grab(variable, &self.found);
            }
        }
        if only_finds {
            return Ok(true);
        }
        request.method = "GET".to_owned();
        request.uris = vec!["$".to_owned()];
        // The href is as the server wrote it.
        request.quotes_uri = false;
        Ok(false)
    }

    fn send(
        &mut self,
        request: &mut Request,
        file: Option<PathBuf>,
        repetition: usize,
        label: &str,
        judging: Judging,
    ) -> Verdict {
        let text = request.uris.first().cloned().unwrap_or_default();
        let uri = uri(&text, repetition, &self.found, &self.tables);
        let shown = format!("{} {uri}", request.method);
        let data = request.data.as_ref().zip(file);
        let content =
            data.map(|(data, file): (&Data, PathBuf)| body(data, &file, repetition, &self.tables)).transpose();
        let content = match content {
            Ok(content) => content,
            Err(reason) => return Verdict::Failed(Failure::without_answer(&shown, reason)),
        };
        let account = self.bench.owners.sender(&request.account, &uri);
        let answer = match self.bench.server.exchange(&message(request, &account, &uri, content, label, &self.tables)) {
            Ok(answer) => answer,
            Err(error) => return Verdict::Failed(Failure::without_answer(&shown, error.to_string())),
        };
        if request.method == "GET" {
            let etag = answer.header("etag").next().map(str::to_owned);
            etag.into_iter().for_each(|etag| drop(self.etags.insert(uri.clone(), etag)));
        }
        let mut reasons = match judging {
            Judging::ByVerifiers => self.verify(request, &uri, &answer),
            Judging::ByStatus if answer.is_success() => Vec::new(),
            Judging::ByStatus => vec![format!("status {}, expected 2xx", answer.status)],
        };
        let grabbed = Grabbed { answer: &answer, found_uri: &self.found, has_passed: reasons.is_empty() };
        let wrong = request.grabs.iter().filter_map(|grab| grabbed.keep(grab, &mut self.tables).err());
        reasons.extend(wrong.collect::<Vec<_>>());
        if reasons.is_empty() {
            return Verdict::Passed;
        }
        let body = String::from_utf8_lossy(&answer.body).chars().take(BODY_CHARACTERS_MAX).collect();
        Verdict::Failed(Failure { request: shown, status: answer.status, reasons, body })
    }

    /// What the verifiers object to. Variables that were replaced in an argument stay replaced.
    fn verify(&self, request: &mut Request, uri: &str, answer: &Answer) -> Vec<String> {
        let mut reasons = Vec::new();
        for verifier in &mut request.verifiers {
            if !verifier.needs.are_met_by(&self.bench.info.features) {
                continue;
            }
            for value in verifier.arguments.values_mut().flatten() {
                *value = self.tables.run_pass(value);
            }
            let judged = Judged {
                uri,
                answer,
                arguments: &verifier.arguments,
                tables: &self.tables,
                data: &self.bench.data,
                info: &self.bench.info,
            };
            reasons.extend(verify(&verifier.callback, &judged).err());
        }
        reasons
    }
}

fn method_is_find(request: &Request) -> bool {
    request.method.starts_with("FINDNEW")
}
