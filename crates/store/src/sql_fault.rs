//! Faults on demand below the SQL layer: for the tests that prove "old state or new state, never another".

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::error::Error;

/// Makes the n-th statement fail, once or from then on.
#[derive(Debug)]
pub struct SqlFaults {
    remaining: AtomicI64,
    /// Whether it panics instead.
    panics: AtomicBool,
    is_lasting: AtomicBool,
    seen: AtomicI64,
}

impl SqlFaults {
    /// Never fails, but counts.
    pub fn none() -> SqlFaults {
        SqlFaults::at(i64::MAX, false)
    }

    /// Fails statement `number` (from 1), and every later one if `is_lasting`.
    pub fn at(number: i64, is_lasting: bool) -> SqlFaults {
        let (remaining, panics, seen) = (AtomicI64::new(number), AtomicBool::new(false), AtomicI64::new(0));
        SqlFaults { remaining, panics, is_lasting: AtomicBool::new(is_lasting), seen }
    }

    /// Starts over: the next failure is statement `number` from now; 0 for none.
    pub fn arm(&self, number: i64) {
        self.is_lasting.store(false, Ordering::SeqCst);
        self.remaining.store(if number == 0 { i64::MAX } else { number }, Ordering::SeqCst);
    }

    /// Starts over: statement `number` from now fails, and every later one.
    pub fn arm_lasting(&self, number: i64) {
        self.arm(number);
        self.is_lasting.store(true, Ordering::SeqCst);
    }

    /// The same, but whoever asks for the statement panics.
    pub fn arm_panic(&self, number: i64) {
        self.panics.store(true, Ordering::SeqCst);
        self.arm(number);
    }

    /// How many statements have come by.
    pub fn seen(&self) -> i64 {
        self.seen.load(Ordering::SeqCst)
    }

    pub(crate) fn before(&self, statement: &str) -> Result<(), Error> {
        self.seen.fetch_add(1, Ordering::SeqCst);
        if statement.starts_with("ROLLBACK") {
            return Ok(()); // an engine that cannot even roll back is a crash, which other tests play
        }
        let left = self.remaining.fetch_sub(1, Ordering::SeqCst) - 1;
        match left {
            0 if self.panics.swap(false, Ordering::SeqCst) => panic!("injected panic"),
            0 => Err(Error::unavailable("injected fault")),
            left if left < 0 && self.is_lasting.load(Ordering::SeqCst) => {
                Err(Error::unavailable("injected lasting fault"))
            }
            _ => Ok(()),
        }
    }
}
