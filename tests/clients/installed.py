"""Clients from PyPI and npm, in the versions that a suite names, kept below `target/` until it names others."""

import fcntl
import hashlib
import pathlib
import shutil
import subprocess
import sys

from server import TARGET


def _made_once(kind, wanted, make):
    """The directory that `make` fills, once for each list of packages; one process at a time."""
    directory = TARGET / "clients" / f"{kind}-{hashlib.sha256(' '.join(wanted).encode()).hexdigest()[:12]}"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with open(directory.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (directory / "complete").exists():
            shutil.rmtree(directory, ignore_errors=True)
            make(directory)
            (directory / "complete").touch()
    return directory


def _run(command, **options):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{done.stdout.decode(errors='replace')[-3000:]}")


def from_pypi(*packages):
    """A virtual environment with these packages (`name==version`); returns the directory of its programs."""

    def make(directory):
        _run([sys.executable, "-m", "venv", directory])
        _run([directory / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *packages])

    return _made_once("venv", packages, make) / "bin"


def from_npm(*packages):
    """A folder with these packages (`name@version`) in its `node_modules`; no script of theirs is run."""

    def make(directory):
        directory.mkdir()
        (directory / "package.json").write_text('{"private": true}\n')
        _run(["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *packages], cwd=directory)

    if shutil.which("npm") is None:
        sys.exit("npm is missing: apt-get install npm")
    return _made_once("npm", packages, make)


def copy_of_scripts(source, directory):
    """Node looks for packages beside a script: the script goes where they are. Returns its place there."""
    place = pathlib.Path(directory) / pathlib.Path(source).name
    shutil.copyfile(source, place)
    return place
