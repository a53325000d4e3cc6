"""Read a params file; say every mistake in it at once, with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, get_origin

from pydantic import TypeAdapter, ValidationError

from analysis.params.contradictions import contradictions
from analysis.params.editions import Editions
from analysis.params.experiments import Experiments, disagreements
from analysis.params.inherit import read_whole
from analysis.params.model import Campaign
from analysis.params.part import Part
from analysis.params.problem import COMMAND, CampaignError, Place, Places, Problem, dotted, stands_at
from analysis.params.references import fill
from analysis.params.report_file import wrong_name
from analysis.params.tree import NotATree, parse

Params = Campaign | Experiments | Editions
Purpose = Literal["report", "plan"]
BETWEEN_PARTS = {Campaign: contradictions, Experiments: disagreements}   # of editions none leans on another


def load(path: str | Path, overrides: dict[str, Any] | None = None, purpose: Purpose = "report") -> Params:
    """What a params file describes: by the key `experiments` or `editions` those, else a campaign.

    overrides   dotted key -> value, as text: {"period.end": "2025-11-12"}
    purpose     "plan": before the campaign runs, so nobody need be assigned to an arm yet, and arms may be missing
    Raises CampaignError with every mistake of the file.
    """
    path = Path(path)
    whole = read_whole(path)
    tree, places, problems = whole.tree, whole.places, whole.problems
    for key, value in (overrides or {}).items():
        if wrong := _override(path, tree, places, key, value):
            problems.append(Problem(str(path), None, f"{COMMAND} {key}", wrong))
    problems += [_problem(path, places, _as_written(tree, where), message)
                 for where, message in [*fill(tree), *_mistakes(kind_of(tree), tree, purpose)]]
    if wrong := wrong_name(path.stem):
        problems.append(Problem(str(path), None, "", f"the file's name becomes the campaign's: {wrong}"))
    if problems:
        raise CampaignError(sorted(
            set(problems), key=lambda p: (p.file != str(path), p.file, p.line or 0, p.where, p.message)))
    params = kind_of(tree).model_validate(tree)
    params._files, params._places = [file.absolute() for file in whole.files], places
    return params


def _problem(path: Path, places: Places, where: tuple, message: str) -> Problem:
    return Problem(*stands_at(places, where, str(path)), message)


def _as_written(tree: dict[str, Any], where: tuple) -> tuple:
    """A place in the file: where one thing stands instead of a list of it, without its position in that list."""
    node: Any = tree
    written = []
    for key in where:
        if isinstance(key, int) and not isinstance(node, list):
            continue
        written.append(key)
        is_there = key in node if isinstance(node, dict) else isinstance(node, list) and key in range(len(node))
        node = node[key] if is_there else None
    return tuple(written)


def kind_of(tree: dict[str, Any]) -> type[Params]:
    """The model that a file asks for."""
    return Experiments if "experiments" in tree else Editions if "editions" in tree else Campaign


def _override(path: Path, tree: dict[str, Any], places: Places, key: str, value: Any) -> str:
    """Put one value into the tree; from then on its place is the command line. Why it cannot be, or ""."""
    if key == "extends":
        return "is for the file itself to say"
    *parents, last = where = tuple(key.split("."))
    place: Any = tree
    for i, name in enumerate(parents, 1):
        if isinstance(place, dict) and place.get(name) is None:
            place[name] = {}
            places[where[:i]] = Place(COMMAND, None)
        place = place[name] if isinstance(place, dict) else None
    if not isinstance(place, dict):
        return "leads into a value that has no keys"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)  # JSON is YAML too
    twice: list[tuple[tuple, int]] = []
    try:
        place[last] = parse(text, {}, twice)
    except NotATree:
        place[last] = text
    for inner in [inner for inner in places if inner[: len(where)] == where]:
        del places[inner]
    places[where] = Place(COMMAND, None)
    return f"{dotted(twice[0][0])} is said twice" if twice else ""


def _mistakes(kind: type[Part], tree: dict[str, Any], purpose: Purpose) -> Iterator[tuple[tuple, str]]:
    """Where and what: of each key by itself, then between what can be read."""
    try:
        kind.model_validate(tree)
    except ValidationError as error:
        for mistake in error.errors():
            yield tuple(mistake["loc"]), mistake["msg"].removeprefix("Value error, ")
    readable, broken = {}, set()
    for key, field in kind.model_fields.items():
        if key not in tree:
            readable[key] = None if field.is_required() else field.get_default()
            continue
        try:
            readable[key] = _readable(field.annotation, tree[key])
        except ValidationError:
            readable[key] = None
            broken.add(key)
    if kind in BETWEEN_PARTS:
        yield from BETWEEN_PARTS[kind](SimpleNamespace(**readable, purpose=purpose), broken)


def _readable(annotation: Any, value: Any) -> Any:
    """A part of the file; where it lists parts, None for each that cannot be read. Raises ValidationError."""
    part = TypeAdapter(annotation)
    try:
        return part.validate_python(value)
    except ValidationError as error:
        bad = {mistake["loc"][0] for mistake in error.errors() if mistake["loc"]}
        if get_origin(annotation) is dict and isinstance(value, dict) and bad:
            return dict.fromkeys(value) | part.validate_python({k: v for k, v in value.items() if k not in bad})
        if get_origin(annotation) is list and isinstance(value, list) and bad:
            good = iter(part.validate_python([item for i, item in enumerate(value) if i not in bad]))
            return [None if i in bad else next(good) for i in range(len(value))]
        raise
