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
def fold(bounds, key, mask, rules):
    """Records of the units: (unit, scope, depth, reached, times, rows); the last two by step.

    bounds   int64: where each unit's rows begin, and the end of the last
    key      int64: time and rank, increasing within a unit
    mask     int64: bits of the steps and exclusions that a row matches
    times    NEVER where a step is not part of the attempt that counts; rows: index of the step's row, else -1
    """
    out = records(bounds, mask, rules)
    longest = 0
    for u in range(len(bounds) - 1):
        longest = max(longest, bounds[u + 1] - bounds[u])
    at, bits, place = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    work, n = workspace(rules.n_steps), 0
    for u in range(len(bounds) - 1):
        count = prepare(key, mask, bounds[u], bounds[u + 1], rules, at, bits, place)
        first = next_entry(at, bits, 0, count, rules)
        while first < count:
            since, until, last = entries(at, bits, first, count, rules)
            end = after(at, last, count, rules.window)
            is_mature = at[last] < rules.mature_until
            done = attempt(at, bits, first, end, count, since, until, rules, work, out[4][n], out[5][n], out, n)
            n += settle(out, n, u, OF_ALL | OF_MATURE if is_mature else OF_ALL, place, mask, bounds[u + 1], rules)
            if rules.grouping == PER_UNIT and not is_mature and at[first] < rules.mature_until:
                until = min(until, rules.mature_until)
                attempt(at, bits, first, end, count, since, until, rules, work, out[4][n], out[5][n], out, n)
                n += settle(out, n, u, OF_MATURE, place, mask, bounds[u + 1], rules)
            if rules.grouping == PER_UNIT or rules.is_first:
                break
            following = last + 1 if rules.grouping == PER_DAY else done + 1 if done >= 0 else end
            first = next_entry(at, bits, following, count, rules)
    return out[0][:n], out[1][:n], out[2][:n], out[3][:n], out[4][:n], out[5][:n]


@compiled
def records(bounds, mask, rules):
    """Room for as many records as there can be: unit, scope, depth, reached, times, rows."""
    size = 2 * len(bounds)
    if rules.grouping != PER_UNIT:
        size += len(mask)
    k = rules.n_steps
    return (np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64), np.empty(size, np.int64),
            np.empty((size, k), np.int64), np.empty((size, k), np.int64))


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
def attempt(at, bits, first, end, count, since, until, rules, work, times, rows, out, n):
    """Fill record n with the best attempt of these entries; the row at which it is complete, or -1."""
    times[:], rows[:] = NEVER, -1
    if rules.order == NESTED:
        first, end = 0, count
    if rules.grace:
        first = 0
    a, b, is_removed = at[first:], bits[first:], False
    if rules.order == STRICT:
        depth, reached = strict(a, b, end - first, since, until, rules, work, times, rows)
    elif rules.order == UNORDERED:
        depth, reached = unordered(a, b, end - first, since, until, rules, times, rows)
    elif rules.order == NESTED:
        depth, reached = nested(a, b, end - first, since, until, rules, times, rows)
    elif rules.grace:
        depth, reached = graced(a, b, end - first, since, until, rules, times, rows)
    else:
        depth, reached, is_removed = scan(a, b, end - first, since, until, rules, work, times, rows)
    for s in range(rules.n_steps):
        if rows[s] >= 0:
            rows[s] += first
    out[2][n], out[3][n] = (0 if is_removed else depth), reached
    return rows[rules.n_steps - 1] if depth == rules.n_steps else -1


@compiled
def settle(out, n, unit, scope, place, mask, end, rules):
    """Complete record n with the places of its rows in the batch; 0 where an exclusion removed the unit, else 1."""
    out[0][n], out[1][n] = unit, scope
    for s in range(rules.n_steps):
        if out[5][n, s] >= 0:
            out[5][n, s] = source_row(mask, place[out[5][n, s]], end, s)
    return 1 if out[2][n] > 0 else 0
