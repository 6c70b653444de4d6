"""rclone with `vendor = nextcloud`, which checks modification times and checksums."""

import os
import shutil
import subprocess

import tree
from dav import Dav
from server import PASSWORD


class Rclone:
    def __init__(self, server, login):
        secret = subprocess.run(["rclone", "obscure", PASSWORD], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.environment = {
            **os.environ,
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_N_TYPE": "webdav",
            "RCLONE_CONFIG_N_VENDOR": "nextcloud",
            "RCLONE_CONFIG_N_URL": server.home(login),
            "RCLONE_CONFIG_N_USER": login,
            "RCLONE_CONFIG_N_PASS": secret,
        }

    def run(self, *arguments):
        """Runs one command; returns what it printed."""
        done = subprocess.run(
            ["rclone", "--retries", "1", "--low-level-retries", "1", *map(str, arguments)], env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300
        )
        assert done.returncode == 0, f"rclone {arguments[0]} exited {done.returncode}: {done.stderr.strip()[-600:]}"
        return done.stdout + done.stderr


def in_step(dav, rclone, directory):
    differs = tree.difference(tree.hashes(directory), dav.hashes())
    assert not differs, differs
    etags = dav.etags()
    rclone.run("sync", "--create-empty-src-dirs", directory, "n:")
    assert dav.etags() == etags, "a further sync changed something"


def run(report, server, work):
    login = server.member("clara")
    dav, rclone = Dav(server, login), Rclone(server, login)
    here, there = work / "rclone", work / "rclone-down"
    tree.make_odd(here)
    tree.make_many(here / "many", 200, folders=4)
    with report.check("rclone: sync up, odd names and all"):
        rclone.run("sync", "--create-empty-src-dirs", here, "n:")
        in_step(dav, rclone, here)
    with report.check("rclone: check by the server's checksums"):
        told = rclone.run("check", "-v", here, "n:")
        assert "0 differences found" in told, told[-300:]
        assert "hashes could not be checked" not in told, told[-300:]
    with report.check("rclone: check by downloading"):
        assert "0 differences found" in rclone.run("check", "-v", "--download", here, "n:")
    with report.check("rclone: sync down"):
        rclone.run("sync", "--create-empty-src-dirs", "n:", there)
        differs = tree.difference(tree.hashes(here), tree.hashes(there), "here", "down")
        assert not differs, differs
        times = [name for name in tree.hashes(here) if (here / name).is_file() and int((here / name).stat().st_mtime) != int((there / name).stat().st_mtime)]
        assert not times, f"modification times differ: {times[:3]}"
    with report.check("rclone: changes, renames and deletes here reach the server"):
        tree.write(here / "UPPER.TXT", b"now something else")
        (here / "upper.txt").unlink()
        (here / "many").rename(here / "renamed many")
        rclone.run("sync", "--create-empty-src-dirs", here, "n:")
        in_step(dav, rclone, here)
    with report.check("rclone: copy, move and delete on the server side"):
        rclone.run("copyto", "n:UPPER.TXT", "n:copy of it.txt")
        rclone.run("moveto", "n:renamed many", "n:many ü")
        rclone.run("deletefile", "n:100%.txt")
        rclone.run("purge", "n:folders")
        shutil.copy2(here / "UPPER.TXT", here / "copy of it.txt")
        (here / "renamed many").rename(here / "many ü")
        (here / "100%.txt").unlink()
        shutil.rmtree(here / "folders")
        in_step(dav, rclone, here)
    with report.check("rclone: a range in the middle of a file"):
        expected = (here / "one megabyte").read_bytes()[500_000:500_100]
        told = subprocess.run(["rclone", "cat", "--offset", "500000", "--count", "100", "n:one megabyte"], env=rclone.environment, stdout=subprocess.PIPE, check=True, timeout=60)
        assert told.stdout == expected, "other bytes"
    with report.check("rclone: about tells the pool"):
        told = rclone.run("about", "--json", "n:")
        assert '"used"' in told and '"free"' in told, told
    with report.check("rclone: modification times are kept"):
        os.utime(here / "copy of it.txt", (1_500_000_000, 1_500_000_000))
        rclone.run("sync", here, "n:")
        assert "2017-07-14" in rclone.run("lsl", "n:copy of it.txt")
        in_step(dav, rclone, here)
