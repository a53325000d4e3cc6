"""Every word that a report says has a Chinese one, and the catalogue holds no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Formatter

import pytest
from babel.messages import pofile

import analysis
from analysis.data.columns import COLUMNS
from analysis.report import entries, failure, index, outcome
from analysis.showing import definitions, glance, phrases, reader, retention, tables, words
from analysis.showing.charts import experiments as experiments_charts
from analysis.showing.editions import series as editions_series
from analysis.showing.editions import tables as editions_tables
from analysis.showing.editions import words as editions_words
from analysis.showing.effects import words as effects_words
from analysis.showing.experiments import tables as experiments_tables
from analysis.showing.experiments import words as experiments_words
from analysis.showing.funnels import rules
from analysis.showing.monitoring import tables as monitoring_tables
from analysis.showing.monitoring import words as monitoring_words
from analysis.showing.planning import tables as planning_tables
from analysis.showing.planning import words as planning_words
from analysis.stats import comparison

PACKAGE = Path(analysis.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
# said through a variable: phases, roles, periods of retention and their plurals, tables
NAMES = {*COLUMNS, "before", "during", "after", "of", "primary", "secondary", "guardrail",
         *(f"{every}{s}" for every in ("day", "week", "month") for s in ("", "s"))}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def literals(node: ast.expr) -> Iterator[str]:
    """Texts that an expression can be: a literal, or either side of a conditional one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def said_in_code() -> set[str]:
    """First arguments of every `say(...)`, and of what is assigned to `message` for one."""
    found = set()
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "say":
                found |= set(literals(node.args[0]))
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "message":
                found |= set(literals(node.value))
    return found


def said_in_templates() -> set[str]:
    return {text for path in PACKAGE.rglob("*.j2")
            for text in re.findall(r'\bsay\("([^"]*)"', path.read_text(encoding="utf-8"))}


def said_by_code() -> set[str]:
    """Values of the dictionaries from codes to messages."""
    single = (effects_words.METHODS, effects_words.LOOKED,
              phrases.ANSWERS, phrases.WHY, phrases.REASONS, phrases.LEFT_OUT, phrases.FOLDED, phrases.TIMES,
              phrases.PARTS,
              tables.STATES, tables.VERDICTS, tables.CHECKS, definitions.PHASES,
              rules.OCCURRENCES, rules.ATTRIBUTIONS, rules.SEQUENCES,
              definitions.STARTS, definitions.FLAVOURS, retention.HEADINGS,
              experiments_tables.CHECKS, experiments_tables.VERDICTS, experiments_charts.VERDICTS,
              planning_words.ANSWERS, planning_words.REASONS, planning_words.SHORT, planning_words.STRUCTURES,
              monitoring_words.HEADINGS, monitoring_words.WHY, monitoring_tables.ARRIVED,
              editions_series.WHY, editions_words.KINDS, editions_words.ASPECTS, editions_words.REASONS,
              editions_tables.VERDICTS,
              planning_words.REMEDIES, planning_tables.VERDICTS, planning_tables.QUESTIONS,
              outcome.VERDICTS, entries.NOTEBOOKS, entries.CHECKS, entries.PROBLEMS, index.GOALS, index.UNTRUSTED,
              failure.HEADINGS, failure.MEANINGS, glance.NEXT, glance.CHECKED, words.NET)
    pairs = [*phrases.CHECKS.values(), phrases.CLUSTER_SPLIT, (phrases.NO_SPLIT,), *experiments_words.CHECKS.values(),
             *failure.REMEDIES.values(), *reader.UNITS]
    return {message for words in single for message in words.values()} | {text for pair in pairs for text in pair}


MESSAGES = sorted((said_in_code() | said_in_templates() | said_by_code() | NAMES) - {""})


def catalogue(language: str) -> dict[str, str]:
    with (files("analysis.showing") / "locale" / language / "LC_MESSAGES" / "analysis.po").open("rb") as file:
        return {entry.id: entry.string for entry in pofile.read_po(file) if entry.id}


ZH = catalogue("zh")


