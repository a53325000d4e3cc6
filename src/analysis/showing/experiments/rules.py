"""The rules that a report on many experiments follows, filled from what was really used."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.data.summaries import Summaries
from analysis.params.experiments import SummaryMetric
from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import CLOSER_LOOK, GATE
from analysis.showing.experiments.words import corrected_by, level
from analysis.showing.reader import Reader
from analysis.showing.table import Html, definitions
from analysis.stats.comparison import ALPHA


def rules(summaries: Summaries, found: Sequence[Effect], reader: Reader) -> Html:
    """The definitions box."""
    params, say = summaries.params, reader.say
    said = [
        (say("Comparison"), say(
            "Each treatment against {control} of its experiment, at its last look: difference of means by Welch on "
            "users, means and variances; relative effects by Fieller, so that they agree with p. An interval is at the "
            "level at which its corrected p is judged.", control=reader.label(params.control))),
        *((say("Metric: {name}", name=reader.label(name)), _metric(params.metrics[name], reader))
          for name in params.ordered_metrics),
        ("p", say("How often chance alone would give a difference as large if there were no effect.")),
        (say("Split"), say(
            "Users of treatment and control at the last look against the planned shares (chi-square, exact for few "
            "users). An experiment with a p below {gate} is not to be trusted as a whole; below {looser} it is noted.",
            gate=level(GATE), looser=level(CLOSER_LOOK))),
        (say("Correction"), say(
            "p is corrected by {correction} over the {n} treatments of a metric. Treatments that are not to be trusted "
            "count among them and are never claimed. Better or worse is what has a corrected p below {alpha}.",
            correction=corrected_by(params.correction, reader),
            n=reader.count(sum(effect.metric == params.ordered_metrics[0] for effect in found)), alpha=level(ALPHA))),
        (say("Looking at any time"), say(
            "A p that holds however often one looks: confidence sequence by a normal mixture (Waudby-Smith and "
            "others), on a clock of days that users were watched, sharpest at {share} of an experiment's length. It is "
            "for one treatment and not corrected for many.", share=reader.percent(params.tightest_at, 0))),
        (say("Smallest visible"), say(
            "The effect that would have been seen with a chance of four in five, at the users and variances found and "
            "at the level of the interval.")),
    ]
    if summaries.has_before:
        said.append((say("Time before"), say(
            "What the same users did before the experiment is taken off by regression (CUPED), where it is known of "
            "both arms; p without it stands beside.")))
    return definitions(said)


def _metric(metric: SummaryMetric, reader: Reader) -> str:
    say = reader.say
    counted = say("share of users") if metric.kind == "share" else say("mean per user")
    better = say("higher is better") if metric.better == "higher" else say("lower is better")
    return counted + say("; ") + better
