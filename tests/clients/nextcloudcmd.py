"""The engine of the Nextcloud desktop client (Debian's nextcloudcmd), doing what members do."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import urllib.parse

import tree
from dav import Dav
from server import PASSWORD, Server

BIG = 300_000_000


class Client:
    """One computer of a member: a folder kept in step with her account."""

    def __init__(self, server, login, directory):
        self.server, self.login, self.directory = server, login, pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        home = self.directory.parent / (self.directory.name + ".home")
        home.mkdir(exist_ok=True)
        self.log = self.directory.parent / (self.directory.name + ".log")
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "XDG_CONFIG_HOME": str(home)}

    def start(self, *options):
        command = ["nextcloudcmd", "--non-interactive", "--trust", "-h", "-u", self.login, "-p", PASSWORD, *options, str(self.directory), self.server.url]
        with open(self.log, "ab") as log:
            return subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def sync(self, *options, timeout=300):
        """One run; returns the exit status."""
        process = self.start(*options)
        try:
            return process.wait(timeout)
        finally:
            process.kill()
            process.wait()

    def hashes(self, **options):
        return tree.hashes(self.directory, **options)

    def edit(self, name, content):
        """Edits a file as a person would, in another second than before. The client puts off what changed within the last
        two seconds, so the edit is dated between the file's age and now."""
        path = self.directory / name
        before = path.stat().st_mtime
        tree.write(path, content)
        os.utime(path, (before + 60, before + 60))


def assert_in_step(client, dav):
    """Both sides hold the same bytes, and one more sync changes nothing on either."""
    differs = tree.difference(client.hashes(), dav.hashes())
    assert not differs, differs
    etags, local = dav.etags(), {name: path_state(client.directory / name) for name in client.hashes()}
    status = client.sync()
    assert status == 0, f"the further sync exited {status}"
    changed = [name for name, etag in dav.etags().items() if etags.get(name) != etag]
    assert not changed, f"a further sync changed on the server: {changed[:5]}"
    assert set(dav.etags()) == set(etags), "a further sync removed something from the server"
    again = {name: path_state(client.directory / name) for name in client.hashes()}
    assert again == local, f"a further sync changed here: {[name for name in again | local if again.get(name) != local.get(name)][:5]}"


def path_state(path):
    status = path.stat()
    # Whole seconds: after an upload the client itself cuts off what the protocol cannot carry.
    return None if path.is_dir() else (int(status.st_mtime), status.st_size)


def synced(client, **options):
    status = client.sync(**options)
    assert status == 0, f"nextcloudcmd exited {status}: {tail(client.log)}"


def tail(path):
    wanted = [line for line in path.read_text(errors="replace").splitlines() if "rror" in line or "warn" in line.lower()]
    return " | ".join(wanted[-3:])[-600:]


def odd_names(report, server, work):
    login = server.member("odette")
    dav, one, two = Dav(server, login), Client(server, login, work / "odd1"), Client(server, login, work / "odd2")
    tree.make_odd(one.directory)
    local = one.hashes()
    with report.check("nextcloudcmd: odd names, empty files and deep paths go up"):
        synced(one)
        assert_in_step(one, dav)
        assert one.hashes() == local, "the upload changed the folder here"
    with report.check("nextcloudcmd: and come down on a second computer"):
        synced(two)
        differs = tree.difference(local, two.hashes(), "first", "second")
        assert not differs, differs
        assert_in_step(two, dav)


def renames_and_deletes(report, server, work):
    login = server.member("rena")
    dav, one, two = Dav(server, login), Client(server, login, work / "ren1"), Client(server, login, work / "ren2")
    for number in range(12):
        tree.write(one.directory / "folder" / "inner" / f"{number}.txt", tree.noise(3000 + number, number))
    tree.write(one.directory / "top ü.txt", b"top")
    # The client stops to ask when a sync would remove every file.
    tree.write(one.directory / "stays.txt", b"stays")
    with report.check("nextcloudcmd: a tree to work on, on two computers"):
        synced(one)
        synced(two)
        assert_in_step(two, dav)
    ids = file_ids(dav)
    with report.check("nextcloudcmd: local renames and moves keep file ids"):
        (one.directory / "folder" / "inner").rename(one.directory / "moved inner")
        (one.directory / "top ü.txt").rename(one.directory / "folder" / "top renamé.txt")
        synced(one)
        synced(two)
        assert_in_step(one, dav)
        assert_in_step(two, dav)
        now = file_ids(dav)
        assert now["moved inner/3.txt"] == ids["folder/inner/3.txt"], "the moved file has another id"
        assert now["folder/top renamé.txt"] == ids["top ü.txt"], "the renamed file has another id"
        assert "folder/inner" not in now and "top ü.txt" not in now
    with report.check("nextcloudcmd: remote renames and moves come down without a download"):
        inode = (one.directory / "moved inner" / "5.txt").stat().st_ino
        move(dav, "moved inner", "folder/back again")
        move(dav, "folder/top renamé.txt", "top.txt")
        synced(one)
        assert_in_step(one, dav)
        assert (one.directory / "folder" / "back again" / "5.txt").stat().st_ino == inode, "it was downloaded again"
        assert (one.directory / "top.txt").read_bytes() == b"top"
    with report.check("nextcloudcmd: local deletes of a file and of a folder"):
        synced(two)
        (two.directory / "top.txt").unlink()
        shutil.rmtree(two.directory / "folder" / "back again")
        synced(two)
        assert_in_step(two, dav)
        assert "top.txt" not in dav.walk() and "folder/back again" not in dav.walk() and "folder" in dav.walk()
    with report.check("nextcloudcmd: remote deletes reach the other computer"):
        synced(one)
        assert dav.request("DELETE", dav.path("folder")).status == 204
        synced(one)
        assert_in_step(one, dav)
        assert set(one.hashes()) == {"stays.txt"}, set(one.hashes())


