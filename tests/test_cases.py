"""Worked cases: small logs and the counts that must come out, the same on every engine (tests/cases/README.md)."""

import json
from pathlib import Path

import pytest

from tests.counting import funnel_case, retention_case
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
    kind = funnel_case if "steps" in case["query"] else retention_case
    expected = {key: value for key, value in case["expected"].items() if key != "alt"}
    found = kind.answer(connected_or_skipped(engine), case)
    unknown = set(expected) - set(found)
    assert not unknown, f"expected keys that are not understood: {sorted(unknown)}"
    assert {key: found[key]() for key in expected} == expected
