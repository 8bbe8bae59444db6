"""Large pages for what a process has in memory: a world touches a hundred megabytes here and there, and a processor
spends a good part of its time on looking up where each four kilobytes of them are.

Source: madvise(2), MADV_COLLAPSE, Linux 6.1 and newer; it needs no setting of the machine.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE_BYTES = 2 * 1024 * 1024
_MADV_COLLAPSE = 25
_MAPS = Path("/proc/self/maps")


def use_large_pages() -> int:
    """
    Have Linux put what this process has in memory into large pages; return how many there are of these.

    To be called once all is loaded: what comes later is not touched. Takes up to 5 ms for each page. Elsewhere, on an
    older kernel or where memory is short nothing happens.
    """
    if sys.platform != "linux":
        return 0
    try:
        lines = _MAPS.read_text(encoding="utf-8").splitlines()
        advise = ctypes.CDLL(None, use_errno=True).madvise
    except (OSError, AttributeError):
        return 0
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    return sum(advise(place, PAGE_BYTES, _MADV_COLLAPSE) == 0 for place in find_places(lines))


def find_places(lines: Iterable[str]) -> Iterator[int]:
    """Yield the addresses at which a large page fits into memory that is the process's own, of `/proc/self/maps`."""
    for line in lines:
        span, rights, _offset, _device, _inode, *name = line.split(maxsplit=5)
        if not rights.startswith("rw") or name not in ([], ["[heap]"]):
            continue
        start, end = (int(each, 16) for each in span.split("-"))
        first = -(-start // PAGE_BYTES) * PAGE_BYTES
        yield from range(first, end - PAGE_BYTES + 1, PAGE_BYTES)
