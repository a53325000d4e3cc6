"""What the fold needs to know of a funnel: plain numbers, no names."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

MAX_STEPS = MAX_EXCLUSIONS = 16
EXCLUSION_BIT, NAMED_BIT = 16, 32     # bits of a row's mask: steps from 0, exclusions, events of first-ever steps
NEVER = np.iinfo(np.int64).min        # "no such time"
ALWAYS = np.iinfo(np.int64).max

ORDERED, STRICT, UNORDERED, NESTED = range(4)
PER_UNIT, PER_DAY, PER_ENTRY = range(3)


class Rules(NamedTuple):
    """A funnel in numbers; times in microseconds since 1970, bounds of ranges: from inclusive, until exclusive."""

    n_steps: int
    order: int                 # ORDERED, STRICT, UNORDERED or NESTED (steps 1 to k done, in whatever order)
    window: int                # ALWAYS where there is none
    is_first: bool             # only the unit's first entry counts
    is_strictly_later: bool    # a tie does not count as later
    grace: int                 # how much earlier than the step before a step may be
    may_reuse: bool            # one row may fill several steps
    removes: bool              # an exclusion removes the unit; else it breaks the attempt
    optional: int              # bits of optional steps
    first_ever: int            # bits of steps that count only at the first event of that name in history
    first_matching: int        # bits of steps that count only the first time they match in history
    rows_from: int             # rows outside do not count, though history does for the first time
    rows_until: int
    entry_from: int
    entry_until: int
    mature_until: int          # entries before are over at the end of the data
    grouping: int              # one record per unit, per unit and day of entry, or per entry
    days: np.ndarray           # int64: instants at which the days begin, and the end of the last; for PER_DAY
    spans: np.ndarray          # int64 [n_exclusions]: bits of the steps after which each exclusion works
