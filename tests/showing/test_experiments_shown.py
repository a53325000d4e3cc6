"""Many experiments in words and tables: what a few of them read like, in both languages."""

from __future__ import annotations

import re

import pytest

from analysis.results.experiments.checks import checks, verdict
from analysis.results.experiments.effects import effects
from analysis.results.experiments.looks import looks
from analysis.results.experiments.splits import splits
from analysis.results.experiments.tallies import courses, tallies
from analysis.showing import Reader
from analysis.showing.experiments import rules, sections, tables, words
from analysis.showing.table import Html, Table
from tests.experiments import BEFORE, PARAMS, given
from tests.experiments import looks as rows_of

# what stays Latin in Chinese: methods, names of the data
LATIN = {"p", "e", "Welch", "Fieller", "Holm", "Benjamini", "Hochberg", "Waudby", "Smith", "CUPED",
         "a", "b", "c", "amount", "Amount", "new", "control"}


class Shown:
    """Everything that a report says of some experiments, by section."""

    def __init__(self, folder, rows, params=PARAMS, language="en", head=None) -> None:
        self.given = given(folder, rows, params, head)
        reader = Reader.of(self.given.params, language)
        split, looked = splits(self.given), looks(self.given)
        self.found = effects(self.given, looked, split)
        counts = tallies(self.found, self.given.params.correction)
        answer, course = verdict(self.given, split), courses(looked, self.found)
        correction = self.given.params.correction
        self.sections = {
            "verdict": [words.verdict(answer, counts, reader)], "glance": [sections.glance(answer, counts, reader)],
            "trust": sections.trust(self.given, answer, checks(self.given, split), split, reader),
            "effects": sections.effects(self.found, counts, reader),
            "peeking": sections.peeking(course, counts, answer.metric, reader),
            "chance": sections.chance(self.found, counts, answer.metric, correction, reader),
            "limits": [sections.limits(self.given, self.found, reader)],
            "rules": [rules.rules(self.given, self.found, reader)]}
        self.reader = reader

    def said(self, section: str) -> str:
        return "\n".join(item.text if isinstance(item, Html) else item.caption if isinstance(item, Table) else item.alt
                         for item in self.sections[section])

    def tables(self) -> dict[str, Table]:
        return {item.name: item for items in self.sections.values() for item in items if isinstance(item, Table)}


def one(experiment, mean, n=100, at=1):
    return rows_of(experiment, ("control", at, 100, 2.0, 4.0), ("new", at, n, mean, 4.0))


ROWS = [*one("a", 3.0, at=2), *one("a", 2.1), *one("b", 2.0, at=2), *one("b", 3.0), *one("c", 3.0, n=300)]


def column(table: Table, key: str) -> list[str]:
    at = [column.key for column in table.columns].index(key)
    return [row[at].text for row in table.rows]


def test_the_first_screen_says_who_can_be_trusted_what_was_done_and_what_peeking_would_have_claimed(tmp_path):
    shown = Shown(tmp_path, ROWS)
    assert shown.said("verdict").splitlines() == [
        "3 experiments compared, 2 of them to be trusted",
        "In 1 the arms did not get the users that were planned: users went missing or were moved, or the plan was "
        "another. Their treatments (1) are shown, and count neither as better nor as worse.",
        "Amount: 1 of 2 treatments did better than their control, 0 did worse; for 1 it cannot be told.",
        "Whoever had looked again and again and stopped as soon as p fell below 0.05 would have claimed an effect for "
        "2 of them. At the end p is below 0.05 for 1; allowing for so many tests, 1 stand."]
    assert 'class="verdict compared"' in shown.sections["verdict"][0].html
    assert shown.said("glance").endswith(
        "2 of 2 treatments would have been claimed at some look; by stopping at the first p below 0.05, 2.")


def test_where_no_experiment_can_be_trusted_nothing_else_is_said(tmp_path):
    shown = Shown(tmp_path, one("a", 3.0, n=300))
    assert shown.said("verdict").splitlines() == [
        "Do not trust these numbers", "No experiment got the users that were planned; 1 were compared."]
    assert "verdict do_not_trust" in shown.sections["verdict"][0].html


