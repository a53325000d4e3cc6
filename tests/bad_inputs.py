"""Campaigns that hold mistakes on purpose: a small valid one, spoilt by what people get wrong, drawn from a seed.

A mistake is made by a function of `tests/bad_params.py` or `tests/bad_data.py`, which also says what the product must
tell of it. One case holds one to three; they keep out of each other's way by what they `take`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import yaml

from tests.report.small_campaign import PARAMS

FILE = "params/spring.yml"
MORE = """\
population: {consent: agreed, where: {tier: [gold, silver]}}
effects: {segments: [city], correction: holm, relabel: 0}
series: {name: spring, edition: "2025"}
closed: [2025-11-13]
quantiles: {basket: {of: orders.amount, at: 90%}}
labels: {amount: {en: paid amount, zh: 支付金额}}
min_cell_size: 1
plan: {days: 30, effect: {amount: 5%}}
"""
METRICS = """\
  average: {ratio: [amount, buyers]}
  refunds: {count: events, where: {event: refund}, better: lower, role: guardrail, margin: 2%}
"""
TEXT = PARAMS.replace("sources:\n", "sources:\n  users: {path: ../data/users.csv}\n").replace(
    "goals:\n", METRICS + "goals:\n") + MORE
Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Told:
    """What must be said of one mistake, in one line."""

    where: str                   # the place in the file; "" where there is none
    words: tuple[str, ...]       # what else stands in the line: what was found, what would do
    file: str = FILE
    n_more: int = 0              # lines that may follow from the same mistake


@dataclass
class Inputs:
    """The files of a campaign before they are written, and what was done to them."""

    files: dict[str, bytes]                               # path -> content; a path that ends in "/" is a folder
    settings: list[str] = field(default_factory=list)     # KEY=VALUE, as behind `--set`
    taken: set[str] = field(default_factory=set)          # keys of the params, and tables, that are spoilt already
    told: list[Told] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    params: str = FILE                                    # what the command is given
    locked: list[str] = field(default_factory=list)       # files that nobody may read
    secret: str = ""                                      # what must not be printed

    @property
    def text(self) -> str:
        return self.files[FILE].decode()

    @text.setter
    def text(self, text: str) -> None:
        self.files[FILE] = text.encode()

    def take(self, *parts: str) -> None:
        """Claim keys, tables or `*`, everything. Raises Taken."""
        if self.taken & {*parts, "*"} or ("*" in parts and self.taken):
            raise Taken
        self.taken |= {*parts}

    def put(self, where: Where, value: str) -> None:
        """Write a value, as YAML, in the place of another one, or as a new key of a flow mapping or of the file."""
        text, values = self.text, spans(self.text)[1]
        if where in values:
            start, end = values[where]
            self.text = text[:start] + value + ("\n" if text[start:end].endswith("\n") else "") + text[end:]
        elif len(where) == 1:
            self.text = f"{text}{where[0]}: {value}\n"
        else:
            start, _ = values[where[:-1]]
            assert text[start] == "{", where
            self.text = f"{text[:start + 1]}{where[-1]}: {value}, {text[start + 1:]}"

    def rename(self, where: Where, key: str) -> None:
        start, end = spans(self.text)[0][where]
        self.text = self.text[:start] + key + self.text[end:]

    def write(self, folder: Path) -> Path:
        """All files into a folder; the path of the params."""
        for name, content in self.files.items():
            path = folder / name
            (path if name.endswith("/") else path.parent).mkdir(parents=True, exist_ok=True)
            if not name.endswith("/"):
                path.write_bytes(content)
        for name in self.locked:
            (folder / name).chmod(0)
        return folder / self.params


class Taken(Exception):
    """Another mistake was made there."""


Kind = Callable[[Random, Inputs], Sequence[Told]]


def spans(text: str) -> tuple[dict[Where, tuple[int, int]], dict[Where, tuple[int, int]]]:
    """Where each key, and each value, of a YAML text begins and ends."""
    keys: dict[Where, tuple[int, int]] = {}
    values: dict[Where, tuple[int, int]] = {}

    def walk(node: yaml.Node, where: Where) -> None:
        values[where] = node.start_mark.index, node.end_mark.index
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            keys[*where, key.value] = key.start_mark.index, key.end_mark.index
            walk(value, (*where, key.value))
        for i, item in enumerate(node.value if isinstance(node, yaml.SequenceNode) else ()):
            walk(item, (*where, i))

    walk(yaml.compose(text, yaml.SafeLoader), ())
    return keys, values


def dotted(where: Where) -> str:
    return ".".join(str(key + 1) if isinstance(key, int) else key for key in where)


def valid() -> Inputs:
    """The campaign without a mistake: a dozen users."""
    users, arms = ["user_id,agreed,tier,city"], ["user_id,variant"]
    events, orders = ["user_id,event,occurred_at,channel"], ["user_id,ordered_at,amount"]
    for i in range(12):
        users.append(f"u{i},yes,{'gold' if i % 3 else 'silver'},{'Oslo' if i % 2 else 'Rome'}")
        arms.append(f"u{i},{'campaign' if i % 4 < 2 else 'holdout'}")
        for day in range(4 + i % 3, 25, 4):
            events.append(f"u{i},visit,2025-11-{day:02d} 10:00:00,{'web' if i % 2 else 'app'}")
            events.append(f"u{i},{'pay' if day % 5 else 'refund'},2025-11-{day:02d} 11:00:00,web")
            orders.append(f"u{i},2025-11-{day:02d} 11:00:00,{day + i}.5")
    tables = {"users": users, "arms": arms, "events": events, "orders": orders}
    return Inputs({FILE: TEXT.encode()} | {
        f"data/{name}.csv": ("\n".join(lines) + "\n").encode() for name, lines in tables.items()})


def cases(seed: int, kinds: dict[str, Kind], n: int) -> Iterator[Inputs]:
    """`n` campaigns with one to three mistakes each; every kind comes first in one of them, if there are enough."""
    names = list(kinds)
    for i in range(n):
        draw, spoilt = Random(f"{seed}/{i}"), None
        while spoilt is None:
            spoilt = _spoilt(draw, kinds, [names[i % len(names)], *draw.choices(names, k=draw.choice([0, 1, 1, 2]))])
        yield spoilt


def _spoilt(draw: Random, kinds: dict[str, Kind], wanted: Sequence[str]) -> Inputs | None:
    inputs = valid()
    for name in dict.fromkeys(wanted):
        if "*" in inputs.taken:
            break
        before = dict(inputs.files), list(inputs.settings), set(inputs.taken)
        try:
            inputs.told += kinds[name](draw, inputs)
            inputs.kinds.append(name)
        except Taken:
            inputs.files, inputs.settings, inputs.taken = before
            if not inputs.kinds:
                return None
    return inputs


def untold(inputs: Inputs, said: str) -> list[Told]:
    """The mistakes of which no line speaks as it must."""
    lines = [line for line in said.splitlines() if line]
    return [told for told in inputs.told if not any(_is_of(told, line) for line in lines)]


def _is_of(told: Told, line: str) -> bool:
    key = f"(--set )?{re.escape(told.where)}: " if told.where else ""
    place = re.escape(told.file) + r"(:\d+)?: " + key
    return bool(re.search(place, line)) and all(words in line for words in told.words)


def n_allowed(inputs: Inputs) -> int:
    """The most lines that may be said."""
    return sum(1 + told.n_more for told in inputs.told)
