"""Large text is taken for types once; what was kept counts only for the same content and the same question."""

import os
import time
from pathlib import Path

import duckdb
import pytest

from analysis.data import converted
from tests.data.campaign_folder import EVENTS, refusal, rows, tables

ANN, BOB = ("ann", "visit"), ("bob", "visit")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CAMPAIGN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(converted, "WORTH", 1)
    return tmp_path / "cache"


def entries(cache):
    assert not list(cache.glob("*.part"))
    return sorted(cache.glob("*.parquet"))


def read(folder, params="", content=EVENTS):
    return rows(tables(folder, params, events_csv=content).events, "user_id", "event")


def test_the_second_run_reads_what_the_first_has_kept(tmp_path, cache):
    assert read(tmp_path) == [ANN, BOB]
    (entry,) = entries(cache)
    duckdb.sql(f"select * replace ('cy' as user_id) from '{entry}'").write_parquet(f"{entry}.new")
    os.replace(f"{entry}.new", entry)
    assert read(tmp_path) == [("cy", "visit")] * 2 and entries(cache) == [entry]


@pytest.mark.parametrize(("params", "content"), [
    ("", EVENTS.replace("ann", "amy")), ("time_zone: Asia/Shanghai", EVENTS),
    ("sources: {events: {path: events.csv, where: {user_id: bob}}}", EVENTS),
    ("sources: {events: {path: events.csv, values: {event: seen}}}", EVENTS)])
def test_another_content_or_question_is_another_entry(tmp_path, cache, params, content):
    before = read(tmp_path)
    assert len(entries(cache)) == 1
    made = tables(tmp_path, params, events_csv=content)
    assert len(entries(cache)) == 2 and read(tmp_path) == before
    with_cache = rows(made.events, "user_id", "event", "occurred_at")
    cache.rename(tmp_path / "elsewhere")
    assert rows(tables(tmp_path, params, events_csv=content).events, "user_id", "event", "occurred_at") == with_cache


def test_the_same_content_in_another_folder_is_the_same_entry(tmp_path, cache):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        read(tmp_path / name)
    assert len(entries(cache)) == 1


@pytest.mark.parametrize("content", [EVENTS + "cy,visit,soon\n", EVENTS + "cy,visit,2025-11-11,more\n"])
def test_a_file_with_a_mistake_leaves_nothing_and_is_refused_every_time(tmp_path, cache, content):
    first = refusal(tmp_path, events_csv=content)
    assert first and refusal(tmp_path, events_csv=content) == first and entries(cache) == []


def test_an_entry_that_was_damaged_is_made_again(tmp_path, cache):
    read(tmp_path)
    (entry,) = entries(cache)
    entry.write_bytes(entry.read_bytes()[:100])
    assert read(tmp_path) == [ANN, BOB] and read(tmp_path) == [ANN, BOB]


def test_what_was_not_used_for_a_month_goes_when_something_new_comes(tmp_path, cache):
    read(tmp_path)
    old = time.time() - 40 * 24 * 3600
    for path in (entries(cache)[0], cache / "interrupted.part", cache / "somebody-elses.txt"):
        path.touch()
        os.utime(path, (old, old))
    read(tmp_path, content=EVENTS.replace("ann", "amy"))
    assert sorted(path.suffix for path in cache.iterdir()) == [".parquet", ".txt"] and len(entries(cache)) == 1


def test_small_files_and_a_folder_that_cannot_be_made_do_without(tmp_path, cache, monkeypatch):
    monkeypatch.setenv("CAMPAIGN_CACHE", str(tmp_path / "week.yml" / "cache"))
    (tmp_path / "week.yml").write_text("")
    assert read(tmp_path) == [ANN, BOB]
    monkeypatch.setenv("CAMPAIGN_CACHE", str(cache))
    monkeypatch.setattr(converted, "WORTH", 1_000_000)
    assert read(tmp_path) == [ANN, BOB] and not cache.exists()


def test_the_folder_is_the_users_alone(tmp_path, cache):
    read(tmp_path)
    assert cache.stat().st_mode & 0o077 == 0
