"""Facts: the only code that sees raw rows. One row per user (or unit) and grain, lazily, in the engine."""

from analysis.facts.population import Facts, observe

__all__ = ["Facts", "observe"]
