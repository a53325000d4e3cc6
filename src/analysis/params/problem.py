"""What is wrong with a campaign, said so that the reader can mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it is and what would do."""

    file: str
    line: int | None
    where: str
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {_sayable(f'{self.where}: {self.message}' if self.where else self.message)}"


COMMAND = "--set"    # the place of what no file says
LONGEST_WORD = 300


def _sayable(text: str) -> str:
    """Without what stands before the host of an address or is called a password in it, and without endless words."""
    text = re.sub(r"://\S*@", "://***@", text)
    text = re.sub(r"\b(password|passfile|sslpassword|token)=[^\s&;']+", r"\1=***", text, flags=re.IGNORECASE)
    return re.sub(rf"\S{{{LONGEST_WORD},}}", lambda word: f"{word[0][:77]}...", text)


MOST = 100   # that a message lists; whoever has more mends these first


class CampaignError(Exception):
    """What is wrong with a campaign's params or data, all of it."""

    def __init__(self, problems: list[Problem]):
        self.problems = problems
        more = [f"... and {len(problems) - MOST:,} more"] if len(problems) > MOST else []
        super().__init__("\n".join([*map(str, problems[:MOST]), *more]))


class Place(NamedTuple):
    """Where a key was read: a params file, or one that it extends."""

    file: str
    line: int | None       # None where it was not read from a file


Places = dict[tuple, Place]


def place_of(places: Places, where: tuple) -> Place | None:
    """Place of a key, or of the nearest key around it."""
    while where and where not in places:
        where = where[:-1]
    return places.get(where)


def stands_at(places: Places, where: tuple, file: str) -> tuple[str, int | None, str]:
    """File, line and key of a mistake, as Problem has them; `file` for what no file says.

    What the command line said is told so: in the file it may be right.
    """
    place = place_of(places, where) or Place(file, None)
    if place.file == COMMAND:
        return file, None, f"{COMMAND} {dotted(where)}"
    return place.file, place.line, dotted(where)


def dotted(where: tuple) -> str:
    """A place in the file as people say it: lists count from 1."""
    return ".".join(str(key + 1) if isinstance(key, int) else str(key) for key in where)
