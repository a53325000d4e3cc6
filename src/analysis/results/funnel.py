"""How far users got, step by step, and where they were lost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel in one segment; rates are on mature entries only (rule F10)."""

    funnel: str
    by: str                # column of the breakdown, "" for the whole funnel
    segment: str           # its value at entry, "" for the whole funnel
    position: int          # 1 .. number of steps
    step: str              # name of the event
    n_reached: int         # units that got at least this far, open windows included
    n_mature: int          # entered units whose window is over at the end of the data
    n_converted: int       # mature units that got at least this far
    rate: float            # n_converted / n_mature
    rate_lower: float      # Wilson
    rate_upper: float
    step_rate: float       # n_converted / n_converted of the step before; 1 at step 1
    n_lost: int            # n_converted of the step before - n_converted; 0 at step 1
    median_seconds: float  # entry to this step, among mature units that got here
    reason: str = ""       # why a rate is nan: "no_entries", "all_open"
