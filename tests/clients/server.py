"""The built binary as a test subject: started over either engine, stopped, killed, started again; and the services it
needs (PostgreSQL, S3), each in a directory and on a port of its own."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PASSWORD = "correct-horse-battery"
# All that clients meet and benches use, in one command: features, and so what has to be built again, depend on what is built together.
BUILD = ["cargo", "build", "--release", "--quiet", "--workspace", "--bins", "--examples"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, seconds=30):
    """Waits until something listens on the port; a process that ends first is an error."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"{process.args[0]} ended with {process.returncode} before it listened on {port}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")


def end(process, seconds=60):
    """Ends a process we started, first politely."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


class Postgres:
    """A PostgreSQL cluster in a temporary directory, on a free port of the loopback. Tests do without syncing; measurements do not."""

    def __init__(self, directory, is_durable=False):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise RuntimeError("PostgreSQL is missing: apt-get install postgresql")
        self.bin = found[-1].parent
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.port = free_port()
        self.directory.mkdir(parents=True)
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.directory, self.user, self.user)
        self.directory.chmod(0o755)
        self.run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = (
            f"-p {self.port} -k {self.directory} -c listen_addresses=127.0.0.1 -c max_connections=400 "
            "-c shared_buffers=128MB"
        )
        if not is_durable:
            options += " -c fsync=off -c full_page_writes=off"
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.directory / "log", "-o", options, "start")
        self.url = f"postgres://postgres@127.0.0.1:{self.port}"

    def run(self, program, *arguments):
        command = [str(self.bin / program), *map(str, arguments)]
        done = subprocess.run(command, user=self.user, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed: {done.stdout.decode(errors='replace')}")
        return done.stdout.decode()

    def create_database(self, template=None):
        """A new database; a copy of the one at the URL `template`, if there is one."""
        name = f"nichoir_{uuid.uuid4().hex[:12]}"
        source = f" TEMPLATE {template.rpartition('/')[2]}" if template else ""
        self.run("psql", "-h", self.directory, "-p", self.port, "-U", "postgres", "-qc", f"CREATE DATABASE {name}{source}")
        return f"{self.url}/{name}"

    def stop(self):
        self.run("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")


def start_s3(directory):
    """Starts the S3 server of the store's examples; returns the process and its address."""
    binary = TARGET / "release" / "examples" / "s3_server"
    if not binary.exists():
        binary = TARGET / "debug" / "examples" / "s3_server"
    process = subprocess.Popen(
        [binary, "--listen", "127.0.0.1:0", "--root", directory, "--bucket", "files"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    address = process.stdout.readline().strip()
    if not address:
        raise RuntimeError("the S3 server did not start")
    return process, address


def find_binary():
    """The binary under test: $NICHOIR_BINARY, or the release build."""
    binary = pathlib.Path(os.environ.get("NICHOIR_BINARY", TARGET / "release" / "nichoir"))
    if not binary.exists():
        sys.exit(f"{binary} is missing: cargo build --release")
    return binary


class Server:
    """`nichoir serve` with a space that answers on any host. `backend` is "sqlite" (and local disk) or "postgres" (and S3).
    With `template`, the directory of a server that was stopped, the space is a copy of that one's."""

    def __init__(self, directory, backend="sqlite", postgres_url=None, settings=None, quota=None, template=None):
        self.binary = find_binary()
        self.directory = pathlib.Path(directory)
        if template is not None:
            shutil.copytree(template, self.directory, ignore=shutil.ignore_patterns("log"))
        self.directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = None
        self.s3 = None
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("NICHOIR_")},
            "NICHOIR_STORAGE__DATA_DIR": str(self.directory / "data"),
            "NICHOIR_SERVER__DEFAULT_SPACE": "nest",
            "NICHOIR_SERVER__ADMIN_LISTEN": f"127.0.0.1:{free_port()}",
            **(settings or {}),
        }
        self.environment.pop("AWS_CA_BUNDLE", None)
        if backend == "postgres":
            self.s3, endpoint = start_s3(self.directory / "s3")
            self.environment |= {
                "NICHOIR_STORAGE__POSTGRES_URL": postgres_url,
                "NICHOIR_STORAGE__S3_ENDPOINT": endpoint,
                "NICHOIR_STORAGE__S3_BUCKET": "files",
                "NICHOIR_STORAGE__S3_REGION": "us-east-1",
                "NICHOIR_STORAGE__S3_ACCESS_KEY_ID": "nichoir",
                "NICHOIR_STORAGE__S3_SECRET_ACCESS_KEY": "nichoir-secret",
            }
        (self.directory / "data").mkdir(exist_ok=True)
        if template is None:
            self.cli("space", "create", "nest", *(["--quota", quota] if quota else []))

    def cli(self, *arguments, input=None):
        done = subprocess.run([self.binary, *arguments], env=self.environment, input=input, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"nichoir {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def member(self, login, email=None):
        """Creates an account; returns its login."""
        self.cli("account", "create", "--space", "nest", login, *(["--email", email] if email else []), "--password-stdin", input=PASSWORD + "\n")
        return login

    def start(self):
        log = open(self.directory / "log", "ab")
        self.process = subprocess.Popen([self.binary, "serve", "--listen", f"127.0.0.1:{self.port}"], env=self.environment, stdout=log, stderr=log)
        wait_for_port(self.port, self.process)
        return self

    def stop(self):
        """SIGTERM; returns the exit status."""
        return end(self.process)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def close(self):
        if self.process is not None:
            end(self.process)
        if self.s3 is not None:
            end(self.s3)

    def log_tail(self, lines=15):
        path = self.directory / "log"
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:]) if path.exists() else ""

    def alarms(self):
        """Lines of the log at level ERROR, or that tell of a panic."""
        path = self.directory / "log"
        text = re.sub(r"\x1b\[[0-9;]*m", "", path.read_text(errors="replace")) if path.exists() else ""
        return [line for line in text.splitlines() if re.search(r"\bERROR\b|panicked at", line)]

    def home(self, login):
        return f"{self.url}/remote.php/dav/files/{urllib.parse.quote(login)}/"
