"""Results of many experiments -> tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import ArmSplit
from analysis.results.experiments.tallies import Tally
from analysis.results.trust import Check
from analysis.showing.experiments import words
from analysis.showing.reader import Reader
from analysis.showing.table import Cell, Column, Table, cut, interval_cell
from analysis.showing.tables import MARKS, STATES
from analysis.showing.tables import VERDICTS as EFFECT_VERDICTS
from analysis.showing.words import reason_text
from analysis.stats.comparison import ALPHA

CHECKS = {"split": "Split of the arms", "without_variance": "Variances", "too_few": "Rows with few users",
          "shrunk": "Users only join", "unpaired": "Controls at the same time"}
VERDICTS = EFFECT_VERDICTS | {"not_trusted": "not to be trusted"}
ORDER = {"better": 0, "worse": 0, "cannot_tell": 1, "not_trusted": 2}
N_EFFECTS = 12   # rows of the longest table on the page


def checks(rows: Sequence[Check], reader: Reader) -> Table:
    """One row per check, worst first."""
    say = reader.say
    columns = [Column("check", say("Check")), Column("state", say("State")), Column("found", say("What was found"))]
    return Table("checks", say("Trust checks: can the numbers be trusted?"), columns, [
        [Cell(row.name, say(CHECKS[row.name])), Cell(row.state, say(STATES[row.state]), row.state),
         Cell(row.found, words.check(row, reader))] for row in rows])


def splits(rows: Sequence[ArmSplit], reader: Reader) -> Table:
    """One row per treatment, the least likely split first; on the page those that are noted."""
    say = reader.say
    columns = [Column("experiment", say("Experiment")), Column("arm", say("Treatment")), Column("state", say("State")),
               Column("n_treatment", say("Users"), True), Column("n_control", say("Users of the control"), True),
               Column("share", say("Share"), True), Column("planned_share", say("Planned share"), True),
               Column("pvalue", "p", True)]
    ordered = sorted(rows, key=lambda row: (math.isnan(row.pvalue), row.pvalue, row.experiment, row.arm))
    cells = [[Cell(row.experiment, reader.label(row.experiment)), Cell(row.arm, reader.label(row.arm)),
              Cell(row.state, say(STATES[row.state]), row.state),
              Cell(row.n_treatment, reader.count(row.n_treatment)), Cell(row.n_control, reader.count(row.n_control)),
              Cell(row.share, reader.percent(row.share, 2)), Cell(row.planned_share, reader.percent(row.planned_share)),
              Cell(row.pvalue, reader.pvalue(row.pvalue))] for row in ordered]
    n_noted = sum(row.state != "ok" for row in rows)
    return Table("splits", say("Users of each treatment against its control, the least likely split first"), columns,
                 **cut(cells, reader, max(n_noted, 3)))


def claims(rows: Sequence[Tally], reader: Reader) -> Table:
    """One row per metric: what its treatments did, and how large an effect is and has to be."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("n", say("Treatments"), True),
               Column("better", say("Better"), True), Column("worse", say("Worse"), True),
               Column("cannot_tell", say("Cannot tell"), True), Column("effect", say("Effect size (median)"), True),
               Column("detectable", say("Smallest visible (median)"), True)]
    share = partial(words.share, reader=reader)
    return Table("claims", say("What the treatments did, experiments that can be trusted"), columns, [
        [Cell(row.metric, reader.title(row.metric)),
         *(Cell(n, reader.count(n)) for n in (
             row.n_treatments, row.n_better, row.n_worse, row.n_cannot_tell)),
         Cell(row.median_effect, share(row.median_effect)), Cell(row.median_detectable, share(row.median_detectable))]
        for row in rows if row.scope == "trusted"])


def peeking(rows: Sequence[Tally], reader: Reader) -> Table:
    """Claims by three ways of looking, for the experiments that can be trusted and for all."""
    say, alpha = reader.say, words.level(ALPHA)
    columns = [Column("metric", say("Metric")), Column("n", say("Treatments"), True),
               Column("end", say("p below {alpha} at the end", alpha=alpha), True),
               Column("ever", say("p below {alpha} at some look", alpha=alpha), True),
               Column("any_time", say("By the method that allows looking"), True)]
    return Table("peeking", say("Treatments claimed by each way of looking"), columns, [
        [_metric(row, reader), *(Cell(n, reader.count(n)) for n in (
            row.n_treatments, row.n_below, row.n_below_ever, row.n_any_time))] for row in rows])


