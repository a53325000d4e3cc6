"""A unit's rows made ready for the orders: history looked at, range applied, ties merged."""

from __future__ import annotations

import numpy as np

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.rules import ALWAYS, NAMED_BIT, STRICT


@compiled
def bits_at(rank, mask, i):
    """What the row matches; without a mask the one step that its rank is the number of."""
    return mask[i] if len(mask) else 1 << rank[i] - 1


@compiled
def prepare(instant, rank, mask, start, end, rules, at, bits, place):
    """Copy the rows start .. end that count into at, bits and place (their index); returns how many there are."""
    n, done = 0, 0
    for i in range(start, end):
        t, b = instant[i], bits_at(rank, mask, i)
        if rules.first_ever | rules.first_matching:
            b, done = only_first(b, done, rules)
        if t < rules.rows_from or t >= rules.rows_until:
            continue
        if rules.order == STRICT and b:
            while n and at[n - 1] == t and not bits[n - 1]:
                n -= 1                           # another event at the same instant as a step does not break
        if rules.is_strictly_later and n and at[n - 1] == t:
            bits[n - 1] |= b                     # one instant is one row: nothing in it is later than the rest
            continue
        at[n], bits[n], place[n] = t, b, i
        n += 1
    return n


@compiled
def only_first(bits, done, rules):
    """A row's bits without the steps that had their first time before, and the steps that have had it now."""
    named = bits >> NAMED_BIT & rules.first_ever | bits & rules.first_matching
    return bits & ~(done & (rules.first_ever | rules.first_matching)), done | named


@compiled
def after(at, last, count, window):
    """The first row that no entry up to `last` can reach."""
    if window == ALWAYS:
        return count
    i = last
    while i < count and at[i] - at[last] <= window:
        i += 1
    return i


@compiled
def source_row(rank, mask, i, end, step):
    """The row at or after i that matches the step: where ties were merged, it is one of the tie."""
    while i < end - 1 and not bits_at(rank, mask, i) >> step & 1:
        i += 1
    return i


@compiled
def bits_of(rank, mask):
    """Every row's bits."""
    bits = np.empty(len(rank), np.int64)
    for i in range(len(rank)):
        bits[i] = bits_at(rank, mask, i)
    return bits
