"""The same effects otherwise calculated: does the answer hang on the method? At the level that looking early leaves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

from analysis.facts.population import Facts
from analysis.results.contrast import Contrast, contrast, parts_of
from analysis.results.looks import level_at_end
from analysis.results.relabelled import SEED, relabelled, runs, tested_rows
from analysis.stats.bootstrap import RESAMPLES, bootstrap_means, bootstrap_ratios
from analysis.stats.comparison import Comparison
from analysis.stats.permutation import compare_permuted
from analysis.stats.proportions import fisher_pvalue
from analysis.stats.ranks import compare_ranks
from analysis.stats.winsor import compare_winsorised

MANY = 20    # resamples beyond a bound, below which the bootstrap has no interval worth showing
FEWEST = 5   # expected users of a cell, below which the score test has an exact one beside it


@dataclass(frozen=True, slots=True, kw_only=True)
class View(Comparison):
    """One metric, one arm, by another method than the effect's. `pvalue < alpha` exactly when its intervals say so."""

    metric: str
    unit: str
    arm: str
    control: str
    method: str                          # "unadjusted", "winsorised", "ranks", "permutation", "bootstrap", "fisher"
    cap: float = math.nan                # winsorised: values stand at most so far from 0
    n_capped: int = 0                    # winsorised: users whose value was pulled in, both arms
    superiority: float = math.nan        # ranks: chance that a user of the arm has more than one of control; ties half
    superiority_lower: float = math.nan
    superiority_upper: float = math.nan


def views(facts: Facts) -> list[View]:
    """Of every adjusted metric the plain comparison; of the primary one also what needs its users' rows."""
    campaign = facts.campaign
    if campaign.arms is None:
        return []
    primary = next(iter(campaign.metric("primary")))
    names = [name for role in ("primary", "secondary", "guardrail") for name in campaign.metric(role)]
    found = []
    for name in names:
        own = contrast(facts, name)
        for arm in campaign.arms.shares:
            reported = own.compare(arm, campaign.arms.control) if arm != campaign.arms.control else None
            if reported is None or reported.reason:
                continue
            alpha = level_at_end(facts, name, reported.n_treatment + reported.n_control)
            if math.isnan(alpha):   # too early for any interval
                continue
            if own.method in ("adjusted", "strata"):
                plain = contrast(facts, name, is_adjusted=False).compare(arm, campaign.arms.control, alpha)
                found.append(_view(facts, name, arm, "unadjusted", plain))
            if name == primary:
                found += _of_rows(facts, own, arm, alpha)
    return found


def _of_rows(facts: Facts, own: Contrast, arm: str, alpha: float) -> Iterator[View]:
    control = facts.campaign.arms.control
    if own.counts:
        yield from _exact(facts, own, arm, alpha)
    if not runs(facts):
        return
    if (own.name, arm) in relabelled(facts).statistics and runs(facts) * alpha > 1:
        yield _view(facts, own.name, arm, "permutation",
                    compare_permuted(own.pairs[arm], relabelled(facts).statistics[own.name, arm], alpha))
    if own.shape == "proportion" or facts.campaign.arms.cluster:
        return
    rows, parts = tested_rows(facts, own.name), parts_of(facts, own.name)
    values = [[rows.of(each, part) for part in parts] for each in (arm, control)]
    if own.shape == "ratio":
        if alpha * RESAMPLES > MANY:
            resampled = bootstrap_ratios(*(tuple(v) for v in values), alpha, seed=SEED)
            yield _view(facts, own.name, arm, "bootstrap", resampled)
        return
    (treatment,), (base,) = values
    if alpha * RESAMPLES > MANY:
        yield _view(facts, own.name, arm, "bootstrap", bootstrap_means(treatment, base, alpha, seed=SEED))
    capped = compare_winsorised(treatment, base, alpha=alpha)
    yield _view(facts, own.name, arm, "winsorised", capped, cap=capped.cap,
                n_capped=capped.n_capped_treatment + capped.n_capped_control)
    ranked = compare_ranks(treatment, base, alpha)
    bare = Comparison(kind="rank", n_treatment=ranked.n_treatment, n_control=ranked.n_control, pvalue=ranked.pvalue,
                      alpha=ranked.alpha, reason=ranked.reason, rel_reason=ranked.reason)
    yield _view(facts, own.name, arm, "ranks", bare, superiority=ranked.superiority,
                superiority_lower=ranked.superiority_lower, superiority_upper=ranked.superiority_upper)


def _exact(facts: Facts, own: Contrast, arm: str, alpha: float) -> Iterator[View]:
    """Fisher's p beside the score test's, where a cell is small."""
    (x_t, n_t), (x_c, n_c) = own.counts[arm], own.counts[facts.campaign.arms.control]
    share = (x_t + x_c) / (n_t + n_c)
    if min(n_t, n_c) * min(share, 1 - share) < FEWEST:
        bare = Comparison(kind="proportion", n_treatment=n_t, n_control=n_c, alpha=alpha,
                          pvalue=fisher_pvalue(x_t, n_t, x_c, n_c))
        yield _view(facts, own.name, arm, "fisher", bare)


def _view(facts: Facts, name: str, arm: str, method: str, found: Comparison, **more: float) -> View:
    metric = facts.campaign.metrics[name]
    own = {field.name: getattr(found, field.name) for field in fields(Comparison)}
    return View(**own, metric=name, unit="share" if metric.kind == "any" else metric.unit, arm=arm,
                control=facts.campaign.arms.control, method=method, **more)
