"""What a campaign of schedules came to, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from engine.prove.campaign import Tally
from engine.prove.people import verbs

DAY_SECONDS = 86_400.0


def progress(tally: Tally, wanted: int, wall_seconds: float) -> str:
    """Return one line on how far it is."""
    rate = tally.schedules / wall_seconds if wall_seconds else 0.0
    return f"{tally.schedules:,} of {wanted:,} schedules, {len(tally.broken)} broken, {rate:.1f}/s"


def summary(tally: Tally, wanted: int, wall_seconds: float) -> Iterator[str]:
    """Yield what was done, how fast, and what was covered."""
    a_core = tally.schedules / tally.cpu_seconds if tally.cpu_seconds else 0.0
    yield progress(tally, wanted, wall_seconds)
    yield f"{a_core:.2f} schedules/s per core; {tally.cpu_seconds:.0f} s of CPU in {wall_seconds:.0f} s"
    faults, crashes = sum(tally.struck.values()), sum(tally.crashes.values())
    yield (
        f"{tally.operations:,} operations of people, {tally.requests:,} requests, {faults:,} faults, "
        f"{crashes:,} crashes, {tally.seconds / DAY_SECONDS:,.1f} days of the worlds' clocks"
    )


def coverage(tally: Tally) -> Iterator[str]:
    """Yield the matrix of requests and faults, what people did, and what was under way at each crash."""
    kinds = sorted({kind for kind, _ in tally.struck})
    faults = sorted({fault for _, fault in tally.struck})
    yield from _matrix(kinds, faults, tally)
    yield ""
    yield f"{'people':<28}{'did':>9}{'refused':>9}"
    for verb in verbs.VERBS:
        yield f"{verb.name:<28}{tally.verbs[verb.name]:>9,}{tally.verbs[f'{verb.name}, refused']:>9,}"
    if tally.crashes:
        yield ""
        yield "crashed during"
        for doing, count in tally.crashes.most_common():
            yield f"{doing:<46}{count:>9,}"


def _matrix(kinds: list[str], faults: list[str], tally: Tally) -> Iterator[str]:
    """Yield a row for each fault, a column for each kind of request: there are more faults than kinds."""
    yield f"{'':<28}" + "".join(f"{index:>8}" for index in range(1, len(kinds) + 1))
    for fault in faults:
        yield f"{fault:<28}" + "".join(f"{tally.struck[kind, fault] or '.':>8}" for kind in kinds)
    for index, kind in enumerate(kinds, 1):
        yield f"{index:>4}  {kind}"