def file_ids(dav):
    """name → oc:fileid, of everything."""
    ids, home = {}, f"/remote.php/dav/files/{dav.login}/"
    for name, (is_collection, _) in dav.walk().items():
        if is_collection:
            for href, found in dav.list(dav.path(name)):
                ids[href.removeprefix(home).rstrip("/")] = found["fileid"].text
    return ids


def move(dav, source, target):
    status = dav.request("MOVE", dav.path(source), headers={"Destination": dav.path(target), "Overwrite": "F"}).status
    assert status == 201, f"MOVE answered {status}"


def edits(report, server, work):
    login = server.member("edith")
    dav, one, two = Dav(server, login), Client(server, login, work / "edit1"), Client(server, login, work / "edit2")
    tree.write(one.directory / "shared.txt", b"first text")
    tree.write(one.directory / "other.txt", b"untouched")
    with report.check("nextcloudcmd: an edit travels from one computer to the other"):
        synced(one)
        synced(two)
        one.edit("shared.txt", b"second text")
        synced(one)
        synced(two)
        assert (two.directory / "shared.txt").read_bytes() == b"second text"
        assert_in_step(two, dav)
    with report.check("nextcloudcmd: edits on two computers at once keep both texts"):
        one.edit("shared.txt", b"by the first computer")
        two.edit("shared.txt", b"by the second computer, longer")
        synced(one)
        two.sync()
        assert dav.get("shared.txt").body == b"by the first computer"
        assert (two.directory / "shared.txt").read_bytes() == b"by the first computer"
        copies = [name for name in two.hashes(keep_conflicts=True) if tree.is_conflict_copy(name)]
        assert len(copies) == 1, f"conflict copies: {copies}"
        assert (two.directory / copies[0]).read_bytes() == b"by the second computer, longer"
        assert_in_step(one, dav)
    with report.check("nextcloudcmd: a file edited here and deleted there is kept"):
        one.edit("other.txt", b"edited while it was deleted elsewhere")
        assert dav.request("DELETE", dav.path("other.txt")).status == 204
        synced(one)
        assert dav.get("other.txt").body == b"edited while it was deleted elsewhere"
        assert_in_step(one, dav)


def many_files(report, server, work):
    login = server.member("manon")
    dav, one, two = Dav(server, login), Client(server, login, work / "many1"), Client(server, login, work / "many2")
    tree.make_many(one.directory, 2000)
    with report.check("nextcloudcmd: 2 000 small files go up"):
        started = time.monotonic()
        synced(one)
        seconds = time.monotonic() - started
        print(f"       first sync of 2 000 files up: {seconds:.1f} s, {2000 / seconds:.0f} files/s", flush=True)
        assert_in_step(one, dav)
    with report.check("nextcloudcmd: 2 000 small files come down"):
        started = time.monotonic()
        synced(two)
        print(f"       first sync of 2 000 files down: {time.monotonic() - started:.1f} s", flush=True)
        differs = tree.difference(one.hashes(), two.hashes(), "first", "second")
        assert not differs, differs


