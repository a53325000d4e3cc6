"""The page of a run that left no report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from analysis.report.failure import REMEDIES, failure_page, kind_of
from analysis.showing.reader import Reader
from tests.browser import axe, open_page
from tests.report.sample_notebook import EN, ZH
from tests.report.test_render import NASTY, Elements


def record(status: str = "failed", **known: Any) -> dict[str, Any]:
    """What `run.json` of a failed run holds."""
    campaign = {"title": EN["title"], "owner": EN["owner"], "language": "en",
                "period": {"start": "2025-11-01", "end": "2025-11-11"}}
    return {"status": status, "code": {"failed": 3, "refused": 2, "temporary": 75}[status], "campaign": campaign,
            "cell": 12, "cells": 24, "heading": "What did the campaign cause?", "error": "KeyError",
            "message": "'amount'", "at": "2025-11-20T06:30:00+00:00"} | known


def test_it_says_what_failed_where_and_that_the_last_report_is_as_it_was():
    page = Elements(failure_page(record(), Reader(), "spring sale", has_report=True))
    assert EN["title"] in page.text and "The last run failed" in page.text and "KeyError: 'amount'" in page.text
    assert "cell 12 of 24" in page.text and "What did the campaign cause?" in page.text
    assert "20 Nov 2025 06:30 (UTC)" in page.text
    assert [a["href"] for a in page.named("a")] == ["#main", "../spring%20sale/report.html", "../index.html"]
    assert not [tag for tag, _ in page.found if tag == "script"]


def test_without_an_earlier_report_it_links_to_none():
    page = Elements(failure_page(record(), Reader(), has_notebook=True))
    assert "There is no earlier report" in page.text
    assert "notebook.ipynb" in [a["href"] for a in page.named("a")]


def test_refused_params_are_a_list_of_their_problems():
    listed = "params/x.yml:3: goals.1.target: 'ten' is no number\nparams/x.yml: metrics: is missing"
    page = Elements(failure_page(record("refused", campaign=None, cell=0, cells=0, heading="", error="",
                                        message=listed), Reader(), "spring"))
    assert all(problem in page.text for problem in listed.splitlines())
    assert "The last run was refused" in page.text and "spring" in page.text
    assert "It stopped" not in page.text


@pytest.mark.parametrize(("error", "message", "kind"), [
    ("CampaignError", "orders.parquet: is empty", "data"), ("MemoryError", "", "memory"),
    ("OutOfMemoryException", "failed to allocate", "memory"), ("CellTimeoutError", "after 600 s", "time"),
    ("DeadKernelError", "Kernel died", "kernel"), ("OSError", "[Errno 28] No space left on device", "disk"),
    ("Unfinished", "the last cell did not hand over the results", "notebook"), ("NameError", "x", "notebook"),
    ("ZeroDivisionError", "division by zero", "other")])
def test_what_to_do_next_follows_what_went_wrong(error, message, kind):
    failed = record(error=error, message=message)
    assert kind_of(failed) == kind
    text = Elements(failure_page(failed, Reader())).text
    assert all(remedy in text for remedy in REMEDIES[kind])


@pytest.mark.parametrize(("kind", "remedy"), [
    ("ended", "kernel"), ("stopped", "stopped"), ("disk_full", "disk"), ("unpublishable", "unpublishable"),
    ("time_out", "time"), ("cell", "memory"), ("broken", "memory")])
def test_the_kind_that_the_run_knows_comes_before_what_the_error_says(kind, remedy):
    assert kind_of(record(kind=kind, error="MemoryError")) == remedy


def test_for_now_is_its_own_kind_unless_the_error_tells_more():
    assert kind_of(record("temporary", error="OperationalError", message="no route")) == "temporary"
    assert kind_of(record("temporary", error="OSError", message="No space left on device")) == "disk"


def test_text_of_errors_and_campaigns_never_becomes_markup_and_tells_no_machine_path():
    hurt = record(error="ValueError", message=f"/home/ann lee/x.csv: {NASTY}", heading=NASTY)
    hurt["campaign"] |= {"title": NASTY, "owner": NASTY}
    page = Elements(failure_page(hurt, Reader(), NASTY, has_report=True))
    assert not [tag for tag, _ in page.found if tag in ("script", "b", "img")]
    assert "/home/ann" not in page.text and page.text.count(NASTY) == 5


@pytest.fixture(scope="module", params=["en", "zh"])
def pages(request, tmp_path_factory) -> list[Path]:
    """A page of each status, in one language."""
    folder, words = tmp_path_factory.mktemp("failed"), {"en": EN, "zh": ZH}[request.param]
    made = []
    for status in ("failed", "refused", "temporary"):
        own = record(status)
        own["campaign"] |= {"title": words["title"], "owner": words["owner"], "language": request.param}
        made.append(folder / f"{status}.html")
        page = failure_page(own, Reader(request.param), "spring", has_report=True, has_notebook=True)
        made[-1].write_text(page, encoding="utf-8")
    return made


@pytest.mark.browser
@pytest.mark.parametrize("settings", [
    {}, {"dark": True}, {"width": 320, "dark": True}, {"media": "print", "width": 640}], ids=str)
def test_the_page_is_quiet_fits_and_is_accessible(pages, settings):
    for page in pages:
        with open_page(page, **settings) as opened:
            assert opened.messages == [] and opened.requests == []
            assert not opened.scrolls_sideways
            assert axe(opened) == []
