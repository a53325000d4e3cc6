"""The counting rules by exhaustive search, in plain Python: slow, obvious, and written apart from the fold."""

from __future__ import annotations

from itertools import permutations
from typing import NamedTuple

from analysis.params.counting import Funnel, Match


class Row(NamedTuple):
    at: int            # seconds
    steps: frozenset   # positions of the steps it matches, from 0
    excluded: frozenset
    named: frozenset   # steps whose event has its name
    value: str


class Best(NamedTuple):
    """The attempt that counts; depth 0 where the unit is not counted."""

    depth: int
    entered: int | None
    ended: int | None
    reached: frozenset


NOBODY = Best(0, None, None, frozenset())


def judge(events: list[tuple], funnel: Funnel, since: float, until: float) -> Best:
    """One unit's best attempt.

    events         (seconds, event, value) of one unit, in any order
    since, until   range of entries, the end exclusive
    """
    rows = [row for row in _rows(events, funnel)]
    if funnel.constant:
        parts = [[row for row in rows if row.value == value] for value in sorted({row.value for row in rows})]
        found = [best for best in (_judge(part, funnel, since, until) for part in parts) if best.depth]
        if not found:
            return NOBODY
        if funnel.entry == "first":
            return min(found, key=lambda b: (b.entered, -b.depth, b.ended))
        return min(found, key=lambda b: (-b.depth, b.ended, b.entered))
    return _judge(rows, funnel, since, until)


def _rows(events: list[tuple], funnel: Funnel) -> list[Row]:
    def positions(matches: list, event: str) -> frozenset:
        return frozenset(i for i, m in enumerate(matches) if m.event in ("", event))

    rows = [Row(at, positions(funnel.steps, event), positions(funnel.exclusions, event),
                positions([Match(event=s.event) for s in funnel.steps], event), value) for at, event, value in events]
    rows.sort(key=lambda r: (r.at, min(r.steps, default=-1), max(r.steps, default=-1), r.value))
    seen: set[int] = set()
    kept = []
    for row in rows:
        once = {i for i, s in enumerate(funnel.steps) if s.occurrence != "every"}
        kept.append(row._replace(steps=row.steps - (seen & once)))
        seen |= row.named
    return kept


def _judge(rows: list[Row], funnel: Funnel, since: float, until: float) -> Best:
    if funnel.order == "strict":
        stepped = {row.at for row in rows if row.steps}
        rows = [row for row in rows if row.steps or row.at not in stepped]
    begins = [i for i, row in enumerate(rows) if since <= row.at < until and (
        row.steps if funnel.order == "unordered" else 0 in row.steps)]
    if not begins:
        return NOBODY
    if funnel.entry == "first":
        begins = [i for i in begins if rows[i].at == rows[begins[0]].at]
    if funnel.order == "unordered":
        return _unordered(rows, begins, funnel)
    if funnel.excluded == "remove_user":
        return _removing(rows, begins, funnel)
    chains = [chain for begin in begins for chain in _chains(rows, [(0, begin)], funnel)]
    return _best([(max(s for s, _ in c) + 1, rows[c[0][1]].at, rows[c[-1][1]].at, {s for s, _ in c}) for c in chains])


def _best(attempts: list[tuple]) -> Best:
    """The deepest; of those, the first to get there; of those, the latest start."""
    depth, start, end, _ = min(attempts, key=lambda a: (-a[0], a[2], -a[1]))
    return Best(depth, start, end, frozenset().union(*(steps for *_, steps in attempts)))


def _chains(rows: list[Row], chain: list[tuple[int, int]], funnel: Funnel):
    """Every chain of (step, row) that begins like this one."""
    yield chain
    step = chain[-1][0]
    following = step + 1
    while following < len(funnel.steps):
        for j in range(len(rows)):
            if following in rows[j].steps and _may_follow(rows, chain, following, j, funnel):
                yield from _chains(rows, [*chain, (following, j)], funnel)
        if following + 1 not in funnel.optional:
            return
        following += 1


def _may_follow(rows: list[Row], chain: list[tuple[int, int]], step: int, j: int, funnel: Funnel) -> bool:
    before, i = chain[-1]
    if funnel.window is not None and rows[j].at - rows[chain[0][1]].at > funnel.window.total_seconds():
        return False
    if funnel.grace:
        return j not in {k for _, k in chain} and rows[j].at >= rows[i].at - funnel.grace.total_seconds()
    if j < i or (j == i and not funnel.reuse) or (funnel.ties == "strictly_later" and rows[j].at <= rows[i].at):
        return False
    if funnel.order == "strict" and any(before not in row.steps for row in rows[i + 1:j]):
        return False
    return not any(e.after - 1 <= before < (e.before or len(funnel.steps)) - 1 and n in row.excluded
                   and rows[i].at < row.at < rows[j].at for n, e in enumerate(funnel.exclusions) for row in rows)


def _unordered(rows: list[Row], begins: list[int], funnel: Funnel) -> Best:
    """From each entry, the most steps that rows of its window can take, each row one step."""
    attempts = []
    for begin in begins:
        window = [row for row in rows[begin:] if row.steps and (
            funnel.window is None or row.at - rows[begin].at <= funnel.window.total_seconds())]
        for n in range(1, len(window) + 1):
            attempts.append((_matched(window[:n], len(funnel.steps)), rows[begin].at, window[n - 1].at))
    depth, start, end = min(attempts, key=lambda a: (-a[0], a[2], -a[1]))
    return Best(depth, start, end, frozenset(range(depth)))


def _matched(rows: list[Row], n_steps: int) -> int:
    padded = [*rows, *([None] * n_steps)]
    return max(sum(row is not None and s in row.steps for s, row in enumerate(taken))
               for taken in set(permutations(padded, n_steps)))


def _removing(rows: list[Row], begins: list[int], funnel: Funnel) -> Best:
    """Each entry by itself, as early as it goes, until an exclusion ends it; a unit whose best it was is out."""
    attempts = []
    for begin in begins:
        path, is_ended = [begin], False
        for i in range(begin + 1, len(rows)):
            step, last = len(path) - 1, rows[path[-1]].at
            late = [row.at for row in rows if last < row.at < rows[i].at and _ends(row, step, funnel)]
            if late and min(late) - rows[begin].at <= funnel.window.total_seconds():
                is_ended = True
                break
            if step + 1 in rows[i].steps and rows[i].at - rows[begin].at <= funnel.window.total_seconds():
                path.append(i)
        step, start, last = len(path) - 1, rows[begin].at, rows[path[-1]].at
        closes = start + funnel.window.total_seconds()
        is_ended |= any(_ends(row, step, funnel) and last < row.at <= closes for row in rows)
        attempts.append((len(path), is_ended, last, start))
    depth = max(a[0] for a in attempts)
    deepest = [a for a in attempts if a[0] == depth]
    latest = {end: max(a[3] for a in deepest if a[2] == end) for _, _, end, _ in deepest}
    clean = [a for a in deepest if not a[1] and a[3] == latest[a[2]]]     # of several starts, the latest is the attempt
    if not clean:
        return NOBODY
    _, _, end, start = min(clean, key=lambda a: (a[2], -a[3]))
    return Best(depth, start, end, frozenset(range(depth)))


def _ends(row: Row, step: int, funnel: Funnel) -> bool:
    return any(n in row.excluded and e.after - 1 <= step < (e.before or len(funnel.steps)) - 1
               for n, e in enumerate(funnel.exclusions))


