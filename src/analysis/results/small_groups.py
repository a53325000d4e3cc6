"""Small groups are left out: nobody can be read off a row, nor off the difference between a total and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from analysis.facts.population import Facts

Key, Row, Column = TypeVar("Key"), TypeVar("Row"), TypeVar("Column")   # names of groups
Part = Literal["segments", "funnel", "days", "retention", "cohorts", "value", "recency"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Groups of one breakdown that the report does not show."""

    part: Part
    name: str        # metric or funnel; "" where there is only one such part
    by: str          # column that the groups are values of; "" for times and for how lately users ordered
    n_groups: int    # those of fewer than `min_cell_size` users, and those that hide them


def shown(
    facts: Facts, part: Part, sizes: Mapping[Key, Sequence[int]], name: str = "", by: str = "",
) -> list[Key]:
    """The groups that may be shown, in their order; the others are kept in mind for `left_out`.

    sizes   of each group the users that its row speaks of, in one or more columns with totals of their own (all of
            them and those whose window is over; one per arm)
    """
    out = hidden(sizes, facts.campaign.min_cell_size)
    facts.kept["left out", part, name, by] = LeftOut(part, name, by, len(out))
    return [key for key in sizes if key not in out]


def left_out(facts: Facts) -> list[LeftOut]:
    """What was left out of all that has been asked of these facts so far."""
    found = [value for key, value in facts.kept.items() if isinstance(value, LeftOut)]
    return [one for one in found if one.n_groups]


def hidden(
    sizes: Mapping[Key, Sequence[int]], least: int, before: Iterable[Key] = (),
) -> set[Key]:
    """The groups that must not be shown: those of 1 to `least` - 1 users, and more until no total gives one away.

    before   groups that are hidden for another reason

    Whoever knows a column's total can subtract the rows shown. What is left must be two groups or more with users and
    `least` users or more together, so the smallest other groups are hidden too until that holds (complementary
    suppression; Willenborg, de Waal 2001, Elements of Statistical Disclosure Control). A group without users is nobody.
    """
    out = {key for key, own in sizes.items() if any(0 < n < least for n in own)} | ({*before} & sizes.keys())
    while out:
        open_columns = [column for column, own in enumerate(zip(*sizes.values(), strict=True))
                        if _gives_away([n for key, n in zip(sizes, own, strict=True) if key in out], least)]
        further = [key for key, own in sizes.items() if key not in out and any(own[column] for column in open_columns)]
        if not further:
            break
        out.add(min(further, key=lambda key: (sum(sizes[key]), str(key))))
    return out


def _gives_away(left: Sequence[int], least: int) -> bool:
    """Whether the sum of what was left out tells of one group, or of fewer users than may be told of."""
    users = [n for n in left if n]
    return bool(users) and (len(users) < 2 or sum(users) < least)


def hidden_cells(sizes: Mapping[tuple[Row, Column], int], least: int, before: Iterable[tuple[Row, Column]] = ()) -> set:
    """The same of a table with totals at the end of each row and below each column.

    sizes   (row, column) -> users
    """
    out, n = {*before}, -1
    while len(out) > n:
        n = len(out)
        for axis in (0, 1):
            for line in dict.fromkeys(key[axis] for key in sizes):
                own = {key: [users] for key, users in sizes.items() if key[axis] == line}
                out |= hidden(own, least, out)
    return out


def put_together(counts: Sequence[int], least: int) -> list[range]:
    """Neighbours of a distribution together, so that each part has no users or `least` or more; [] if there are fewer.

    counts   users by a number that goes up in ones; parts are ranges of places, from the first to the last
    """
    parts: list[range] = []
    end, users = len(counts), 0
    for place in reversed(range(len(counts))):
        users += counts[place]
        if users >= least or not users:
            parts.append(range(place, end))
            end, users = place, 0
    if users:     # the first ones are too few by themselves
        larger = next((i for i in reversed(range(len(parts))) if any(counts[place] for place in parts[i])), None)
        if larger is None:
            return []
        parts[larger:] = [range(0, parts[larger].stop)]
    return parts[::-1]