def test_without_several_looks_nothing_is_said_of_peeking(tmp_path):
    shown = Shown(tmp_path, one("a", 3.0))
    assert shown.said("verdict").splitlines()[1:] == [
        "Amount: 1 of 1 treatments did better than their control, 0 did worse; for 0 it cannot be told.",
        "p is below 0.05 for 1 of them; allowing for so many tests, 1 stand."]
    assert "Looking early" not in shown.said("glance")
    assert shown.said("peeking") == "Every experiment was looked at once: there was nothing to peek at."


def test_tables_show_claims_first_and_all_levels_of_trust(tmp_path):
    found = Shown(tmp_path, ROWS).tables()
    assert column(found["effects"], "experiment") == ["a", "b", "c"]
    assert column(found["effects"], "verdict") == ["better", "cannot tell", "not to be trusted"]
    assert column(found["effects"], "pvalue_adjusted")[2] == "–"
    assert column(found["splits"], "state") == ["failed", "fine", "fine"]
    assert column(found["claims"], "better") == ["1"] and column(found["claims"], "n") == ["2"]
    assert column(found["peeking"], "metric") == ["Amount", "Amount, all experiments"]
    assert column(found["peeking"], "ever") == ["2", "3"] and column(found["chance"], "below") == ["1", "2"]
    assert column(found["checks"], "state") == ["attention", "fine", "fine", "fine", "fine"]


def test_what_cannot_be_tested_says_why(tmp_path):
    rows = rows_of("a", ("control", 1, 100, 2.0, ""), ("new", 1, 100, 3.0, 1))
    assert column(Shown(tmp_path, rows).tables()["effects"], "verdict") == ["cannot tell (no variance was given)"]


def test_the_time_before_is_shown_only_where_it_is_known(tmp_path):
    rows = rows_of("a", ("control", 1, 100, 2.0, 4.0, 1.0, 4.0, 3.2), ("new", 1, 100, 2.5, 4.0, 1.2, 4.0, 3.2))
    shown = Shown(tmp_path, rows, head=BEFORE)
    assert column(shown.tables()["effects"], "reduction") == ["63.7%"] and "CUPED" in shown.said("rules")
    plain = Shown(tmp_path, ROWS)
    assert "reduction" not in [column.key for column in plain.tables()["effects"].columns]
    assert "CUPED" not in plain.said("rules")


def test_the_correction_is_named_as_the_params_ask(tmp_path):
    assert "by Benjamini and Hochberg" in Shown(tmp_path, ROWS, PARAMS + "correction: bh\n").said("chance")
    assert "by Holm" in Shown(tmp_path, ROWS).said("chance")


@pytest.mark.parametrize("head", [None, BEFORE])
@pytest.mark.parametrize("correction", ["holm", "bh"])
def test_in_chinese_everything_is_chinese(tmp_path, correction, head):
    rows = [[*row, 1, 1, 0.5] for row in ROWS] if head else ROWS
    shown = Shown(tmp_path, rows, PARAMS + f"correction: {correction}\n", "zh", head)
    text = "|".join([shown.said(section) for section in shown.sections] + [
        cell for table in shown.tables().values() for cell in (
            *(column.heading for column in table.columns), *(cell.text for row in table.rows for cell in row))])
    assert set(re.findall(r"[A-Za-z]+", text)) - LATIN == set()
    assert not re.search(r"[\u4e00-\u9fff] [，。；：、！？（）]|[，。；：、！？] [\u4e00-\u9fff]", text)


def test_long_tables_are_cut_for_the_page_and_whole_in_the_file(tmp_path):
    rows = [row for i in range(30) for row in one(f"e{i:02}", 2.0 + i / 100)]
    table = Shown(tmp_path, rows).tables()["effects"]
    assert len(table.rows) == 30 and table.html().count("<tr>") == 1 + tables.N_EFFECTS
    assert table.note == " (rows 1 to 12 of 30; the file has the rest)"