def big_file(report, server, work):
    login = server.member("bigna")
    dav, one, two = Dav(server, login), Client(server, login, work / "big1"), Client(server, login, work / "big2")
    tree.write_noise(one.directory / "big.bin", BIG, 1)
    with report.check("nextcloudcmd: a file of 300 MB goes up in chunks and comes down"):
        synced(one)
        assert_in_step(one, dav)
        assert not uploads(dav), "the finished upload is still there"
        synced(two)
        assert two.hashes() == one.hashes(), "the second computer has other bytes"
    with report.check("nextcloudcmd: a file of 300 MB is overwritten in chunks, with the id kept"):
        before = file_ids(dav)["big.bin"]
        with open(one.directory / "big.bin", "r+b") as file:
            file.seek(BIG // 2)
            file.write(b"changed in the middle")
        os.utime(one.directory / "big.bin", (time.time() - 60, time.time() - 60))
        synced(one)
        assert_in_step(one, dav)
        assert file_ids(dav)["big.bin"] == before, "another file id"
        assert dav.get("big.bin").body[BIG // 2 : BIG // 2 + 21] == b"changed in the middle"


def uploads(dav):
    """The upload collections of the member: path → number of complete chunks."""
    root, found = f"/remote.php/dav/uploads/{dav.login}/", {}
    answer = dav.request("PROPFIND", root, headers={"Depth": "1"})
    if answer.status == 404:
        return {}
    for href, _ in dav.list(root):
        if href.rstrip("/") != root.rstrip("/"):
            found[href] = sum(1 for chunk, _ in dav.list(href) if chunk.rstrip("/") != href.rstrip("/") and not chunk.endswith("/.file"))
    return found


def wait_for_chunks(dav, process, count=1, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        if sum(uploads(dav).values()) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"no {count} chunks arrived (client's status: {process.poll()})")


def interrupted_upload(report, server, work):
    login = server.member("inga")
    dav, one = Dav(server, login), Client(server, login, work / "cut1")
    tree.write_noise(one.directory / "cut.bin", 80_000_000, 2)
    with report.check("nextcloudcmd: an upload cut off with the client is resumed, not begun again"):
        process = one.start("--uplimit", "20000")
        try:
            wait_for_chunks(dav, process)
        finally:
            process.kill()
            process.wait()
        begun = uploads(dav)
        assert len(begun) == 1, f"uploads: {begun}"
        assert dav.get("cut.bin").status == 404, "half a file is visible"
        synced(one)
        assert_in_step(one, dav)
        assert not uploads(dav), "the upload was begun again and the first left behind"


def killed_server(report, server, work):
    login = server.member("kilian")
    dav, one = Dav(server, login), Client(server, login, work / "kill1")
    tree.write_noise(one.directory / "killed.bin", 80_000_000, 3)
    tree.make_many(one.directory, 50, folders=3)
    with report.check("nextcloudcmd: an upload survives kill -9 of the server"):
        process = one.start("--uplimit", "20000")
        try:
            wait_for_chunks(dav, process)
            server.kill()
            begun = process.wait(120)
            server.start()
        finally:
            process.kill()
            process.wait()
            if server.process.poll() is not None:
                server.start()
        dav = Dav(server, login)
        print(f"       the client's status when the server died: {begun}; chunks kept: {uploads(dav)}", flush=True)
        assert sum(uploads(dav).values()) >= 1, "acknowledged chunks are gone"
        synced(one)
        assert_in_step(one, dav)


def two_members(report, server, work):
    alice, bob = server.member("anne"), server.member("bert")
    one, other = Client(server, alice, work / "anne"), Client(server, bob, work / "bert")
    tree.write(one.directory / "same name.txt", b"of anne")
    tree.write(other.directory / "same name.txt", b"of bert")
    with report.check("nextcloudcmd: two members with the same names see only their own"):
        synced(one)
        synced(other)
        assert_in_step(one, Dav(server, alice))
        assert_in_step(other, Dav(server, bob))
        assert Dav(server, alice).get("same name.txt").body == b"of anne"
        stranger = Dav(server, alice).request("GET", f"/remote.php/dav/files/{bob}/same%20name.txt")
        assert stranger.status in (403, 404) and b"bert" not in stranger.body, stranger.status


def share(dav, name, sharee, permissions):
    """Shares as the desktop client does; returns the share's number."""
    form = urllib.parse.urlencode({"path": "/" + name, "shareType": 0, "shareWith": sharee, "permissions": permissions})
    headers = {"OCS-APIRequest": "true", "Content-Type": "application/x-www-form-urlencoded"}
    answer = dav.request("POST", "/ocs/v2.php/apps/files_sharing/api/v1/shares?format=json", form, headers)
    assert answer.status == 200, (answer.status, answer.body)
    return json.loads(answer.body)["ocs"]["data"]["id"]


def shared_folders(report, server, work):
    giver, taker = server.member("gina"), server.member("tom")
    gina, tom = Dav(server, giver), Dav(server, taker)
    one, other = Client(server, giver, work / "gina"), Client(server, taker, work / "tom")
    tree.write(one.directory / "Team" / "plan.txt", b"the plan")
    tree.write(one.directory / "Team" / "sub" / "deep.txt", b"deep")
    tree.write(one.directory / "Look" / "notice.txt", b"read this")
    tree.write(other.directory / "Team" / "toms.txt", b"a folder of the same name")
    synced(one)
    synced(other)
    team = share(gina, "Team", taker, 31)
    share(gina, "Look", taker, 1)
    with report.check("nextcloudcmd: what is shared comes down, beside a folder of the same name"):
        synced(other)
        assert_in_step(other, tom)
        assert (other.directory / "Team (2)" / "sub" / "deep.txt").read_bytes() == b"deep"
        assert (other.directory / "Team" / "toms.txt").exists()
        assert_in_step(one, gina)
    with report.check("nextcloudcmd: what both write into it, both get"):
        tree.write(other.directory / "Team (2)" / "by tom.txt", b"tom was here")
        other.edit("Team (2)/plan.txt", b"the plan, edited by tom")
        tree.write(one.directory / "Team" / "sub" / "by gina.txt", b"gina too")
        synced(other)
        synced(one)
        synced(other)
        assert_in_step(one, gina)
        assert_in_step(other, tom)
        assert (one.directory / "Team" / "plan.txt").read_bytes() == b"the plan, edited by tom"
        differs = tree.difference(tree.hashes(one.directory / "Team"), tree.hashes(other.directory / "Team (2)"))
        assert not differs, differs
    with report.check("nextcloudcmd: a received folder is renamed and moved at home, and stays shared"):
        (other.directory / "Mine").mkdir()
        synced(other)
        (other.directory / "Team (2)").rename(other.directory / "Mine" / "Ours")
        synced(other)
        assert_in_step(other, tom)
        assert "Team" in gina.etags() and "Mine/Ours/plan.txt" in tom.etags()
        tree.write(one.directory / "Team" / "later.txt", b"later")
        synced(one)
        synced(other)
        assert (other.directory / "Mine" / "Ours" / "later.txt").read_bytes() == b"later"
    with report.check("nextcloudcmd: what is shared for reading is not written to, and put right again here"):
        notice = other.directory / "Look" / "notice.txt"
        notice.parent.chmod(0o755)
        notice.chmod(0o644)
        notice.unlink()
        other.sync()
        synced(other)
        assert notice.read_bytes() == b"read this"
        assert gina.get("Look/notice.txt").body == b"read this"
        assert_in_step(other, tom)
    with report.check("nextcloudcmd: what is moved into a share keeps its number and comes to the other"):
        tree.write(one.directory / "own.txt", b"mine at first")
        synced(one)
        before = file_ids(gina)
        (one.directory / "own.txt").rename(one.directory / "Team" / "own.txt")
        synced(one)
        synced(other)
        assert file_ids(gina)["Team/own.txt"] == before["own.txt"]
        assert (other.directory / "Mine" / "Ours" / "own.txt").read_bytes() == b"mine at first"
    with report.check("nextcloudcmd: what is shared no longer is gone there, and here as it was"):
        answer = gina.request("DELETE", f"/ocs/v2.php/apps/files_sharing/api/v1/shares/{team}", None, {"OCS-APIRequest": "true"})
        assert answer.status == 200, answer.status
        synced(other)
        assert not (other.directory / "Mine" / "Ours").exists()
        assert_in_step(other, tom)
        assert_in_step(one, gina)


def quota(report, work, backend, postgres):
    """A space of its own, since the pool is shared by all members."""
    server = Server(work / "quota-server", backend, postgres and postgres.create_database(), quota="20MB")
    try:
        login = server.member("quentin")
        server.start()
        dav, one = Dav(server, login), Client(server, login, work / "quota1")
        tree.write(one.directory / "small 1.txt", b"one")
        tree.write(one.directory / "small 2.txt", b"two")
        tree.write(one.directory / "too big.bin", tree.noise(21_000_000, 5))
        tree.write(one.directory / "folder" / "small 3.txt", b"three")
        with report.check("nextcloudcmd: over quota, one file stays behind and the others go up"):
            status = one.sync()
            assert status != 0, "the client did not notice"
            expected = {name: digest for name, digest in one.hashes().items() if name != "too big.bin"}
            differs = tree.difference(expected, dav.hashes())
            assert not differs, differs
        with report.check("over quota, PUT answers 507 before the body is read, and the file that was there stays"):
            status = dav.announce(dav.path("small 1.txt"), 20_500_000)
            assert status == 507, status
            assert dav.get("small 1.txt").body == b"one"
        with report.check("nextcloudcmd: with the big file gone, everything is in step"):
            (one.directory / "too big.bin").unlink()
            synced(one)
            assert_in_step(one, dav)
        assert not server.alarms(), server.alarms()[:3]
    finally:
        server.close()


def run(report, server, work):
    for scenario in (odd_names, renames_and_deletes, edits, two_members, shared_folders, many_files, big_file, interrupted_upload, killed_server):
        scenario(report, server, work)
