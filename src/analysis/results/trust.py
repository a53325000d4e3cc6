"""May the numbers be believed? The gate that every effect has to pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """One trust check."""

    name: str              # "split", "two_arms", "duplicates", "missing_days", "balance", ...
    state: str             # "ok", "warn", "fail", "not_checked"
    found: float           # the number looked at (its meaning is the check's)
    limit: float           # what it may be
    pvalue: float          # nan where the check is not a test
    n: int                 # rows, users or days looked at
    subject: str = ""      # table, metric or arm it is about
    reason: str = ""       # code, where the state needs a why
