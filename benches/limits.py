"""The machine's own limits, beside which figures are judged: syncs a second, memory bandwidth, `dd`."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time


def fdatasyncs_per_second(work, seconds=3):
    """Sequential 4 KB appends, each synced, on the disk that the servers use."""
    path = work / "syncs"
    file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    started, count = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        os.write(file, bytes(4096))
        os.fdatasync(file)
        count += 1
    took = time.monotonic() - started
    os.close(file)
    path.unlink()
    return count / took


def memory_bytes_per_second(seconds=1):
    """Copies within memory, far larger than caches."""
    source, target = bytearray(64 << 20), bytearray(64 << 20)
    target[:] = source
    started, copied = time.monotonic(), 0
    while time.monotonic() - started < seconds:
        memoryview(target)[:] = source
        copied += len(source)
    return copied / (time.monotonic() - started)


def dd_bytes_per_second(source, target):
    """Writing and syncing the bytes of a file that is in memory."""
    recycle_memory(source)
    started = time.monotonic()
    subprocess.run(["dd", f"if={source}", f"of={target}", "bs=1M", "conv=fsync"], check=True, stderr=subprocess.DEVNULL, timeout=900)
    took = time.monotonic() - started
    size = os.path.getsize(target)
    os.unlink(target)
    return size / took


def recycle_memory(source=None):
    """What follows writes into page cache that was in use before: on a virtual machine memory never touched costs several times as much."""
    subprocess.run(["sync"], check=True)
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        pass  # not root: then the figures of large uploads say less
    if source is not None:
        subprocess.run(["cat", source], check=True, stdout=subprocess.DEVNULL)


def slow_the_disk(sync_ms):
    """Starts this program again, with every sync of it and of what it starts taking so much longer: other machines' disks are slower."""
    if "SYNC_MICROSECONDS" in os.environ:
        return
    source = pathlib.Path(__file__).with_name("slow_disk.c")
    library = pathlib.Path(tempfile.mkdtemp(prefix="nichoir-slow-disk-")) / "slow_disk.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"], check=True)
    # PostgreSQL runs as somebody else.
    library.parent.chmod(0o755)
    os.environ |= {"LD_PRELOAD": str(library), "SYNC_MICROSECONDS": str(int(sync_ms * 1000))}
    os.execv(sys.executable, [sys.executable, *sys.argv])
