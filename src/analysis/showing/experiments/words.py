"""Results of many experiments -> sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analysis.data.summaries import Summaries
from analysis.results.experiments.checks import Compared
from analysis.results.experiments.effects import Effect
from analysis.results.experiments.splits import CLOSER_LOOK, GATE
from analysis.results.experiments.tallies import Course, Tally
from analysis.results.trust import Check
from analysis.showing.reader import Reader
from analysis.showing.table import Html, paragraphs
from analysis.stats.comparison import ALPHA

CHECKS = {  # what is said when a check is fine, and when it is not
    "split": ("All {n} experiments got the users that were planned.",
              "{found} of {n} experiments did not get the users that were planned; they are not to be trusted."),
    "without_variance": ("Every row has a variance.", "{found} of {n} rows have no variance; nothing is tested there."),
    "too_few": ("Every row has two users or more.",
                "{found} of {n} rows have fewer than two users; nothing is tested there."),
    "shrunk": ("Users only join: no row has fewer of them than the look before.",
               "{found} of {n} rows have fewer users than the look before: users were taken out, or rows are wrong."),
    "unpaired": ("Every look at a treatment has one at its control.",
                 "{found} of {n} rows are of a time at which the control has none; they are left out."),
}


def tally(counts: Sequence[Tally], metric: str, scope: str = "trusted") -> Tally:
    """The one of a metric."""
    return next(row for row in counts if (row.metric, row.scope) == (metric, scope))


def level(alpha: float) -> str:
    """A level of p as it is written, without zeros behind it."""
    return f"{alpha:g}"


def verdict(answer: Compared, counts: Sequence[Tally], reader: Reader) -> Html:
    """The box on the first screen: how many to trust, what the treatments did, what peeking would have claimed."""
    n = {"n": reader.count(answer.n_experiments), "trusted": reader.count(answer.n_trusted),
         "barred": reader.count(answer.n_barred), "out": reader.count(answer.n_barred_treatments)}
    if answer.answer == "do_not_trust":
        return paragraphs([reader.say("Do not trust these numbers"), reader.say(
            "No experiment got the users that were planned; {n} were compared.", **n)], "verdict do_not_trust")
    own = tally(counts, answer.metric)
    said = [reader.say("{n} experiments compared, {trusted} of them to be trusted", **n)]
    if answer.n_barred:
        said.append(reader.say(
            "In {barred} the arms did not get the users that were planned: users went missing or were moved, or the "
            "plan was another. Their treatments ({out}) are shown, and count neither as better nor as worse.", **n))
    said += [claimed(own, reader), peeked(own, reader) if answer.most_looks > 1 else ended(own, reader)]
    return paragraphs(said, "verdict compared")


def claimed(row: Tally, reader: Reader) -> str:
    """What the treatments did to one metric."""
    n_untested = row.n_treatments - row.n_tested
    said = [reader.say(
        "{metric}: {better} of {n} treatments did better than their control, {worse} did worse; for {rest} it cannot "
        "be told.", metric=reader.title(row.metric), n=reader.count(row.n_treatments),
        better=reader.count(row.n_better), worse=reader.count(row.n_worse),
        rest=reader.count(row.n_cannot_tell - n_untested))]
    if n_untested:
        said.append(reader.say("{n} could not be tested.", n=reader.count(n_untested)))
    return reader.prose(said)


def peeked(row: Tally, reader: Reader) -> str:
    """What stopping at the first small p would have claimed of one metric."""
    return reader.say(
        "Whoever had looked again and again and stopped as soon as p fell below {alpha} would have claimed an effect "
        "for {ever} of them. At the end p is below {alpha} for {end}; allowing for so many tests, {stand} stand.",
        alpha=level(ALPHA), ever=reader.count(row.n_below_ever), end=reader.count(row.n_below),
        stand=reader.count(row.n_better + row.n_worse))


def ended(row: Tally, reader: Reader) -> str:
    """What one look at the end claims before and after the correction."""
    return reader.say("p is below {alpha} for {end} of them; allowing for so many tests, {stand} stand.",
                      alpha=level(ALPHA), end=reader.count(row.n_below),
                      stand=reader.count(row.n_better + row.n_worse))


def splits(answer: Compared, reader: Reader) -> str:
    """How many splits are suspicious, at both levels."""
    return reader.say(
        "Of {n} treatments {noted} have a split with p below {looser}, where chance gives about {expected}; {failed} "
        "have one below {gate}, which bars their experiment.", n=reader.count(answer.n_treatments),
        noted=reader.count(answer.n_split_noted), looser=level(CLOSER_LOOK), gate=level(GATE),
        expected=reader.number(answer.n_split_by_chance, 1), failed=reader.count(answer.n_split_failed))


def sizes(row: Tally, reader: Reader) -> str:
    """How large effects are, and how small they may be and still be seen."""
    if row.reason:
        return reader.say("No relative effect is known.")
    return reader.say(
        "Half of the treatments changed {metric} by less than {effect}. In half of them an effect had to exceed "
        "{visible} to be seen.", metric=reader.label(row.metric), effect=share(row.median_effect, reader),
        visible=share(row.median_detectable, reader))


def looking(row: Tally, reader: Reader) -> str:
    """What a method that allows looking would have claimed."""
    return reader.say(
        "By a method that allows looking at any time, {any} of {n} treatments would have been claimed at some look; by "
        "stopping at the first p below {alpha}, {ever}.", any=reader.count(row.n_any_time),
        n=reader.count(row.n_treatments), alpha=level(ALPHA), ever=reader.count(row.n_below_ever))


def split_chart(answer: Compared, reader: Reader) -> str:
    return reader.prose([
        reader.say("How often each p of a split came: without any fault all bars would be as high as the line."),
        splits(answer, reader)])


def forest(row: Tally, n_barred: int, is_first: bool, reader: Reader) -> str:
    """The words of a forest of one metric; how to read it is said at the first."""
    said = [claimed(row, reader)]
    if is_first:
        said.append(reader.say("A line is the interval of a treatment, the largest effect on top; one that crosses "
                               "zero leaves the direction open."))
    if n_barred and is_first:
        said.append(reader.say("Dotted, below: {n} treatments of experiments that are not to be trusted.",
                               n=reader.count(n_barred)))
    return reader.prose(said)


def chance(row: Tally, correction: str, reader: Reader) -> str:
    """How many claims are what so many tests give by chance."""
    return reader.say(
        "{metric}: p is below {alpha} for {below} of {n} tested treatments, and chance alone gives about {expected}. "
        "{stand} stand after the correction by {correction}. The more users, the nearer to zero an effect may be and "
        "still stand.", metric=reader.title(row.metric), alpha=level(ALPHA), below=reader.count(row.n_below),
        n=reader.count(row.n_tested), expected=reader.number(row.n_by_chance, 1),
        stand=reader.count(row.n_better + row.n_worse), correction=corrected_by(correction, reader))


def corrected_by(correction: str, reader: Reader) -> str:
    return {"holm": reader.say("Holm"), "bh": reader.say("Benjamini and Hochberg")}[correction]


def course(rows: Sequence[Course], reader: Reader) -> str:
    """The words of the chart of looking."""
    end = rows[-1]
    return reader.say(
        "{metric}: treatments that would have been claimed by a moment of their run, of {n}. At the end {ever} by "
        "stopping at the first p below {alpha}, {any} by the method that allows looking; {now} have such a p at that "
        "moment.", metric=reader.title(end.metric), n=reader.count(end.n_treatments),
        ever=reader.count(end.n_below_ever), any=reader.count(end.n_any_time), now=reader.count(end.n_below),
        alpha=level(ALPHA))


def check(row: Check, reader: Reader) -> str:
    """What one check found."""
    fine, wrong = CHECKS[row.name]
    return reader.say(wrong if row.found else fine, found=reader.count(row.found), n=reader.count(row.n))


def rows_read(summaries: Summaries, reader: Reader) -> str:
    rows = summaries.rows
    said = [reader.say("{n} rows were read.", n=reader.count(rows.n_read))]
    if rows.n_other_metrics:
        said.append(reader.say("{n} of them are of other metrics and were left out.",
                               n=reader.count(rows.n_other_metrics)))
    return reader.prose(said)


def limits(summaries: Summaries, effects: Iterable[Effect], reader: Reader) -> list[str]:
    """What this report cannot say, as far as its params and data show."""
    params, say = summaries.params, reader.say
    said = [
        say("Only summaries are known: who was counted, whether anybody was counted twice and which days are missing "
            "cannot be checked here."),
        say("How users were to be split and which way a metric is better is what the params say; where that is an "
            "assumption, so are the counts above."),
        say("Experiments that are not in the data do not count: those that were stopped or never written down may have "
            "gone otherwise."),
        say("A claim at an early look says that there was an effect then; it may have worn off since."),
    ]
    if len({effect.arm for effect in effects}) > 1:
        said.append(say("Treatments of one experiment share its control, so their effects are a little alike."))
    if len(params.metrics) > 1:
        said.append(say("The correction holds for each metric by itself: whoever picks the best of {n} metrics claims "
                        "more by chance.", n=reader.count(len(params.metrics))))
    if any(metric.kind == "share" for metric in params.metrics.values()):
        said.append(say("Shares are compared like means, which is rough where fewer than some dozens of users did it."))
    return said


def share(value: float, reader: Reader) -> str:
    """A relative effect without its sign; effects of experiments are small."""
    return reader.percent(value, 2)


def change(value: float, reader: Reader) -> str:
    return reader.percent(value, 2, signed=True)
