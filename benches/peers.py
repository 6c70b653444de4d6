"""Servers to measure side by side, each in a directory of its own below `work`: started, told how to reach, ended.

A peer that is not installed is a `Missing` with one line on how to get it.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests" / "clients"))

from installed import from_pypi  # noqa: E402
from server import BUILD, PASSWORD, TARGET, Postgres, Server, end, free_port, wait_for_port  # noqa: E402

RADICALE, XANDIKOS = ("radicale==3.8.3",), ("xandikos==0.4.7",)
LOGIN = "alice"


class Missing(Exception):
    """What is not installed, and how it would be."""


class Peer:
    """A server under load: how davload reaches it, its processes, and what it does not have."""

    def __init__(self, name, processes, close, files=None, calendars=None, uploads=None, password=PASSWORD, options=()):
        self.name, self.processes, self.close = name, processes, close
        self.files, self.calendars, self.uploads = files, calendars, uploads
        self.password, self.options = password, list(options)

    def arguments(self):
        """The options of davload that say where and as whom."""
        words = ["--name", self.name, "--user", f"{LOGIN}:{self.password}", *self.options]
        for name in ("files", "calendars", "uploads"):
            if getattr(self, name):
                words += [f"--{name}", getattr(self, name)]
        for pid in self.processes:
            words += ["--pid", str(pid)]
        return words


def find(program, package):
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{program} is missing: apt-get install --no-install-recommends {package}")
    return found


def started(command, port, directory, **options):
    """Starts a peer and waits for its port; what it says goes to a log beside its files."""
    log = open(directory / "log", "ab")
    process = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, stdin=subprocess.DEVNULL, **options)
    wait_for_port(port, process)
    return process


def directory_for(work, name):
    directory = work / name
    (directory / "files").mkdir(parents=True)
    # Servers that give up root's rights must still reach and write their files.
    work.chmod(0o755)
    for place in (directory, directory / "files"):
        place.chmod(0o777)
    return directory


def app_password(server, login=LOGIN):
    """What clients use: a password found by index."""
    told = json.loads(server.cli("--json", "app-password", "create", "--space", "nest", login))
    return next(value for key, value in told.items() if "password" in key)


def of_nichoir(name, server, extra_processes=(), also_close=lambda: None):
    server.member(LOGIN)
    password = app_password(server)
    server.start()

    def close():
        server.close()
        also_close()

    dav = f"{server.url}/remote.php/dav"
    places = {"files": f"{dav}/files/{LOGIN}/", "calendars": f"{dav}/calendars/{LOGIN}/", "uploads": f"{dav}/uploads/{LOGIN}/"}
    return Peer(name, [server.process.pid, *extra_processes], close, password=password, **places)


def nichoir(work):
    """nichoir on SQLite and local disk"""
    return of_nichoir("nichoir", Server(work / "nichoir", quota="1000GB"))


def nichoir_postgres(work):
    """nichoir on PostgreSQL that syncs as it should, contents on local disk; PostgreSQL's processes are counted with it"""
    try:
        postgres = Postgres(work / "postgres", is_durable=True)
    except RuntimeError as error:
        raise Missing(str(error)) from error
    try:
        settings = {"NICHOIR_STORAGE__POSTGRES_URL": postgres.create_database()}
        server = Server(work / "nichoir-postgres", quota="1000GB", settings=settings)
        pid = int((postgres.data / "postmaster.pid").read_text().split()[0])
        return of_nichoir("nichoir-postgres", server, [pid], postgres.stop)
    except BaseException:
        postgres.stop()
        raise


def nginx(work):
    """nginx with its dav module, and Debian's for PROPFIND if that is installed; nothing is synced to disk"""
    program = find("nginx", "nginx-light libnginx-mod-http-dav-ext")
    directory, port = directory_for(work, "nginx"), free_port()
    module = pathlib.Path("/usr/lib/nginx/modules/ngx_http_dav_ext_module.so")
    load, methods = (f"load_module {module};", "dav_ext_methods PROPFIND OPTIONS;") if module.exists() else ("", "")
    (directory / "temporary").mkdir()
    (directory / "conf").write_text(
        f"{load}\ndaemon off; worker_processes 2; pid {directory}/pid; error_log {directory}/error;\n"
        f"{'user root;' if os.geteuid() == 0 else ''} events {{ worker_connections 4096; }}\n"
        f"http {{ access_log off; sendfile on; keepalive_requests 1000000000; client_max_body_size 0; client_body_temp_path {directory}/temporary;\n"
        f"server {{ listen 127.0.0.1:{port}; root {directory}/files; dav_methods PUT DELETE MKCOL COPY MOVE; {methods} }} }}\n"
    )
    process = started([program, "-c", directory / "conf", "-p", directory], port, directory)
    return Peer("nginx", [process.pid], lambda: end(process), files=f"http://127.0.0.1:{port}/")


