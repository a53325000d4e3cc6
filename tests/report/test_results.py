"""results.json keeps its promise: valid, complete, and a reason wherever a number is missing."""

from __future__ import annotations

import csv
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from jsonschema import Draft202012Validator
from scipy import stats

from analysis.params import Campaign, load
from analysis.report import compare_results, experiments_results, monitor_results, plan_results
from analysis.report import results as module
from analysis.report.results import plain
from analysis.showing import Reader

ROOT = Path(__file__).parents[2]
FEW = Campaign.model_fields["min_cell_size"].default   # users, of fewer of whom no median is told
NAMES = ("double11-2025", "grocer-18", "checkout", "asos", "double11-2025.plan", "grocer-18.plan",
         "double11-2025.monitor", "grocer")
RECORDS = {"review": (module, "results"), "experiments": (experiments_results, "experiments"),
           "plan": (plan_results, "plan"), "monitor": (monitor_results, "monitor"),
           "compare": (compare_results, "compare")}  # notebook -> its record
every_record = pytest.mark.parametrize(("record", "name"), RECORDS.values(), ids=RECORDS)


@pytest.fixture(scope="module", params=NAMES)
def folder(request, built) -> Path:
    return built(request.param)


@pytest.fixture(scope="module")
def results(folder) -> dict:
    return json.loads((folder / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def validator(results) -> Draft202012Validator:
    """Of the schema that the results' notebook promises."""
    return Draft202012Validator(json.loads(RECORDS[results["notebook"]][0].schema()))


@every_record
def test_the_published_schema_is_the_one_of_the_code(record, name):
    assert (ROOT / f"docs/{name}.schema.json").read_text(encoding="utf-8") == record.schema(), (
        "python tools/lock.py writes it anew")


@every_record
def test_every_field_of_the_schema_is_in_the_description(record, name):
    said = (ROOT / "docs/results.md").read_text(encoding="utf-8")
    tree = json.loads(record.schema())
    fields = set(tree["properties"]) | {
        field for part in tree["$defs"].values() for field in part.get("properties", {})}
    assert {field for field in fields if f"`{field}`" not in said} == set()


def test_results_are_what_the_schema_says(results, validator):
    found = validator.iter_errors(results)
    assert [f"{'.'.join(map(str, error.path))}: {error.message}" for error in found] == []


def test_the_schema_refuses_what_it_does_not_promise(results, validator):
    assert not validator.is_valid({**results, "verdict": {**results["verdict"], "reasons": "many"}})
    assert not validator.is_valid({key: value for key, value in results.items() if key != "provenance"})
    assert not validator.is_valid({**results, "notebook": "perhaps"})


# --- a number that is missing has a reason ---

def needs_no_reason(part: str, record: dict, field: str, before: dict) -> bool:
    """Where null is the answer, as docs/results.md says."""
    if part == "effects" and "experiment" in record:
        return field in ("reduction", "first_below_at", "first_any_time_at") or (
            field == "pvalue_adjusted" and not record["is_trusted"])
    if part in ("reaches", "needs", "holdouts", "smart"):
        return plans_need_no_reason(record, field)
    if part in ("course", "effects") and "tick" in record:   # of a running campaign
        return field in ("margin", "pvalue_margin") and record["role"] != "guardrail"
    if part == "outlook":
        return field == "at_end" and record["end_reason"]
    if part == "goals":
        return not record["against"] and (field in ("target_change", "baseline") or field.startswith("change"))
    if part == "effect_methods":  # an order has no difference, an exact test no interval
        return record["method"] in ("ranks", "fisher") or (field == "cap" and record["method"] != "winsorised") or (
            field.startswith("superiority"))
    if part == "effects" and field == "reduction":
        return record["method"] not in ("adjusted", "strata")
    if part == "effects":
        return (field in ("margin", "pvalue_margin") and record["role"] != "guardrail") or (
            field.startswith("total") and record["kind"] == "ratio")
    if part == "phases":
        return field == "total" and record["mean"] is not None
    if part == "funnels":
        return (field.startswith("step_rate") and before.get("n_converted") == 0) or (
            field == "median_seconds" and record["n_converted"] < FEW)
    return (part, field) in {
        ("editions", "cost"), ("checks", "limit"), ("checks", "pvalue"), ("groups", "planned_share"),
        ("retention", "cohort"),
        ("value", "cohort"), ("recency", "most"), ("retention_tests", "share_treatment"),
        ("retention_tests", "share_control"), ("retention_tests", "pvalue_started")}


def plans_need_no_reason(record: dict, field: str) -> bool:
    is_guardrail = record.get("role") == "guardrail"
    return (
        (field in ("wished", "power", "forgone", "n_needed") and (
            record.get("power_reason") or record.get("verdict") == "not_asked"))
        or (field == "days_needed" and record["days_reason"]) or (field == "farthest" and record["farthest_reason"])
        or (field in ("smallest_effect", "power_half") and is_guardrail)
        or (field == "target_change" and record["achievable"] == "never_happened")
        or field in ("reduction", "icc", "power_before"))


def without_reason(results: dict) -> Iterator[str]:
    for part, records in results.items():
        before: dict = {}
        for record in records if isinstance(records, list) else [records]:
            if not isinstance(record, dict):
                continue
            for field, value in record.items():
                if value is None and not needs_no_reason(part, record, field, before) and not (
                        record.get("reason") or record.get("rel_reason")):
                    yield f"{part}.{field} of {record}"
            before = record


def test_every_null_has_a_reason_beside_it(results):
    assert list(without_reason(results)) == []


def test_that_check_sees_a_null_without_a_reason(results):
    fields = {"funnels": "rate", "effects": "pvalue", "needs": "smallest", "points": "value"}
    part, field = next((part, field) for part, field in fields.items() if part in results)
    row = {**results[part][0], field: None, "reason": ""}
    assert list(without_reason({part: [row]})) != []
    assert list(without_reason({part: [{**row, "reason": "all_open"}]})) == []


# --- every number of the page is in results.json ---

class Tables(HTMLParser):
    """Rows of texts of each table of a page, and the texts of what else tells numbers."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.said: list[str] = []
        self.drawn: list[str] = []
        self._open: list[str] = []
        self._spoken = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        words = dict(attrs).get("class") or ""
        if tag in ("meta", "link", "path", "use"):
            return
        self._open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        elif tag == "figcaption" or re.search(r"\b(verdict|note|glance)\b", words):
            self._spoken = self._spoken or len(self._open)
        elif tag == "text":
            self.drawn.append("")

    def handle_startendtag(self, tag: str, attrs: list) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open.pop() != tag:
            pass
        if len(self._open) < self._spoken:
            self._spoken = 0

    def handle_data(self, data: str) -> None:
        if {"td", "th"} & set(self._open):
            self.tables[-1][-1][-1] += data
        elif "text" in self._open:
            self.drawn[-1] += data
        elif self._spoken:
            self.said.append(data)


def numbers(tree: object) -> Iterator[float]:
    """Every number, the lengths of lists, and how many of a list share a word (goals met, checks that warn)."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from numbers(value)
    elif isinstance(tree, list):
        yield len(tree)
        records = [item for item in tree if isinstance(item, dict)]
        if records:
            for field in records[0]:
                yield from Counter(str(record.get(field)) for record in records).values()
            roles = [record for record in records if record.get("role") != "guardrail"]
            yield from (len(roles), len(records) - len(roles), len({record.get("cohort") for record in records}) - 1)
        for item in tree:
            yield from numbers(item)
    elif isinstance(tree, int | float) and not isinstance(tree, bool):
        yield tree


def spreadsheet(path: Path) -> list[list[str]]:
    return list(csv.reader(StringIO(path.read_text(encoding="utf-8-sig"))))


def cells(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Table, column and value of each cell that can be taken away."""
    for path in sorted((folder / "tables").glob("*.csv")):
        head, *rows = spreadsheet(path)
        yield from ((path.stem, column, value) for row in rows for column, value in zip(head, row, strict=True))


def test_every_number_of_the_tables_is_in_the_results(folder, results):
    known = {f"{number:.8g}" for number in numbers(results)}
    lost = []
    for table, column, value in cells(folder):
        if column in ("experiment", "edition", "editions"):
            continue  # a name, of digits or not
        for part in value.split(" ") if "interval" in column else [value]:
            if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", part) and f"{float(part):.8g}" not in known:
                lost.append((table, column, part))
    assert lost == []


NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e-\d+)?%?")


def written(number: float, reader: Reader) -> Iterator[str]:
    """Every way in which a report writes a number."""
    if not math.isfinite(number):
        return
    number = abs(number)
    yield from (reader.percent(share, digits) for share in (number, 1 - number) for digits in (0, 1, 2))
    yield from (reader.number(number, digits) for digits in (None, 0, 1, 2, 3))
    yield from (write(number) for write in (reader.money, reader.pvalue, reader.points, reader.count, reader.duration))
    yield from (reader.duration(number * 86400), reader.number(number, 1).removesuffix(".0"))


def test_every_number_of_the_sentences_is_in_the_results(folder, results):
    campaign = load(ROOT / "params" / f"{folder.name.partition('.')[0]}.yml", {})
    reader, reason = Reader.of(campaign), getattr(campaign, "no_control_group", None)
    known = {found for number in numbers(results) for text in written(number, reader) for found in NUMBER.findall(text)}
    page = Tables((folder / "report.html").read_text(encoding="utf-8"))
    why = campaign.text(reason, reader.language) if reason else ""
    names = sorted({*reader.labels.values(), "95%", why}, key=len)
    told = page.said + [text for text in page.drawn if "·" in text or "(" in text]
    lost = []
    for text in told:
        for name in reversed(names):
            text = text.replace(name, " ") if name else text
        text = re.sub(r"\d+年\d+月\d+日|\d+ \w{3} \d{4}|Figure \d+|图 \d+|^\d  |\d\d:\d\d", " ", text)
        lost += [(number, text) for number in NUMBER.findall(text) if number not in known]
    assert len(told) > 5
    assert lost == []


def test_one_number_is_written_one_way(folder):
    """The same value in two tables of a page reads the same, but for a sign that marks a change."""
    page = Tables((folder / "report.html").read_text(encoding="utf-8"))
    shown: dict[str, set[str]] = {}
    for path, table in zip(table_files(folder), page.tables, strict=True):
        if path.stem in ("cohorts", "checks", "breaks"):
            continue  # whole percents, to fit; a sentence; shares and counts that are by chance one number
        for raw, row in zip(spreadsheet(path), table, strict=False):  # a long table goes on in its file
            for value, text in zip(raw, row, strict=True):
                if re.fullmatch(r"-?\d+\.\d{5,}", value):
                    shown.setdefault(value, set()).add(text.lstrip("+"))
    assert shown
    assert {value: texts for value, texts in shown.items() if len(texts) > 1} == {}


def table_files(folder: Path) -> list[Path]:
    """The tables in the order of the page, as its downloads list them."""
    page = (folder / "report.html").read_text(encoding="utf-8")
    return [folder / "tables" / name for name in re.findall(r'href="tables/([^"]+)"', page)]


def test_goals_read_the_same_in_table_and_figure(folder, results):
    if not results.get("goals"):
        assert "goals" not in results["blocks"] or results["smart"]
        return
    page = Tables((folder / "report.html").read_text(encoding="utf-8"))
    tables = {path.stem: table for path, table in zip(table_files(folder), page.tables, strict=True)}
    for row in tables["goals"][1:]:
        assert any(row[4] in text for text in page.drawn), f"{row[4]} of {row[0]} is not in the figure"


# --- experiments: the same by pandas and scipy, from the file ---

def test_the_record_of_the_experiments_is_what_their_summaries_say(built):
    results = json.loads((built("asos") / "results.json").read_text(encoding="utf-8"))
    rows = pd.read_parquet(ROOT / "data/sample/asos/looks.parquet")
    key = ["experiment", "metric", "at"]
    pairs = rows[rows["arm"] != "control"].merge(
        rows[rows["arm"] == "control"].drop(columns="arm"), on=key, suffixes=("", "_c")).sort_values("at")
    last = pairs.groupby(["experiment", "metric", "arm"]).tail(1).set_index(["experiment", "metric", "arm"])
    assert len(results["effects"]) == len(last) == 396
    for effect in results["effects"]:
        own = last.loc[effect["experiment"], effect["metric"], effect["arm"]]
        assert (effect["n_treatment"], effect["at"]) == (own["n"], own["at"])
        assert effect["diff"] == pytest.approx(own["mean"] - own["mean_c"], rel=1e-6, abs=1e-12)
        p = stats.ttest_ind_from_stats(own["mean"], own["variance"] ** 0.5, own["n"], own["mean_c"],
                                       own["variance_c"] ** 0.5, own["n_c"], equal_var=False).pvalue
        assert effect["pvalue"] == (None if math.isnan(p) else pytest.approx(p, rel=1e-6))
    answer = results["verdict"]
    assert (answer["answer"], answer["n_experiments"], answer["n_trusted"], answer["n_barred_treatments"]) == (
        "compared", 78, 68, 17)
    assert (answer["n_split_noted"], answer["n_split_failed"]) == (17, 12)
    whole = [tally for tally in results["tallies"] if tally["scope"] == "all"]
    assert [tally["n_below"] for tally in whole] == [26, 27, 25, 27]
    assert [tally["n_below_ever"] for tally in whole] == [46, 64, 57, 58]


# --- plain values ---

def test_what_json_cannot_hold_is_told_apart():
    assert plain([math.nan, math.inf, -math.inf, 1 / 3, 2]) == [None, "inf", "-inf", 0.3333333333, 2]
    assert plain({"a": (1.0,)}) == {"a": [1.0]}


def test_the_version_of_the_schema_is_in_every_file(results):
    assert results["schema_version"] == RECORDS[results["notebook"]][0].SCHEMA_VERSION