def places(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


def test_the_search_finds_what_is_said():
    assert len(said_in_code()) > 150
    assert {"Code", "Downloads", "Skip to content"} <= said_in_templates()
    conditional = ast.parse("say('a' if x else 'b' if y else 'c')", mode="eval").body.args[0]
    assert set(literals(conditional)) == {"a", "b", "c"}


def test_every_message_has_a_translation():
    assert [message for message in MESSAGES if not ZH.get(message)] == []


def test_no_translation_is_left_over():
    assert sorted(set(ZH) - set(MESSAGES)) == []


@pytest.mark.parametrize("message", MESSAGES)
def test_a_translation_fills_the_same_places(message):
    assert places(ZH[message]) == places(message)


def test_a_translation_speaks_chinese_and_writes_its_punctuation():
    for message, text in ZH.items():
        said = re.sub(r"{\w+}|\W|where", "", message)  # a condition stands in brackets, without a word
        assert not said or CHINESE.search(text), message
        assert not re.search(r"\s[，。；：、！？（）“”]|[，。；：、！？（）“”]\s|[\u4e00-\u9fff][,;:!?]", text), text


@pytest.mark.parametrize(("wrong", "right"), [
    ("对照臂", "对照组"), ("实验臂", "活动组"), ("守护指标", "护栏指标"), ("队列", "同期群"), ("置信", "区间"),
    ("可信性", "可信度")])
def test_one_thing_has_one_name(wrong, right):
    assert not [text for text in ZH.values() if wrong in text], f"say {right}"


# --- every code of the results has words ---

VOCABULARY = {  # snake_case literals of the results that are no reasons
    "cannot_tell", "do_not_trust", "does_not", "on_or_after", "data_begin", "last_minus_first", "first_time",
    "per_user", "not_covered", "user_id", "is_cut",
    "no_control_group", "primary_better", "primary_worse", "guardrail_broken", "guardrail_not_shown",
    "always_valid", "obrien_fleming", "benjamini_hochberg", "pvalue_adjusted", "user_rows", "rel_reason",
    "clusters_before",
    "all_steps", "break_attempt", "is_check", "is_lost",  # of a funnel: rules and fields
    "not_trusted", "any_time", "pvalue_any_time", "below_ever",  # of experiments: a verdict and columns
    "inverted_cdf",  # a definition of quantiles, by numpy's name
    "not_feasible", "not_seen", "not_asked", "more_days", "larger_effect", "time_before", "more_users",
    "divided_by", "moved_forward", "not_within_days",  # of a plan: answers, remedies and how goals hang together
    "at_end", "go_on", "no_rows", "few_rows", "break_on",  # of monitoring: a way of looking, answers and reasons
    "schema_version", "target_change",  # of a record that is compared
    "one_arm", "unplanned_arm",  # of the split test, whose sentence says it in numbers
}


def codes() -> set[str]:
    """Literals like `zero_control` in results and methods, but for docstrings and the names of columns and fields;
    what stands in brackets is a name, as in `row["mean_lower"]`."""
    found = set()
    for module in MODULES:
        if module.relative_to(PACKAGE).parts[0] not in ("results", "stats"):
            continue
        tree = ast.parse(module.read_text(encoding="utf-8"))
        names = {node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in names and re.fullmatch(
                    r"[a-z]+(_[a-z]+)+", node.value):
                found.add(node.value)
    return found


def test_every_reason_has_words():
    known = {*phrases.REASONS, *phrases.WHY, *phrases.CHECKS, *experiments_words.CHECKS,
             *planning_words.REASONS, *planning_words.SHORT, *monitoring_words.WHY, *VOCABULARY, *glance.NEXT,
             *glance.CHECKED, *editions_series.WHY, *editions_words.REASONS}
    assert {code for code in codes() if not code.startswith(("n_", "days_"))} - known == set()
    assert len(codes() & {*phrases.REASONS}) > 15


def test_every_trust_check_has_a_name_and_sentences():
    assert tables.CHECKS.keys() == phrases.CHECKS.keys()
    assert experiments_tables.CHECKS.keys() == experiments_words.CHECKS.keys()
    assert phrases.FOLDED.keys() <= phrases.CHECKS.keys()
    can_fail = {*phrases.CHECKS} - {"coverage", "alike", "calibration", "leverage", "sign_flip", "unassigned"}
    assert can_fail <= {*phrases.WHY}, "each check that can fail is a reason of the verdict"


def test_a_number_of_one_is_singular():
    en = reader.Reader("en")
    assert [en.duration(seconds) for seconds in (1, 2, 60, 5400, 86400, 172800)] == [
        "1 second", "2 seconds", "1 minute", "1.5 hours", "1 day", "2 days"]


def test_the_level_of_an_interval_is_the_tests():
    assert reader.Reader().confidence(comparison.ALPHA) == "95%"
    assert reader.Reader().confidence(0.025) == "97.5%"


@pytest.mark.parametrize("noise", [-6e-11, 0.0, 6e-11])   # what sums of the same amounts differ by, in another order
@pytest.mark.parametrize(("write", "value", "expected"), [
    ("money", 422395.5, "$422,396"), ("number", 422396.5, "422,396"), ("total", 1234.0, "$1,234"),
    ("level", 12.0, "12")])
def test_a_half_is_rounded_alike_whatever_the_order_of_a_sum(write, value, expected, noise):
    own = reader.Reader(currency="USD")
    more = {"total": ["USD"], "level": ["users", "total"]}.get(write, [])
    assert getattr(own, write)(value + noise, *more) == expected
