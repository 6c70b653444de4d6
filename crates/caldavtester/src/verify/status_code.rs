//! `statusCode`: the status is one of `status`, such as `201` or `2xx`.

use super::{Judged, Verdict};

pub(super) fn check(judged: &Judged<'_>) -> Verdict {
    match judged.has("status") {
        true => judged.expect_status(&[]),
        false if judged.answer.is_success() => Ok(()),
        false => Err(format!("status {}, expected 2xx", super::shown_status(judged.answer))),
    }
}

#[cfg(test)]
mod tests {
    use crate::verify::testing::{answer, judge};

    #[test]
    fn one_of_the_statuses_is_enough() {
        let check = |status, arguments: &[(&str, &str)], expected| {
            assert_eq!(judge("statusCode", &answer(status, ""), arguments).is_ok(), expected, "{status} {arguments:?}");
        };
        check(204, &[], true);
        check(301, &[], false);
        check(403, &[("status", "403")], true);
        check(403, &[("status", "409"), ("status", "4xx")], true);
        check(200, &[("status", "4xx")], false);
        check(200, &[("403", "")], true);
    }
}
