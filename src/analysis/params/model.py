"""What a campaign file can say. One default each, here and in the parts, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from analysis.params.counting import Activity, Funnel, Match, Retention
from analysis.params.effects import Effects
from analysis.params.metric import Goal, Metric
from analysis.params.part import Part
from analysis.params.period import Period, end_of, instant, known_zone
from analysis.params.plan import Plan
from analysis.params.quantile import Quantile
from analysis.params.report_file import ReportFile
from analysis.params.series import Series
from analysis.params.sources import Population, Sources
from analysis.params.values import Moment, Share, Text


class Arms(Part):
    """The arms of a randomised campaign."""

    control: str
    """the arm that did not get the campaign; never inferred"""
    shares: dict[str, Share] = Field(min_length=2)
    """arm -> its planned share of the users (of the clusters, where such were drawn); together 100%"""
    cluster: str = ""
    """column of users whose values were drawn as a whole, such as store or city; users of one hang together"""
    strata: list[str] = []
    """columns of users within which arms are compared and then weighted (post-stratification); known before"""


class Campaign(ReportFile):
    """One campaign, one file, one report. The file's name is the campaign's."""

    series: Series | None = None
    """of which campaigns this is an edition, so that it is compared with the one before"""
    time_zone: str = "UTC"
    """zone of the campaign's days, such as Asia/Shanghai"""
    period: Period
    """when the campaign ran"""
    baseline: Period | None = None
    """the time before to compare with; a whole number of times as long as the period"""
    after: Period | None = None
    """the time after, to see what stayed and what was only moved forward"""
    data_until: Moment | None = None
    """last day (included) or instant that the data cover; the day of the last event or order when empty"""
    closed: list[Moment] = []
    """days on which nothing could happen (shops shut, service down by plan); they are not missing data"""
    sources: Sources
    """where the data lie"""
    population: Population = Population()
    """who counts"""
    min_cell_size: int = Field(default=10, ge=1, le=1000)
    """fewest users that a row about a group (segment, cohort, ...) may speak of; smaller groups, and others that would
    give them away, are left out; 1 shows all"""
    arms: Arms | None = None
    """arms of a randomised campaign"""
    no_control_group: Text | None = None
    """instead of arms: why there is no randomised control; the report prints it"""
    effects: Effects = Effects()
    """how effects are told from chance"""
    metrics: dict[str, Metric] = Field(min_length=1)
    """name -> how it is counted"""
    quantiles: dict[str, Quantile] = {}
    """name -> a quantile of rows by which arms are compared beside the metrics"""
    goals: list[Goal] = []
    """what was promised"""
    plan: Plan = Plan()
    """for `campaign plan` and `campaign assign`, before the campaign runs"""
    funnels: dict[str, Funnel] = {}
    """name -> steps"""
    retention: Retention | None = None
    """who came back"""
    activity: Activity | None = None
    """how active users are"""
    costs: dict[str, str] = {}
    """item -> amount, or the metric whose total over the period it is"""
    _zone = field_validator("time_zone")(known_zone)

    def phase(self, phase: str) -> Period | None:
        """The baseline is the phase before, the period the phase during."""
        return {"before": self.baseline, "during": self.period, "after": self.after}[phase]

    def instant(self, local: date | datetime) -> datetime:
        """A moment on the campaign's clock, in UTC."""
        return instant(local, self.time_zone)

    def local(self, at: datetime) -> datetime:
        """An instant on the campaign's clock, without a zone mark."""
        return at.astimezone(ZoneInfo(self.time_zone)).replace(tzinfo=None)

    def shifted(self, at: datetime, by: timedelta) -> datetime:
        """An instant moved on the campaign's clock: a day later is the same hour of the next day."""
        return self.instant(self.local(at) + by)

    def end_of(self, moment: date | datetime) -> datetime:
        """The instant after a day, or the instant itself, in UTC."""
        return end_of(moment, self.time_zone)

    @property
    def first_day(self) -> date:
        """The local day on which the campaign begins."""
        return self.local(self.period.interval(self.time_zone)[0]).date()

    @property
    def end_of_data(self) -> datetime | None:
        """What `data_until` says, in UTC: the instant after the last that the data cover."""
        return None if self.data_until is None else self.end_of(self.data_until)

    @property
    def blocks(self) -> list[str]:
        """Parts of the report that this file asks for."""
        asked = {
            "arms": self.arms, "no_control_group": self.no_control_group, "goals": self.goals,
            "baseline": self.baseline, "after": self.after, "funnels": self.funnels,
            "retention": self.retention, "activity": self.activity, "costs": self.costs or self.sources.costs,
            "phases": self.baseline or self.after, "segments": self.effects.segments,
            "quantiles": self.quantiles, "series": self.series,
        }
        return [block for block, value in asked.items() if value]

    def matches(self) -> Iterator[tuple[tuple, Match]]:
        """Every condition on events, with its place in the file."""
        for name, funnel in self.funnels.items():
            for key in ("steps", "exclusions"):
                for i, match in enumerate(getattr(funnel, key)):
                    yield ("funnels", name, key, i), match
        if self.retention:
            yield ("retention", "start"), self.retention.start
            yield ("retention", "returning"), self.retention.returning
        if self.activity:
            yield ("activity", "event"), self.activity.event

    def metric(self, role: str) -> list[str]:
        """Names of the metrics with this role."""
        return [name for name, metric in self.metrics.items() if metric.role == role]
