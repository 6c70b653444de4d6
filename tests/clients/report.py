"""Counts checks and prints them: one line each, one closing line per suite."""

import contextlib
import sys
import time
import traceback


class Report:
    def __init__(self, suite):
        self.suite = suite
        self.passed, self.failed, self.skipped = 0, [], []
        self.server = None

    @contextlib.contextmanager
    def check(self, name):
        """Counts the block as one check; an exception in it is a failure and does not stop the rest."""
        started = time.monotonic()
        try:
            yield
        except Exception as error:  # noqa: BLE001 — whatever went wrong is this check's failure
            self.failed.append(name)
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = "" if isinstance(error, AssertionError) else f"{type(error).__name__}: "
            print(f"  FAIL {name}: {kind}{error} [{where.name}:{where.lineno}]", flush=True)
        else:
            self.passed += 1
            print(f"  ok   {name} ({time.monotonic() - started:.1f} s)", flush=True)

    def skip(self, name, why):
        self.skipped.append(name)
        print(f"  skip {name}: {why}", flush=True)

    def close(self):
        """Prints the closing counts; returns the exit status."""
        print(f"{self.suite}: {self.passed} passed, {len(self.failed)} failed, {len(self.skipped)} skipped", flush=True)
        sys.stdout.flush()
        return 1 if self.failed else 0
