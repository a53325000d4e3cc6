"""Whole units in, records out: one per unit, per unit and day of entry, or per entry."""

from __future__ import annotations

import numpy as np

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.orders import graced, nested, strict, unordered
from analysis.facts.fold.prepare import after, prepare, source_row
from analysis.facts.fold.rules import NESTED, NEVER, PER_DAY, PER_UNIT, STRICT, UNORDERED
from analysis.facts.fold.scan import scan, workspace

OF_ALL, OF_MATURE = 1, 2              # which entries a record speaks of: bits of its `scope`


@compiled
def fold(bounds, instant, rank, mask, rules):
    """Records of the units: (unit, scope, depth, reached, times, rows); the last two by step.

    bounds   int64: where each unit's rows begin, and the end of the last
    instant  int64: microseconds since 1970, of every row; in order within a unit, as rank is within an instant
    rank     int64: order of rows at one instant, by the lowest and the highest step that each matches
    mask     int64: bits of the steps and exclusions that a row matches; empty where the rank is the step
    times    NEVER where a step is not part of the attempt that counts; rows: index of the step's row, else -1
    """
    longest = 0
    for u in range(len(bounds) - 1):
        longest = max(longest, bounds[u + 1] - bounds[u])
    at, bits, place = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    size = 2 * len(bounds) + (0 if rules.grouping == PER_UNIT else len(rank))
    unit, scope = np.empty(size, np.int64), np.empty(size, np.int64)
    depth, reached = np.empty(size, np.int64), np.empty(size, np.int64)
    times, rows = np.empty((size, rules.n_steps), np.int64), np.empty((size, rules.n_steps), np.int64)
    work, n = workspace(rules.n_steps), 0
    for u in range(len(bounds) - 1):
        count = prepare(instant, rank, mask, bounds[u], bounds[u + 1], rules, at, bits, place)
        first = next_entry(at, bits, 0, count, rules)
        while first < count:
            since, until, last = entries(at, bits, first, count, rules)
            end = after(at, last, count, rules.window)
            is_mature = at[last] < rules.mature_until
            unit[n], scope[n] = u, OF_ALL | OF_MATURE if is_mature else OF_ALL
            depth[n], reached[n], done = attempt(at, bits, first, end, count, since, until, rules, work, rows[n])
            if depth[n]:
                settle(at, place, rank, mask, bounds[u + 1], rules, times[n], rows[n])
                n += 1
            if rules.grouping == PER_UNIT and not is_mature and at[first] < rules.mature_until:
                unit[n], scope[n], until = u, OF_MATURE, min(until, rules.mature_until)
                depth[n], reached[n], _ = attempt(at, bits, first, end, count, since, until, rules, work, rows[n])
                if depth[n]:
                    settle(at, place, rank, mask, bounds[u + 1], rules, times[n], rows[n])
                    n += 1
            if rules.grouping == PER_UNIT or rules.is_first:
                break
            following = last + 1 if rules.grouping == PER_DAY else done + 1 if done >= 0 else end
            first = next_entry(at, bits, following, count, rules)
    return unit[:n], scope[:n], depth[:n], reached[:n], times[:n], rows[:n]


@compiled
def next_entry(at, bits, i, count, rules):
    """The first row from i on that may be an entry; `count` without any."""
    begins, since, until = beginning(rules), rules.entry_from, rules.entry_until
    while i < count and not (bits[i] & begins and since <= at[i] < until):
        i += 1
    return i


@compiled
def entries(at, bits, first, count, rules):
    """The range of entries that share a record with the first, and the last of them."""
    since, until = at[first], at[first] + 1
    if rules.grouping == PER_UNIT and not rules.is_first:
        until = rules.entry_until
    elif rules.grouping == PER_DAY and not rules.is_first:
        until = min(rules.entry_until, rules.days[np.searchsorted(rules.days, since, side="right")])
    begins, last = beginning(rules), first
    for i in range(first, count):
        if at[i] >= until:
            break
        if bits[i] & begins:
            last = i
    return since, until, last


@compiled
def beginning(rules):
    """Bits of the steps that may begin an attempt: the first, or unordered any."""
    return (1 << rules.n_steps) - 1 if rules.order == UNORDERED else 1


@compiled
def attempt(at, bits, first, end, count, since, until, rules, work, best):
    """(depth, 0 where an exclusion removed the unit; bits reached; row at which it is complete, or -1).

    best   filled with the rows of the best attempt of these entries, by step
    """
    best[:] = -1
    if rules.order == NESTED:
        first, end = 0, count
    if rules.grace:
        first = 0
    a, b, is_removed = at[first:], bits[first:], False
    if rules.order == STRICT:
        depth, reached = strict(a, b, end - first, since, until, rules, work, best)
    elif rules.order == UNORDERED:
        depth, reached = unordered(a, b, end - first, since, until, rules, best)
    elif rules.order == NESTED:
        depth, reached = nested(a, b, end - first, since, until, rules, best)
    elif rules.grace:
        depth, reached = graced(a, b, end - first, since, until, rules, best)
    else:
        depth, reached, is_removed = scan(a, b, end - first, since, until, rules, work, best)
    for s in range(rules.n_steps):
        if best[s] >= 0:
            best[s] += first
    return 0 if is_removed else depth, reached, best[rules.n_steps - 1] if depth == rules.n_steps else -1


@compiled
def settle(at, place, rank, mask, end, rules, times, best):
    """Fill in the times of an attempt's steps; its rows by their place among all rows."""
    times[:] = NEVER
    for s in range(rules.n_steps):
        if best[s] >= 0:
            times[s] = at[best[s]]
            if rules.order == NESTED and s:
                times[s] = max(times[s], times[s - 1])     # in whatever order, a step waits for the one before
            best[s] = source_row(rank, mask, place[best[s]], end, s)
