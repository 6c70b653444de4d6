"""The machine's own limits, beside which figures are judged: syncs a second, memory bandwidth, `dd`."""

import os
import pathlib
import subprocess
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
