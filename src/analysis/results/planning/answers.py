"""All answers of a plan at once: each of them is needed by several sections."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.facts.past import Past
from analysis.results.planning.holdouts import HeldOut, holdouts
from analysis.results.planning.lengths import judged_days
from analysis.results.planning.needs import Need, needs
from analysis.results.planning.past_checks import past_checks
from analysis.results.planning.reach import Reach, reaches_by_days
from analysis.results.planning.smart import Smart, smart
from analysis.results.planning.tensions import Tension, tensions
from analysis.results.planning.verdict import PlanVerdict, Remedy, plan_verdict, remedies
from analysis.results.trust import Check


@dataclass(frozen=True, slots=True)
class Answers:
    """What a plan says."""

    verdict: PlanVerdict
    remedies: list[Remedy]     # of what the verdict misses
    checks: list[Check]
    needs: list[Need]          # one per tested metric and arm, at the planned length
    reaches: list[Reach]       # one per tested metric, arm and length
    holdouts: list[HeldOut]    # one per share held out
    smart: list[Smart]         # one per goal
    tensions: list[Tension]    # one per pair of goals and guardrails
    n_active: int              # users with an event or order in the days that effects are judged at


def answers(past: Past) -> Answers:
    """Everything that can be said before the campaign begins."""
    checks, reaches = past_checks(past), reaches_by_days(past)
    n_active = next((row.n_active for row in reaches if row.days == judged_days(past)), 0)
    needed, shares = needs(past, reaches), holdouts(past, n_active)
    return Answers(plan_verdict(past, checks, needed, shares), remedies(past, needed, reaches, shares), checks, needed,
                   reaches, shares, smart(past), tensions(past), n_active)
