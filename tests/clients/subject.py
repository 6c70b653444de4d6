"""The server that a suite of clients runs against, from the command line `[sqlite|postgres]` to the closing counts."""

import os
import pathlib
import shutil
import sys
import tempfile

from report import Report
from server import Postgres, Server


def judge(suite, logins, run, arguments, settings=None):
    """Starts a server with these accounts, calls `run(report, server, work)`, and ends with what holds after every suite:
    metadata and blobs agree, nothing alarming was logged. Returns the exit status."""
    backend = arguments[0] if arguments else "sqlite"
    if len(arguments) > 1 or backend not in ("sqlite", "postgres"):
        sys.exit(f"usage: {sys.argv[0]} [sqlite|postgres]")
    report = Report(f"{suite}/{backend}")
    work = pathlib.Path(tempfile.mkdtemp(prefix=f"nichoir-{suite}-"))
    work.chmod(0o755)
    postgres = server = None
    try:
        postgres = Postgres(work / "postgres") if backend == "postgres" else None
        server = Server(work / "server", backend, postgres and postgres.create_database(), settings)
        for login in logins:
            server.member(login, f"{login.partition('@')[0]}@example.org")
        server.start()
        run(report, server, work)
        with report.check("the server's check finds every blob and no stray one"):
            server.cli("check", "--deep")
        with report.check("the server logged no alarm and no panic"):
            assert not server.alarms(), server.alarms()[:3]
    finally:
        if report.failed and server is not None:
            print(f"the server's last lines:\n{server.log_tail()}", flush=True)
        if server is not None:
            server.close()
        if postgres is not None:
            postgres.stop()
        if os.environ.get("KEEP"):
            print(f"kept: {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)
    return report.close()
