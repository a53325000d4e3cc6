"""Arms for a campaign that has not begun: drawn, checked on the time before, and written down once."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.params import Campaign, CampaignError, Editions, Experiments, Problem, load
from analysis.params.sources import Source

if TYPE_CHECKING:
    from analysis.facts.drawn_from import People
    from analysis.results.planning.draw import Draw, DrawCheck

OK, FAILED = 0, 3
KINDS = (".csv", ".parquet")
COLUMNS = ("user_id", "variant", "salt", "stratum")
Tell = Callable[[str], None]


def assign_arms(
    params: Path, overrides: dict[str, Any], salt: str, to: Path | None, is_forced: bool, tell: Tell
) -> int:
    """Draw the arms of one campaign and write them; if they are not alike nothing is written and the code is FAILED.

    salt   the draw hangs on it; that of the params, or the campaign's name, when empty
    to     file that is written; the one that the params name for `assignments:` when None

    Raises CampaignError for params, data and files that will not do.
    """
    from analysis.facts.drawn_from import people
    from analysis.facts.past import look_back
    from analysis.results.planning.draw import check, draw

    campaign = _campaign(params, overrides)
    place, names = _place(campaign, to)
    if place.exists() and not is_forced:
        raise CampaignError([Problem(str(place), None, "", (
            "exists already: users may have been told their arm; --force overwrites it"))])
    past = look_back(campaign)
    if not past.n_people:
        raise CampaignError([campaign.problem(("sources", "users"), (
            f"nobody can be drawn: {past.facts.left.n_known:,} users are known, and none is left of them"))])
    found = people(past)
    drawn = draw(found, campaign.arms, salt or campaign.plan.salt or campaign.name)
    checked = check(found, campaign.arms, drawn)
    for line in _told(campaign, past.n_excluded, drawn, checked):
        tell(line)
    if checked.state == "fail":
        tell("  NOT WRITTEN: these arms differ by more than chance allows in one draw of a thousand, and the review "
            "would not trust them.\n  If the users table is right, say another salt and write down that you did. Do "
            "not draw until the arms look best.")
        return FAILED
    _write(place, names, found, drawn, bool(campaign.arms.strata))
    tell(f"written: {place} ({', '.join(names.values())})")
    if not campaign.sources.assignments:
        tell(f"  name it in the params: assignments: {{path: {os.path.relpath(place, campaign.path.parent)}}}")
    return OK


def _campaign(params: Path, overrides: dict[str, Any]) -> Campaign:
    campaign = load(params, overrides, "plan")
    if isinstance(campaign, Experiments):
        raise CampaignError([Problem(str(params), None, "", "is about experiments that are over; nothing is drawn")])
    if isinstance(campaign, Editions):
        raise CampaignError([Problem(str(params), None, "", "is about editions that are over; nothing is drawn")])
    if campaign.arms is None:
        raise CampaignError([campaign.problem(("arms",), "missing: say a control and the shares to draw by")])
    if campaign.sources.users is None:
        raise CampaignError([campaign.problem(("sources",), "has no `users:`, the table of those who can be drawn")])
    return campaign


def _place(campaign: Campaign, to: Path | None) -> tuple[Path, dict[str, str]]:
    """The file to write, and what its columns are called there."""
    names = {name: name for name in COLUMNS}
    if to is None:
        place, source = _named(campaign, campaign.sources.assignments or [])
        names |= {ours: theirs for ours, theirs in source.columns.items() if ours in names}
    else:
        place = to
    if place.suffix not in KINDS:
        raise CampaignError([Problem(str(place), None, "", f"ends neither in {' nor in '.join(KINDS)}")])
    return place, names


def _named(campaign: Campaign, sources: list[Source]) -> tuple[Path, Source]:
    """The one plain file that the params name for the assignments."""
    if not sources:
        raise CampaignError([campaign.problem(("sources",), (
            "has no `assignments: {path: ...}` to write to; add it, or say --to FILE"))])
    source = sources[0]
    if len(sources) > 1 or source.address or source.where or source.values or set("*?[") & set(source.path):
        raise CampaignError([campaign.problem(("sources", "assignments"), (
            "is not one plain file that could be written; say --to FILE"))])
    return Path(os.path.relpath(campaign.path.parent / source.path)), source


def _told(campaign: Campaign, n_excluded: int, drawn: Draw, checked: DrawCheck) -> Iterator[str]:
    """What is printed of a draw."""
    from analysis.showing import Reader

    reader, sizes = Reader("en"), drawn.sizes
    n, n_without = reader.count(sum(sizes.values())), len(drawn.variant) - sum(sizes.values())
    yield f"{campaign.name}: {n} users drawn with the salt '{drawn.salt}': " + ", ".join(
        f"{arm} {reader.count(sizes[arm])} (planned {reader.percent(share)})" for arm, share in drawn.shares.items())
    if n_excluded:
        yield f"  {reader.count(n_excluded)} users are excluded and get no arm"
    if n_without:
        yield f"  {reader.count(n_without)} users have no {checked.unit} and get no arm"
    yield f"  split{f' by {checked.unit}' if checked.unit else ''} as planned: p {reader.pvalue(checked.split.pvalue)}"
    worst = checked.worst
    if worst is None:
        yield "  nothing was measured before, so how alike the arms are is not known"
        return
    yield (f"  alike before: the largest difference is {reader.number(worst.standardised, 3)} standard deviations "
           f"({worst.metric}, {worst.arm}; p {reader.pvalue(worst.pvalue_adjusted)} after Holm); "
           f"{checked.n_worse} of {checked.n_others} other draws would have been worse")
    yield (f"  false alarms: of these {reader.percent(checked.alarms.rate)} differ at "
           f"{reader.percent(checked.alarms.alpha, 0)}, where chance alone is at work")


def _write(place: Path, names: dict[str, str], found: People, drawn: Draw, has_strata: bool) -> None:
    """Sorted by user, whole or not at all; the same draw gives the same bytes. Users without an arm have no row."""
    is_in = pa.array(drawn.variant != "")
    columns = {"user_id": found.ids, "variant": pa.array(drawn.variant.tolist(), pa.string()),
               "salt": pa.array([drawn.salt] * len(found.ids), pa.string()),
               "stratum": pa.array(found.stratum if has_strata else [""] * len(found.ids), pa.string())}
    table = pa.table({names[name]: column for name, column in columns.items()}).filter(is_in)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{place.stem}-", dir=place.parent) as work:
            fresh = Path(work, place.name)
            _parquet(fresh, table) if place.suffix == ".parquet" else _csv(fresh, table)
            os.replace(fresh, place)
    except OSError as error:
        raise CampaignError([Problem(str(place), None, "", f"cannot be written: {error.strerror or error}")]) from None


def _csv(path: Path, table: pa.Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.column_names)
        writer.writerows(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _parquet(path: Path, table: pa.Table) -> None:
    import pyarrow.parquet as pq

    pq.write_table(table, path)
