"""What lies in a folder of reports: one entry per campaign, from the records that its runs left."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.report.failure import HEADINGS
from analysis.report.outcome import VERDICTS
from analysis.report.template import LANG, span
from analysis.showing.reader import Reader

NOTEBOOKS = {"review": "", "plan": "Plan", "monitor": "Monitoring", "experiments": "Experiments",
             "compare": "Editions"}
PROBLEMS = {
    "missing": "There are no results: no run has finished yet.",
    "broken": "results.json cannot be read; run this campaign again.",
}
GOALS = ("met", "missed", "unknown")
CHECKS = {
    "fail": "A check failed", "warn": "A check warns", "not_checked": "Not everything was checked",
    "ok": "Checks passed",
}  # the worst first
FAILED = ".failed"   # behind the name of a report's folder: what its last run left that failed


@dataclass(frozen=True)
class Entry:
    """What the list says of one campaign; with a `problem`, its folder is all that is known."""

    folder: str
    title: str
    owner: str = ""
    language: str = ""
    start: str = ""        # ISO 8601, on the campaign's clock
    end: str = ""
    notebook: str = ""     # a key of NOTEBOOKS
    verdict: str = ""      # a key of VERDICTS
    met: int = 0           # goals
    missed: int = 0
    unknown: int = 0
    checks: str = ""       # the worst state of a check, "" when there are none
    problem: str = ""      # why the results cannot be read
    failed: str = ""       # how the last run ended, where it failed: a key of HEADINGS
    series: str = ""
    edition: str = ""
    others: tuple[str, ...] = ()     # languages of further pages
    compares: tuple[str, ...] = ()   # folders of the editions that a report on a series puts side by side


def read_entries(folder: Path) -> list[Entry]:
    """One entry per campaign, latest period first, unreadable ones last.

    Folders whose name begins with a dot are work in progress; what a failed run left is told of its campaign.
    """
    folders = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = {path.name: _read(path) for path in folders if not path.name.endswith(FAILED)}
    for path in folders:
        if path.name.endswith(FAILED):
            name = path.name.removesuffix(FAILED)
            found[name] = _failed(path, found.get(name) or Entry(name, name, problem=PROBLEMS["missing"]))
    for entry in [entry for entry in found.values() if entry.compares]:
        series = next((found[name].series for name in entry.compares if name in found), "")
        found[entry.folder] = replace(entry, series=series)
    entries = sorted(found.values(), key=lambda entry: entry.folder)
    entries.sort(key=lambda entry: (entry.end, entry.start), reverse=True)  # stable: equal periods stay by name
    return sorted(entries, key=lambda entry: bool(entry.problem))


def _read(folder: Path) -> Entry:
    try:
        found = _entry(folder.name, json.loads((folder / "results.json").read_text(encoding="utf-8")))
        return replace(found, others=tuple(each for each in LANG if (folder / f"report.{each}.html").is_file()))
    except FileNotFoundError:
        return Entry(folder.name, folder.name, problem=PROBLEMS["missing"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Entry(folder.name, folder.name, problem=PROBLEMS["broken"])


def _failed(folder: Path, good: Entry) -> Entry:
    """The last good report with how the run after it ended; where there is none, what the failed run knew."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        status = record["status"] if record["status"] in HEADINGS else "failed"
        campaign = record["campaign"] or {}
        period = campaign.get("period") or {"start": "", "end": ""}
        span(period, Reader())  # raises if these are no dates
        known = {"title": str(campaign.get("title") or good.folder), "owner": str(campaign.get("owner") or ""),
                 "language": campaign["language"] if campaign.get("language") in LANG else "", **period,
                 "series": str(campaign.get("series") or ""), "edition": str(campaign.get("edition") or "")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        status, known = "failed", {}
    return replace(good, failed=status, **known) if good.problem else replace(good, failed=status)


def _entry(folder: str, results: dict[str, Any]) -> Entry:
    campaign, period = results["campaign"], results["campaign"]["period"]
    goals = Counter(goal["verdict"] for goal in results.get("goals", ()))
    states = {check["state"] for check in results.get("checks", ())}
    answer, notebook = results["verdict"]["answer"], results.get("notebook", "review")
    if (answer not in VERDICTS or notebook not in NOTEBOOKS or campaign["language"] not in LANG
            or states - CHECKS.keys()):
        raise ValueError(f"{folder}: a word that this version does not know")
    span(period, Reader())  # raises if these are no dates
    series = results.get("series") or {"name": "", "edition": ""}
    compares = tuple(results["provenance"]["sources"]) if notebook == "compare" else ()
    return Entry(
        folder, str(campaign["title"]), str(campaign.get("owner") or ""), campaign["language"],
        period["start"], period["end"], notebook, answer, **{verdict: goals[verdict] for verdict in GOALS},
        checks=next((state for state in CHECKS if state in states), ""),
        series=str(series["name"]), edition=str(series["edition"]), compares=compares)
