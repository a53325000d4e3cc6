"""The arms' sizes so far, at every look: a test that may be looked at every day."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.facts.population import Facts
from analysis.facts.running_facts import entered
from analysis.results.trust import ALPHA, Check, split_state
from analysis.stats import comparison
from analysis.stats.split_looks import SplitLooks, split_looks


@dataclass(frozen=True, slots=True)
class ArmSoFar:
    """One arm at the end of one tick."""

    tick: int
    arm: str
    n_users: int            # clusters, where arms were drawn by cluster
    share: float            # of the users of all arms; nan while there are none
    planned_share: float
    pvalue: float           # of the whole split, the smallest so far; nan while there are no users
    cluster: str = ""       # what was drawn, where it was not users
    reason: str = ""        # "no_users", "one_arm"


def split(facts: Facts) -> list[ArmSoFar]:
    """By tick, then in the order of the params."""
    arms, counts = facts.campaign.arms, entered(facts)
    found = []
    for i, own in enumerate(counts):
        test, n = split_looks(counts[:i + 1], arms.shares, ALPHA), sum(own.values())
        found += [ArmSoFar(i + 1, arm, own.get(arm, 0), own.get(arm, 0) / n if n else float("nan"), planned,
                           test.pvalue, arms.cluster, test.reason) for arm, planned in arms.shares.items()]
    return found


def split_check(facts: Facts) -> Check:
    """The split over all looks so far as a trust check: fails below the level of the other checks, .001.

    Below .05 it asks for a look: that too is rare over all looks.
    """
    test = _test(facts)
    state = split_state(test) if entered(facts) else "ok"   # before the first tick nobody can be there
    if state == "ok" and test.pvalue < comparison.ALPHA:
        state = "warn"   # it would void a report at its end if it goes on like this
    return Check("split", state, test.first_alarm, ALPHA, test.pvalue, test.n,
                 facts.campaign.arms.cluster, test.reason)


def _test(facts: Facts) -> SplitLooks:
    return split_looks(entered(facts), facts.campaign.arms.shares, ALPHA)