def chance(rows: Sequence[Tally], reader: Reader) -> Table:
    """Claims before and after each correction."""
    say = reader.say
    columns = [Column("metric", say("Metric")), Column("tested", say("Tested"), True),
               Column("by_chance", say("By chance alone"), True),
               Column("below", say("p below {alpha} at the end", alpha=words.level(ALPHA)), True),
               Column("bh", say("After Benjamini and Hochberg"), True), Column("holm", say("After Holm"), True)]
    return Table("chance", say("Treatments with a small p at the end, before and after the correction"), columns, [
        [_metric(row, reader), Cell(row.n_tested, reader.count(row.n_tested)),
         Cell(row.n_by_chance, reader.number(row.n_by_chance, 1)),
         *(Cell(n, reader.count(n)) for n in (row.n_below, row.n_bh, row.n_holm))] for row in rows])


def _metric(row: Tally, reader: Reader) -> Cell:
    name = reader.title(row.metric)
    return Cell(f"{row.metric} {row.scope}", name if row.scope == "trusted" else reader.say(
        "{metric}, all experiments", metric=name))


def effects(rows: Sequence[Effect], reader: Reader) -> Table:
    """One row per metric and treatment: claims first, then the undecided, then what is not to be trusted."""
    say = reader.say
    has_before = any(not math.isnan(row.reduction) for row in rows)
    columns = [Column("experiment", say("Experiment")), Column("arm", say("Treatment")),
               Column("verdict", say("Verdict")), Column("rel_diff", say("Effect"), True),
               Column("rel_interval", say("Interval of the effect"), True),
               Column("pvalue_adjusted", say("p (adjusted)"), True), Column("pvalue", "p", True),
               Column("pvalue_any_time", say("p (any time)"), True),
               Column("detectable", say("Smallest visible"), True), Column("control", say("Control"), True),
               Column("treatment", say("Treatment's value"), True), Column("n", say("Users"), True),
               Column("metric", say("Metric")),
               *([Column("reduction", say("Variance taken off"), True),
                  Column("pvalue_plain", say("p without the time before"), True)] if has_before else [])]
    places = {name: i for i, name in enumerate(dict.fromkeys(row.metric for row in rows))}
    ordered = sorted(rows, key=lambda row: (places[row.metric], ORDER[row.verdict], math.isnan(row.pvalue), row.pvalue))
    return Table("effects", say("Each treatment against its control, claims first"), columns,
                 **cut([_effect(row, has_before, reader) for row in ordered], reader, N_EFFECTS))


def _effect(row: Effect, has_before: bool, reader: Reader) -> list[Cell]:
    change, share = partial(words.change, reader=reader), partial(words.share, reader=reader)
    verdict = reader.say(VERDICTS[row.verdict])
    if row.reason and row.is_trusted:
        verdict += reader.say(" ({why})", why=reason_text(row.reason, reader))
    return [
        Cell(row.experiment, reader.label(row.experiment)), Cell(row.arm, reader.label(row.arm)),
        Cell(row.verdict, verdict, MARKS.get(row.verdict, "warn")),
        Cell(row.rel_diff, change(row.rel_diff)), interval_cell(row.rel_diff_lower, row.rel_diff_upper, change, reader),
        Cell(row.pvalue_adjusted, reader.pvalue(row.pvalue_adjusted)), Cell(row.pvalue, reader.pvalue(row.pvalue)),
        Cell(row.pvalue_any_time, reader.pvalue(row.pvalue_any_time)),
        Cell(row.rel_detectable, share(row.rel_detectable)),
        Cell(row.value_control, reader.amount(row.value_control, row.unit)),
        Cell(row.value_treatment, reader.amount(row.value_treatment, row.unit)),
        Cell(row.n_treatment, reader.count(row.n_treatment)), Cell(row.metric, reader.title(row.metric)),
        *([Cell(row.reduction, reader.percent(row.reduction)), Cell(row.pvalue_plain, reader.pvalue(row.pvalue_plain))]
          if has_before else [])]
