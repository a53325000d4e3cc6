"""A series of editions side by side: what each did, and the numbers that mean the same in all of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.data.editions import Record
from analysis.results.editions.change import ASPECTS, defect
from analysis.results.editions.numbers import Kind, Number, numbers

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Compared:
    """How many editions there are, and in how many of them the primary metric means the same."""

    answer: str                # "editions"
    reasons: tuple[str, ...]   # "no_control_group": no edition can tell what it caused
    metric: str                # the primary one of the last edition whose numbers can be compared
    n_editions: int
    n_alike: int               # of which the primary metric can be compared
    n_with_control: int        # with an effect of a control group drawn by chance


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition: its report in a line."""

    name: str                  # of the campaign; its report's folder
    title: str
    edition: str
    start: str
    end: str
    answer: str                # of the verdict
    trust: str                 # worst state of its checks
    n_goals: int
    n_met: int
    n_missed: int
    cost: float                # in all, in `currency`; nan where it is not stated or not known
    currency: str
    reason: str                # why none of its numbers is compared: "other_schema", "no_definitions", "not_trusted"


@dataclass(frozen=True, slots=True)
class Point:
    """One number of one edition, defined as the last edition defines it."""

    kind: Kind
    name: str
    group: str
    edition: str
    start: str                 # of the edition
    unit: str
    is_per_day: bool           # in all editions, because they differ in length
    n: int
    value: float
    lower: float               # 95% (of effects: at the edition's own level)
    upper: float
    reason: str = ""           # why there is no interval: "no_interval", or "counted" of the cost, which is no sample


@dataclass(frozen=True, slots=True)
class Apart:
    """A number that some editions have otherwise, and why."""

    kind: Kind
    name: str
    group: str
    reason: str                # as of `LeftOut`; "no_longer": the last edition does not have it
    editions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """A series, in the order in which its editions began."""

    answer: Compared
    editions: list[Edition]
    points: list[Point]
    apart: list[Apart]

    def of(self, kind: str, name: str) -> list[Point]:
        """The points of one metric or funnel."""
        return [point for point in self.points if (point.kind, point.name) == (kind, name)]


def course(records: Sequence[Record]) -> Course:
    """All editions, held against the definitions of the last that can be compared; at least one."""
    listed = [_edition(record.content) for record in records]
    usable = {edition.name: numbers(record.content) for edition, record in zip(listed, records, strict=True)
              if not edition.reason}
    points, apart = _aligned([edition for edition in listed if not edition.reason], usable)
    metric = next((record.content["verdict"]["metric"] for record, edition in zip(
        reversed(records), reversed(listed), strict=True) if not edition.reason), "")
    alike = {(point.start, point.edition) for point in points
             if point.name == metric and point.kind in ("level", "effect")}
    n_with_control = sum(any(number.kind == "effect" for number in own.values()) for own in usable.values())
    return Course(Compared("editions", () if n_with_control else ("no_control_group",), metric, len(listed), len(alike),
                           n_with_control), listed, points, apart)


def _edition(content: dict[str, Any]) -> Edition:
    campaign, goals = content["campaign"], Counter(goal["verdict"] for goal in content["goals"])
    total = next((row["amount"] for row in content["costs"] if not row["item"]), None)
    return Edition(
        campaign["name"], campaign["title"], content["series"]["edition"], campaign["period"]["start"],
        campaign["period"]["end"], content["verdict"]["answer"], content["trust"], goals.total(), goals["met"],
        goals["missed"], math.nan if total is None else float(total), campaign["currency"], defect(content))


def _aligned(
    listed: Sequence[Edition], found: dict[str, dict[Key, Number]]
) -> tuple[list[Point], list[Apart]]:
    """Every number of the last edition in all of them; what only earlier ones have is named."""
    if not listed:
        return [], []
    last = found[listed[-1].name]
    points, apart = [], []
    for key in dict.fromkeys([*last, *(key for edition in reversed(listed) for key in found[edition.name])]):
        own = {edition.name: found[edition.name].get(key) for edition in listed}
        if key not in last:
            names = tuple(edition.edition for edition in listed if own[edition.name])
            apart.append(Apart(*key, "no_longer", names))
            continue
        why = {name: _unlike(last[key], number) for name, number in own.items()}
        days = _days([own[edition.name] for edition in listed if not why[edition.name]])
        is_per_day = len(set(days)) > 1 and last[key].is_additive
        if not is_per_day:   # a share of another length is another share; the newest length counts
            why |= {name: "length" for name, number in own.items() if not why[name] and number.days not in days[-1:]
                    and days}
        points += [_point(edition, own[edition.name], is_per_day) for edition in listed if not why[edition.name]]
        apart += _apart(key, why, listed)
    return points, apart


def _unlike(last: Number, number: Number | None) -> str:
    """Why a number does not mean what it means in the last edition, or is not known; "" when it does and is."""
    if number is None:
        return "only_now"
    differing = next((a for a in ASPECTS if last.definition.get(a, "") != number.definition.get(a, "")), "")
    return differing or number.reason


def _days(own: Sequence[Number]) -> list[float]:
    """Lengths of the periods, oldest first, of a number that depends on them."""
    return [number.days for number in own if not math.isnan(number.days)]


def _point(edition: Edition, number: Number, is_per_day: bool) -> Point:
    scale = 1 / number.days if is_per_day else 1.0
    reason = "counted" if number.kind == "cost" else "no_interval" if math.isnan(number.lower + number.upper) else ""
    return Point(number.kind, number.name, number.group, edition.edition, edition.start, number.unit, is_per_day,
                 number.n, number.value * scale, number.lower * scale, number.upper * scale, reason)


def _apart(key: Key, why: dict[str, str], listed: Sequence[Edition]) -> Iterator[Apart]:
    for reason in dict.fromkeys(reason for reason in why.values() if reason):
        yield Apart(*key, reason, tuple(edition.edition for edition in listed if why[edition.name] == reason))
