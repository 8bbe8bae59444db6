"""Large pages: where one fits, of what Linux tells of a process's memory."""

from __future__ import annotations

from engine.prove.world.pages import PAGE_BYTES, find_places, use_large_pages

MAPS = """\
00400000-00401000 r-xp 00000000 00:1f 1234                               /usr/bin/python3.11
00601000-00e10000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000400000 rw-p 00000000 00:00 0
7f0000500000-7f0000700000 rw-p 00000000 00:00 0
7f0000800000-7f0000a00000 rw-p 00000000 00:1f 99                         /tmp/a file
7f0000c00000-7f0000e00000 r--p 00000000 00:00 0
7ffe00000000-7ffe00400000 rw-p 00000000 00:00 0                          [stack]
"""


def test_a_page_lies_at_a_multiple_of_its_size_within_memory_of_the_processs_own() -> None:
    heap = [0x800000, 0xA00000, 0xC00000]
    assert list(find_places(MAPS.splitlines())) == [*heap, 0x7F0000000000, 0x7F0000200000]
    assert all(place % PAGE_BYTES == 0 for place in heap)


def test_what_is_in_memory_stays_what_it_was() -> None:
    kept = [bytes([number % 256]) * 4096 for number in range(2000)]
    use_large_pages()
    assert all(each == bytes([number % 256]) * 4096 for number, each in enumerate(kept))
