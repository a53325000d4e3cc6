"""What a params file takes over from another one: `extends: shared/shop.yml`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.params.part import suggest
from analysis.params.problem import CampaignError, Place, Places, Problem, dotted
from analysis.params.tree import read_tree


@dataclass
class Whole:
    """A params file with all that it takes over."""

    tree: dict[str, Any]
    places: Places                                            # key -> the file and line that say it
    files: list[Path]                                         # the file itself, then what it extends, in order
    problems: list[Problem] = field(default_factory=list)

    def problem(self, where: tuple, message: str) -> Problem:
        """A mistake at a key that is there."""
        return Problem(*self.places[where], dotted(where), message)


ENDINGS = (".yml", ".yaml")


def read_whole(path: Path, within: tuple[Path, ...] = ()) -> Whole:
    """A params file over the one it extends: mappings are merged key by key, anything else takes the place of what was
    there; what `drop:` lists is gone before.

    within   the files that lead here, each by `extends`
    Raises CampaignError.
    """
    tree, lines, problems = read_tree(path)
    own = Whole(tree, {where: Place(str(path), line) for where, line in lines.items()}, [path], problems)
    named = tree.get("extends")
    if not isinstance(named, str) or not named:   # absent, or a mistake that the model tells of
        if "drop" in tree:
            own.problems.append(own.problem(("drop",), "there is nothing to drop: this file extends no other"))
        return own
    base = Path(os.path.normpath(path.parent / named))
    chain = (*within, path)
    wrong = (_not_there(path.parent, named, base) if not _is_file(base) else _circle(chain, base)
             if base.suffix in ENDINGS else f"'{named}' is no params file: its name must end in .yml or .yaml")
    if wrong:
        raise CampaignError([*problems, own.problem(("extends",), wrong)])
    try:
        below = read_whole(base, chain)
    except CampaignError as error:
        raise CampaignError([*problems, *error.problems]) from None
    return _over(below, own)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:   # a name that no file can have
        return False


def _circle(chain: tuple[Path, ...], base: Path) -> str:
    seen = [file.resolve() for file in chain]
    if base.resolve() not in seen:
        return ""
    names = [file.name for file in chain[seen.index(base.resolve()):]]
    return f"leads in a circle: {' extends '.join([*names, base.name])}; a file takes over keys of another, not its own"


def _not_there(folder: Path, named: str, base: Path) -> str:
    beside = [*base.parent.glob("*.yml"), *base.parent.glob("*.yaml")] if base.parent.is_dir() else []
    there = [os.path.relpath(file, folder) for file in beside]
    return f"no file '{named}' (relative to the folder of this file){suggest(named, there)}"


def _over(base: Whole, own: Whole) -> Whole:
    """The base with the own file's keys laid over it; its paths as they are seen from the own file."""
    between = os.path.relpath(base.files[0].parent, own.files[0].parent)
    for holder, key in _paths(base.tree):
        holder[key] = _seen_from(between, holder[key])
    _drop(base, own)
    tree = _laid(base.tree, own.tree, (), base.places)
    return Whole(tree, base.places | own.places, own.files + base.files, own.problems + base.problems)


def _drop(base: Whole, own: Whole) -> None:
    """Take what the own file drops, and what only the base says of itself, out of the base."""
    asked = own.tree.get("drop", [])
    for i, name in enumerate(asked if isinstance(asked, list) else []):   # else the model tells of it
        holder, keys = base.tree, str(name).split(".")
        while len(keys) > 1 and isinstance(holder.get(keys[0]), dict):
            holder, keys = holder[keys[0]], keys[1:]
        if len(keys) == 1 and keys[0] in holder:
            del holder[keys[0]]
        else:
            own.problems.append(own.problem(("drop", i), (
                f"'{name}' is no key of {base.files[0].name}{suggest(keys[0], holder)}")))
    for key in ("extends", "drop"):
        base.tree.pop(key, None)


def _laid(base: dict[str, Any], own: dict[str, Any], where: tuple, places: Places) -> dict[str, Any]:
    """Own keys over the base's; `places` forgets what is no longer the base's."""
    merged = dict(base)
    for key, value in own.items():
        here = (*where, key)
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = _laid(base[key], value, here, places)
            continue
        for inner in [inner for inner in places if inner[:len(here)] == here]:
            del places[inner]
        merged[key] = value
    return merged


def _paths(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every mapping and key that name a place in the file system."""
    sources, plan = tree.get("sources"), tree.get("plan")
    tables = sources.values() if isinstance(sources, dict) else []
    alone = [tree.get("experiments"), plan.get("exclude") if isinstance(plan, dict) else None]
    for table in [*tables, *alone]:
        for source in table if isinstance(table, list) else [table]:
            if isinstance(source, dict) and isinstance(source.get("path"), str):
                yield source, "path"
    series = tree.get("series")
    if isinstance(series, dict) and isinstance(series.get("reports"), str):
        yield series, "reports"


def _seen_from(between: str, path: str) -> str:
    """A path of the base, relative to the folder of the file that extends it; addresses of servers stay."""
    scheme, separator, rest = path.partition("://")
    if not separator:
        return os.path.normpath(os.path.join(between, path)) if path else path
    return f"{scheme}://{os.path.normpath(os.path.join(between, rest))}" if scheme.lower() == "duckdb" else path
