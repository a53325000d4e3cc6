"""Worked cases: small logs and the counts that must come out, the same on every engine (tests/cases/README.md)."""

import json
import math
from pathlib import Path

import pytest

from tests.counting import activity_case, funnel_case, retention_case, value_case
from tests.engines import ENGINES, connected_or_skipped

OWN = Path(__file__).parent / "cases"


def pytest_generate_tests(metafunc):
    folder = Path(metafunc.config.getoption("--cases") or OWN)
    paths = sorted(folder.rglob("*.json"))
    assert paths, f"no case (*.json) in {folder}"
    engine = metafunc.config.getoption("--engine")
    engines = [engine] if engine else ENGINES
    metafunc.parametrize("engine, path", [
        pytest.param(name, path, id=path.stem if engine else f"{path.stem}-{name}")
        for name in engines for path in paths])


def test_case(engine, path):
    case = json.loads(path.read_text("utf-8"))
    unknown = set(case) - {"name", "source", "note", "differs", "events", "query", "expected"}
    assert not unknown, f"keys that are not understood: {sorted(unknown)}"
    expected = {key: value for key, value in case["expected"].items() if key != "alt"}
    found = answer_of(case["query"])(connected_or_skipped(engine), case)
    unknown = set(expected) - set(found)
    assert not unknown, f"expected keys that are not understood: {sorted(unknown)}"
    assert settled({key: found[key]() for key in expected}) == settled(expected)


KINDS = {"lifecycle": activity_case.answer, "stickiness": activity_case.answer, "active_users": activity_case.answer,
         "ltv": value_case.ltv, "rfm_summary": value_case.summary}


def answer_of(query):
    if "kind" in query:
        assert query["kind"] in KINDS, f"kind {query['kind']} is not understood"
        return KINDS[query["kind"]]
    return funnel_case.answer if "steps" in query else retention_case.answer


def settled(value):
    """Without the low digits in which engines and sums differ; what cannot be estimated is null."""
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [settled(item) for item in value]
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 9)
    return value
