"""The page that lists every campaign's report: series by series, with what needs a look on top."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from analysis.report.entries import CHECKS, FAILED, NOTEBOOKS, Entry, read_entries
from analysis.report.failure import HEADINGS
from analysis.report.multiples import multiple
from analysis.report.outcome import VERDICTS
from analysis.report.template import LANG, LANGUAGES, exporter, frame, span
from analysis.showing.reader import Reader

LOOKS = {"feasible": "works", "stop": "works", "broken": "do_not_trust", "not_feasible": "cannot_tell",
         "go_on": "cannot_tell", "over": "cannot_tell",
         "editions": "compared"}  # CSS class, where it is not the answer itself
GOALS = {"met": "{n} met", "missed": "{n} missed", "unknown": "{n} not known"}
UNTRUSTED = {"met": "{n} met, if the data were right", "missed": "{n} missed, if the data were right"}
MANY = 20      # campaigns outside of a series, from which on they stand by year
MOST_TOLD = 12  # of what needs a look


@dataclass(frozen=True)
class Index:
    """html for people and the same as JSON for programs."""

    html: str
    json: str


def build_index(folder: Path, reader: Reader) -> Index:
    """The list of the reports below `folder`, latest period first, unreadable ones last; writes nothing."""
    entries = read_entries(folder)
    ids = {entry.folder: f"c{i}" for i, entry in enumerate(entries, start=1)}
    groups = [{"title": title, "id": f"g{i}", "figure": _figure(folder, own[0].series, i, reader),
               "cards": [_card(entry, ids[entry.folder], reader) for entry in own]}
              for i, (title, own) in enumerate(grouped(entries, reader), start=1)]
    looked = sorted((card for group in groups for card in group["cards"] if card["needs"]),
                    key=lambda card: not card["failed"])
    html = exporter().environment.get_template("campaigns.html.j2").render(resources={
        **frame(reader, "list.css"), "title": reader.say("Campaign reports"), "groups": groups, "n": len(entries),
        "looked": looked[:MOST_TOLD], "n_more": max(0, len(looked) - MOST_TOLD)})
    listed = {"schema_version": 1, "campaigns": [asdict(entry) for entry in entries]}
    return Index(html, json.dumps(listed, ensure_ascii=False, indent=1) + "\n")


def _figure(folder: Path, series: str, number: int, reader: Reader) -> str:
    return multiple(folder, series, number, reader) if series else ""


def grouped(entries: Sequence[Entry], reader: Reader) -> list[tuple[str, list[Entry]]]:
    """Heading and campaigns: each series, the latest first, then the rest, by year where they are many.

    One group alone needs no heading.
    """
    rest = [entry for entry in entries if not entry.series]
    groups = [(_title(series), [entry for entry in entries if entry.series == series])
              for series in dict.fromkeys(entry.series for entry in entries if entry.series)]
    if len(rest) > MANY:
        years = dict.fromkeys(entry.end[:4] for entry in rest)
        groups += [(year or reader.say("Without a period"), [entry for entry in rest if entry.end[:4] == year])
                   for year in years]
    elif rest:
        groups.append((reader.say("Other campaigns") if groups else "", rest))
    return groups


def _title(series: str) -> str:
    return series[:1].upper() + series[1:].replace("_", " ").replace("-", " ")


def _card(entry: Entry, id_: str, reader: Reader) -> dict[str, object]:
    """The entry in the reader's words: `states` are (class, words)."""
    failed = reader.say(HEADINGS[entry.failed]) if entry.failed else ""
    card = {
        "id": id_, "title": entry.title, "lang": LANG.get(entry.language), "owner": entry.owner, "failed": failed,
        "problem": "" if failed else reader.say(entry.problem), "href": "", "others": [], "kind": "",
        "verdict": None, "goals": [],
        "checks": None, "failed_href": f"{quote(entry.folder + FAILED, safe='')}/report.html",
        "edition": reader.say("Edition {edition}", edition=entry.edition) if entry.edition else "",
        "period": span({"start": entry.start, "end": entry.end}, reader) if entry.start else "", "needs": failed}
    if entry.problem:
        return card | {"needs": failed or card["problem"]}
    return card | {
        "href": f"{quote(entry.folder, safe='')}/report.html", "others": [
            (LANG[each], LANGUAGES[each], f"{quote(entry.folder, safe='')}/report.{each}.html")
            for each in entry.others], "kind": reader.say(NOTEBOOKS[entry.notebook]),
        "verdict": (LOOKS.get(entry.verdict, entry.verdict), reader.say(VERDICTS[entry.verdict])),
        "goals": list(_goals(entry, reader)),
        "checks": (entry.checks, reader.say(CHECKS[entry.checks])) if entry.checks else None,
        "needs": failed or (reader.say(VERDICTS[entry.verdict]) if entry.verdict in ("do_not_trust", "broken") else "")}


def _goals(entry: Entry, reader: Reader) -> list[tuple[str, str]]:
    """How many goals were met and so on; what was counted from data that failed the checks says so."""
    is_void = entry.verdict == "do_not_trust"
    return [("warn" if is_void and verdict in UNTRUSTED else verdict,
             reader.say(UNTRUSTED.get(verdict, message) if is_void else message, n=n))
            for verdict, message in GOALS.items() if (n := getattr(entry, verdict))]
