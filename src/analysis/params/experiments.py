"""What a file can say that compares many experiments, of which only summaries are at hand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from analysis.params.metric import Direction
from analysis.params.part import Part, suggest
from analysis.params.report_file import ReportFile
from analysis.params.sources import Source
from analysis.params.values import Share

Mistake = tuple[tuple, str]


class SummaryMetric(Part):
    """A number per user of which the data hold mean and variance."""

    key: str = ""
    """what the data's column `metric` calls it; its name here when empty"""
    kind: Literal["mean", "share"] = "mean"
    """mean of a number per user; or share of the users who did something, that is the mean of ones and zeros"""
    role: Literal["primary", "secondary"] = "secondary"
    """primary (exactly one) or secondary"""
    better: Direction = "higher"
    """which way is better"""
    unit: str = ""
    """unit of the number: the currency's code, orders, minutes, ...; none for a share"""

    @model_validator(mode="after")
    def _a_share_has_no_unit(self) -> SummaryMetric:
        if self.kind == "share" and self.unit:
            raise ValueError("a share has no unit: leave `unit:` out")
        return self


class Experiments(ReportFile):
    """Many experiments, one file, one report."""

    experiments: Source
    """one row per experiment, arm, metric and look: experiment, arm, metric, at (days since the start), n (users so
    far), mean and variance per user so far; with one look `values: {at: 1}` will do. Beside them, if users are known
    from before the experiment: pre_mean, pre_variance, covariance"""
    control: str
    """the arm that every other arm of an experiment is compared with; never inferred"""
    shares: dict[str, Share] = Field(min_length=2)
    """arm -> its planned share of the users; an experiment is held to the proportions between the arms it has"""
    metrics: dict[str, SummaryMetric] = Field(min_length=1)
    """name -> which summaries they are and which way is better"""
    correction: Literal["holm", "bh"] = "holm"
    """for the many treatments of one metric: holm lets a false claim be unlikely among all of them, bh
    (Benjamini-Hochberg) lets few of the claims be false"""
    tightest_at: Share = 1.0
    """share of an experiment's length at which the method that allows looking at any time is to be sharpest; to be
    fixed before the data are seen"""

    @field_validator("tightest_at")
    @classmethod
    def _after_the_start(cls, share: float) -> float:
        if not share:
            raise ValueError("is 0%: before the first look there is nothing to see")
        return share

    @property
    def time_zone(self) -> str:
        """Experiments count days from their own start; only the report's own date needs a zone."""
        return "UTC"

    @property
    def ordered_metrics(self) -> list[str]:
        """Names of the metrics, the primary one first."""
        return sorted(self.metrics, key=lambda name: self.metrics[name].role != "primary")

    def key(self, metric: str) -> str:
        """What the data call a metric of this file."""
        return self.metrics[metric].key or metric

    def unit(self, metric: str) -> str:
        """Unit of a metric as reports have it."""
        return "share" if self.metrics[metric].kind == "share" else self.metrics[metric].unit


def disagreements(e: Any, broken: set[str]) -> Iterator[Mistake]:
    """Mistakes between the parts, each as (where, message); arguments as in `contradictions`."""
    if e.shares:
        yield from _shares(e)
    if e.metrics:
        yield from _metrics(e.metrics)


def _shares(e: Any) -> Iterator[Mistake]:
    if e.control is not None and e.control not in e.shares:
        yield ("control",), f"'{e.control}' is not among the shares{suggest(e.control, e.shares)}"
    for arm, share in e.shares.items():
        if share == 0:
            yield ("shares", arm), "is 0%: an arm that nobody is meant to be in"


def _metrics(metrics: Any) -> Iterator[Mistake]:
    primary = [name for name, metric in metrics.items() if metric and metric.role == "primary"]
    if len(primary) > 1 or (not primary and None not in metrics.values()):
        yield ("metrics",), f"exactly one metric is primary; found {', '.join(primary) or 'none'}"
    first: dict[str, str] = {}
    for name, metric in metrics.items():
        key = metric and (metric.key or name)
        if metric and first.setdefault(key, name) != name:
            yield ("metrics", name, "key"), f"'{key}' is what '{first[key]}' looks at already"
