"""The one answer on the first screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Did it work?"""

    answer: str            # "works", "does_not", "cannot_tell", "do_not_trust"
    reasons: tuple[str, ...]   # codes, most important first
    metric: str            # the primary metric, "" when there is none