def apache(work):
    """Apache mod_dav with Basic over its own password file; nothing is synced to disk"""
    program = find("apache2", "apache2-bin")
    directory, port = directory_for(work, "apache"), free_port()
    digest = subprocess.run(["openssl", "passwd", "-apr1", PASSWORD], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    (directory / "passwords").write_text(f"{LOGIN}:{digest}\n")
    modules = ["mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "dav", "dav_fs", "dav_lock", "mime"]
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    (directory / "conf").write_text(
        "".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in modules)
        + f"ServerName localhost\nServerRoot {directory}\nDocumentRoot {directory}/files\nListen 127.0.0.1:{port}\nPidFile {directory}/pid\n"
        f"ErrorLog {directory}/error\nDefaultRuntimeDir {directory}\nMutex sem\nTypesConfig /dev/null\n{user}"
        f"KeepAlive On\nMaxKeepAliveRequests 0\nKeepAliveTimeout 60\nLimitRequestBody 0\nDavLockDB {directory}/lock/db\n"
        f"<Directory {directory}/files>\nDav On\nAuthType Basic\nAuthName bench\nAuthUserFile {directory}/passwords\nRequire valid-user\n</Directory>\n"
    )
    (directory / "lock").mkdir()
    (directory / "lock").chmod(0o777)
    process = started([program, "-DFOREGROUND", "-f", directory / "conf"], port, directory)
    return Peer("apache", [process.pid], lambda: end(process), files=f"http://127.0.0.1:{port}/")


def rclone(work):
    """`rclone serve webdav`; nothing is synced to disk"""
    program = find("rclone", "rclone")
    directory, port = directory_for(work, "rclone"), free_port()
    environment = {key: value for key, value in os.environ.items() if key != "AWS_CA_BUNDLE"} | {"RCLONE_CONFIG": str(directory / "none")}
    command = [program, "serve", "webdav", directory / "files", "--addr", f"127.0.0.1:{port}", "--user", LOGIN, "--pass", PASSWORD, "--etag-hash", "MD5"]
    process = started(command, port, directory, env=environment)
    return Peer("rclone", [process.pid], lambda: end(process), files=f"http://127.0.0.1:{port}/")


def radicale(work):
    """Radicale, its storage unsynced as it comes; it closes connections"""
    directory, port = directory_for(work, "radicale"), free_port()
    command = [from_pypi(*RADICALE) / "python", "-m", "radicale", "--hosts", f"127.0.0.1:{port}", "--storage-filesystem-folder", directory / "files"]
    process = started([*command, "--auth-type", "none", "--rights-type", "authenticated"], port, directory)
    return Peer("radicale", [process.pid], lambda: end(process, 10), calendars=f"http://127.0.0.1:{port}/{LOGIN}/", options=["--has-short-connections"])


def xandikos(work):
    """Xandikos, whose calendars are git repositories"""
    directory, port = directory_for(work, "xandikos"), free_port()
    command = [from_pypi(*XANDIKOS) / "xandikos", "-d", directory / "files", "-l", "127.0.0.1", "-p", port, "--current-user-principal", f"/{LOGIN}/", "--defaults"]
    process = started(command, port, directory)
    return Peer("xandikos", [process.pid], lambda: end(process, 10), calendars=f"http://127.0.0.1:{port}/{LOGIN}/calendars/")


PEERS = {
    "nichoir": nichoir,
    "nichoir-postgres": nichoir_postgres,
    "nginx": nginx,
    "apache": apache,
    "rclone": rclone,
    "radicale": radicale,
    "xandikos": xandikos,
}


def find_davload():
    """The load program: $DAVLOAD, or the release build."""
    program = pathlib.Path(os.environ.get("DAVLOAD", TARGET / "release" / "davload"))
    if not program.exists():
        sys.exit(f"{program} is missing: cargo build --release -p nichoir-davload")
    return program


def build_release():
    """Builds what is measured, unless both binaries are named by $NICHOIR_BINARY and $DAVLOAD."""
    if not {"NICHOIR_BINARY", "DAVLOAD"} <= os.environ.keys():
        subprocess.run(BUILD, cwd=ROOT, check=True)
