"""One unit's rows against the periods of its cohorts (rules R1-R4): who started when, and when they came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from analysis.facts.fold.compiled import compiled
from analysis.facts.fold.whole import Units

START, RETURN, NAMED = 1, 2, 4        # bits of a row's mask: the start, the return, an event with the start's name
FLAVOURS = ("n_on", "n_on_or_after", "n_streak", "n_again")


class Clock(NamedTuple):
    """A retention table in numbers; times in microseconds since 1970."""

    edges: np.ndarray          # int64: when periods begin, from the first cohort's to the end of the data
    cells: np.ndarray          # int64 [n_periods + 1]: the cell that each period belongs to, counted from the start
    n_cohorts: int
    length: int                # of a period on the 24 h clock; 0 on the calendar
    is_recurring: bool         # every period with a start is a cohort
    first: int                 # NAMED or START: whose first time in history makes the cohort
    min_occurrences: int
    cohort_from: int
    cohort_until: int
    rows_from: int
    rows_until: int


@compiled
def count(bounds, at, mask, group, n_groups, clock):
    """Users by flavour, group, cohort and cell; cell 0 is the cohort's size.

    group   int32: the row's value of the breakdown
    """
    n_cells, n_periods = np.max(clock.cells) + 1, len(clock.edges)
    if clock.length:
        n_periods = (clock.edges[-1] - clock.edges[0]) // clock.length + 1
    found = np.zeros((4, n_groups, clock.n_cohorts, n_cells), np.int64)
    times, during = np.zeros(n_periods, np.int64), np.zeros(n_cells, np.bool_)
    for u in range(len(bounds) - 1):
        begin, end = bounds[u], bounds[u + 1]
        if not clock.length:
            times[:] = 0
            period, last = -1, len(clock.edges) - 1
            for i in range(begin, end):
                while period < last and at[i] >= clock.edges[period + 1]:
                    period += 1
                if mask[i] & RETURN and 0 <= period < last and clock.rows_from <= at[i] < clock.rows_until:
                    times[period] += 1
        latest = -1
        for i in range(begin, end):
            if not clock.is_recurring and latest >= 0:
                break
            if not mask[i] & (START if clock.is_recurring else clock.first):
                continue
            cohort = np.searchsorted(clock.edges, at[i], side="right") - 1
            is_in = clock.cohort_from <= at[i] < clock.cohort_until and clock.rows_from <= at[i] < clock.rows_until
            known, latest = latest, max(cohort, 0) if not clock.is_recurring else latest
            if not (mask[i] & START and is_in and known < cohort < clock.n_cohorts):
                continue
            latest = cohort
            if clock.length:
                own_times(at, mask, i, end, clock, times)
            is_beyond = came_back(times, 0 if clock.length else cohort, clock, during)
            tally(found, group[i], cohort, during, is_beyond)
    return found


@compiled
def own_times(at, mask, start, end, clock, times):
    """How often the unit came back in each period of its own clock, which begins at the row `start`."""
    times[:] = 0
    for i in range(start, end):
        period = (at[i] - at[start]) // clock.length
        if mask[i] & RETURN and period < len(times) and at[i] < clock.rows_until:
            times[period] += 1


@compiled
def came_back(times, offset, clock, during):
    """Mark the cells that have a period with returns enough; whether a period after the last cell has them."""
    during[:] = False
    is_beyond = False
    for p in range(1, len(times) - offset):
        if times[offset + p] >= clock.min_occurrences:
            if p < len(clock.cells):
                during[clock.cells[p]] = True
            else:
                is_beyond = True
    return is_beyond


@compiled
def tally(found, group, cohort, during, is_beyond):
    """Add a unit to its cohort under every flavour: in the cell, in it or later, in every cell up to it, in it and in
    the one before."""
    found[:, group, cohort, 0] += 1
    is_later, is_streak = is_beyond, True
    for c in range(1, len(during)):
        later = len(during) - c
        is_later |= during[later]
        is_streak &= during[c]
        found[0, group, cohort, c] += during[c]
        found[1, group, cohort, later] += is_later
        found[2, group, cohort, c] += is_streak
        found[3, group, cohort, c] += during[c] & (c == 1 or during[c - 1])


def cohort_counts(clock: Clock, pieces: Iterable[Units]) -> Iterator[pa.RecordBatch]:
    """Partial counts, to be added up: segment, cohort, cell, n_on, n_on_or_after, n_streak, n_again.

    pieces   at, mask (unless every row is a start and a return), and segment if there is a breakdown; rows in order
    """
    for units in pieces:
        segment = _segments(units)
        at = units.numbers["at"]
        mask = units.numbers["mask"] if "mask" in units.numbers else np.full(len(at), START | RETURN | NAMED)
        group = segment.indices.to_numpy()
        found = count(units.bounds, at, mask, group, len(segment.dictionary), clock)
        g, cohort, cell = np.nonzero(found.any(axis=0))
        columns = {"segment": segment.dictionary.take(pa.array(g)), "cohort": cohort, "cell": cell}
        yield pa.RecordBatch.from_pydict(
            {**columns, **{name: found[f, g, cohort, cell] for f, name in enumerate(FLAVOURS)}})


def _segments(units: Units) -> pa.DictionaryArray:
    if "segment" in units.values:
        return units.values["segment"].dictionary_encode("encode")
    return pa.DictionaryArray.from_arrays(np.zeros(units.bounds[-1], np.int32), [""])
