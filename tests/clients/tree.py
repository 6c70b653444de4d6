"""Local folders: made reproducibly, hashed, compared."""

import hashlib
import os
import pathlib
import random
import time

# Each is a name that some client or server has got wrong.
ODD_NAMES = [
    "with space.txt", "percent%20literal.txt", "100%.txt", "hash#mark.txt", "question?.txt", "plus+sign.txt", "a&b.txt",
    "semi;colon.txt", "equals=.txt", "comma,.txt", "at@sign.txt", "dollar$.txt", "quote'single.txt", "brackets[1](2){3}.txt",
    "tilde~inside.txt", "exclamation!.txt", "caret^.txt", "back`tick.txt", "umlaut äöüß é.txt", "ligne française œuf.txt",
    "日本語のファイル.txt", "Ελληνικά.txt", "emoji 🐦🏠.txt", ".hidden", "..double dot start.txt", "double  space.txt", "a.b.c.d",
    "UPPER.TXT", "upper.txt", "-dash first", "no extension", "long " + "n" * 195, "lang " + "ü" * 97, "&amp;.txt", "%2F.txt", "%C3.txt",
]


def is_conflict_copy(name):
    return "(conflicted copy" in name


def is_clients_own(name):
    """The journal and log that nextcloudcmd keeps inside the folder it syncs."""
    base = name.rpartition("/")[2]
    return base.startswith((".sync_", "._sync_", ".owncloudsync.log", ".nextcloudsync.log"))


def hashes(directory, keep_conflicts=False):
    """name → SHA-256 of the content, None for folders."""
    directory, tree = pathlib.Path(directory), {}
    for place, folders, files in os.walk(directory):
        for name in folders + files:
            path = pathlib.Path(place) / name
            relative = str(path.relative_to(directory))
            if is_clients_own(relative) or (is_conflict_copy(relative) and not keep_conflicts):
                continue
            tree[relative] = None if path.is_dir() else hash_file(path)
    return tree


def hash_file(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def difference(one, other, one_name="local", other_name="server"):
    """What differs between two trees, in one line; empty when nothing does."""
    missing = sorted(set(one) - set(other))
    extra = sorted(set(other) - set(one))
    changed = sorted(name for name in set(one) & set(other) if one[name] != other[name])
    parts = [f"only {one_name}: {missing[:5]} ({len(missing)})"] if missing else []
    parts += [f"only {other_name}: {extra[:5]} ({len(extra)})"] if extra else []
    parts += [f"different: {changed[:5]} ({len(changed)})"] if changed else []
    return "; ".join(parts)


def write(path, content):
    """Writes a file dated an hour ago: the desktop client puts off what changed within the last seconds."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def write_noise(path, size, seed):
    """A large file without holding it in memory."""
    source = random.Random(seed)
    with open(path, "wb") as file:
        while size > 0:
            part = min(size, 1 << 20)
            file.write(source.randbytes(part))
            size -= part
    an_hour_ago = time.time() - 3600
    os.utime(path, (an_hour_ago, an_hour_ago))


def make_odd(directory):
    """Odd names as files and as folders, empty files and folders, a deep path."""
    directory = pathlib.Path(directory)
    for number, name in enumerate(ODD_NAMES):
        write(directory / name, noise(number * 37, number))
    for number, name in enumerate(ODD_NAMES[::3]):
        write(directory / "folders" / name.replace(".txt", "") / "inside ü#%.txt", noise(100, number))
    write(directory / "empty.bin", b"")
    (directory / "empty folder").mkdir()
    write(directory.joinpath("deep", *[f"level {level}" for level in range(30)], "bottom.txt"), b"far down")
    write(directory / "around inline limit" / "16383", noise(16383, 1))
    write(directory / "around inline limit" / "16384", noise(16384, 2))
    write(directory / "around inline limit" / "16385", noise(16385, 3))
    write(directory / "one megabyte", noise(1 << 20, 4))


def make_many(directory, count, folders=20):
    for number in range(count):
        write(pathlib.Path(directory) / f"folder {number % folders:02}" / f"note {number:05}.txt", noise(200 + number * 7 % 4000, number))
