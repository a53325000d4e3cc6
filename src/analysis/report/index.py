"""The page that lists every campaign's report, from the results that the reports left."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from analysis.report.template import LANG, exporter, frame, span
from analysis.showing.reader import Reader

VERDICTS = {
    "works": "It works", "does_not": "It does not work",
    "cannot_tell": "It cannot be told", "do_not_trust": "Do not trust the numbers",
    "feasible": "The wished effects can be seen", "not_feasible": "A wished effect cannot be seen",
    "go_on": "Go on", "stop": "Decided: it can stop", "broken": "Something is broken", "over": "The period is over",
    "compared": "Experiments compared", "editions": "Editions compared",
}
LOOKS = {"feasible": "works", "stop": "works", "broken": "do_not_trust", "not_feasible": "cannot_tell",
         "go_on": "cannot_tell", "over": "cannot_tell",
         "editions": "compared"}  # CSS class, where it is not the answer itself
NOTEBOOKS = {"review": "", "plan": "Plan", "monitor": "Monitoring", "experiments": "Experiments",
             "compare": "Editions"}
PROBLEMS = {
    "missing": "There are no results: no run has finished yet.",
    "broken": "results.json cannot be read; run this campaign again.",
}
GOALS = {"met": "{n} met", "missed": "{n} missed", "unknown": "{n} not known"}
CHECKS = {
    "fail": "A check failed", "warn": "A check warns", "not_checked": "Not everything was checked",
    "ok": "Checks passed",
}  # the worst first


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


@dataclass(frozen=True)
class Index:
    """html for people and the same as JSON for programs."""

    html: str
    json: str


def build_index(folder: Path, reader: Reader) -> Index:
    """The list of the reports below `folder`, latest period first, unreadable ones last; writes nothing."""
    entries = read_entries(folder)
    html = exporter().environment.get_template("campaigns.html.j2").render(
        resources={**frame(reader), "title": reader.say("Campaign reports")},
        cards=[_card(entry, reader) for entry in entries])
    listed = {"schema_version": 1, "campaigns": [asdict(entry) for entry in entries]}
    return Index(html, json.dumps(listed, ensure_ascii=False, indent=1) + "\n")


def read_entries(folder: Path) -> list[Entry]:
    """One entry per folder; folders whose name begins with a dot are work in progress."""
    folders = (path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith("."))
    entries = [_read(path) for path in folders]
    entries.sort(key=lambda entry: (entry.end, entry.start), reverse=True)  # stable: equal periods stay by name
    return sorted(entries, key=lambda entry: bool(entry.problem))


def _read(folder: Path) -> Entry:
    try:
        return _entry(folder.name, json.loads((folder / "results.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Entry(folder.name, folder.name, problem=PROBLEMS["missing"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Entry(folder.name, folder.name, problem=PROBLEMS["broken"])


def _entry(folder: str, results: dict) -> Entry:
    campaign, period = results["campaign"], results["campaign"]["period"]
    goals = Counter(goal["verdict"] for goal in results.get("goals", ()))
    states = {check["state"] for check in results.get("checks", ())}
    answer, notebook = results["verdict"]["answer"], results.get("notebook", "review")
    if (answer not in VERDICTS or notebook not in NOTEBOOKS or campaign["language"] not in LANG
            or states - CHECKS.keys()):
        raise ValueError(f"{folder}: a word that this version does not know")
    span(period, Reader())  # raises if these are no dates
    return Entry(
        folder, str(campaign["title"]), str(campaign.get("owner") or ""), campaign["language"],
        period["start"], period["end"], notebook, answer,
        **{verdict: goals[verdict] for verdict in GOALS},
        checks=next((state for state in CHECKS if state in states), ""))


def _card(entry: Entry, reader: Reader) -> dict[str, object]:
    """The entry in the reader's words: `states` are (class, words)."""
    card = {"title": entry.title, "lang": LANG.get(entry.language), "problem": reader.say(entry.problem)}
    if entry.problem:
        return card
    goals = [(verdict, getattr(entry, verdict)) for verdict in GOALS]
    return card | {
        "href": f"{quote(entry.folder, safe='')}/report.html", "owner": entry.owner,
        "period": span({"start": entry.start, "end": entry.end}, reader),
        "kind": reader.say(NOTEBOOKS[entry.notebook]),
        "verdict": (LOOKS.get(entry.verdict, entry.verdict), reader.say(VERDICTS[entry.verdict])),
        "goals": [(verdict, reader.say(GOALS[verdict], n=n)) for verdict, n in goals if n],
        "checks": (entry.checks, reader.say(CHECKS[entry.checks])) if entry.checks else None,
    }
