"""Read a campaign file; say every mistake in it at once, with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from analysis.params.contradictions import contradictions
from analysis.params.model import Campaign
from analysis.params.problem import CampaignError, Problem, dotted, line_of

MAX_NODES = 20_000  # a campaign file has hundreds; more is a mistake or a bomb


def load(path: str | Path, overrides: dict[str, Any] | None = None) -> Campaign:
    """The campaign that a params file describes.

    overrides   dotted key -> value, as text: {"period.end": "2025-11-12"}
    Raises CampaignError with every mistake of the file.
    """
    path = Path(path)
    tree, lines = _read(path)
    for key, value in (overrides or {}).items():
        _override(path, tree, lines, key, value)
    problems = [
        Problem(str(path), line_of(lines, where), dotted(where), message)
        for where, message in _mistakes(tree)]
    if not re.fullmatch(r"\w[\w.-]*", path.stem):
        problems.append(Problem(str(path), None, "", (
            "the file's name becomes the campaign's: letters, digits, '-', '_' and '.' only")))
    if problems:
        raise CampaignError(sorted(set(problems), key=lambda p: (p.line or 0, p.where)))
    campaign = Campaign.model_validate(tree)
    campaign._path, campaign._lines = path.absolute(), lines
    return campaign


def _read(path: Path) -> tuple[dict[str, Any], dict[tuple, int]]:
    """The file's tree with every scalar as text, and the line of every key."""
    try:
        root = yaml.compose(path.read_text("utf-8-sig"), Loader=yaml.SafeLoader)
    except FileNotFoundError:
        raise CampaignError([Problem(str(path), None, "", "no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise CampaignError([Problem(str(path), None, "", f"cannot be read: {error}")]) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = f"not YAML: {getattr(error, 'problem', None) or error}"
        raise CampaignError([Problem(str(path), mark.line + 1 if mark else None, "", message)]) from None
    lines: dict[tuple, int] = {}
    problems: list[Problem] = []
    tree = _plain(root, (), lines, problems, str(path))
    if not isinstance(tree, dict):
        problems = [Problem(str(path), 1, "", "expected keys and values, such as `title: Spring sale`")]
    if problems:
        raise CampaignError(problems)
    return tree, lines


def _plain(node: yaml.Node | None, where: tuple, lines: dict, problems: list[Problem], file: str) -> Any:
    if node is None:
        return None
    if len(lines) > MAX_NODES:
        raise CampaignError([Problem(file, None, "", f"more than {MAX_NODES:,} entries: not a campaign file")])
    lines.setdefault(where, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        tree = {}
        for key_node, value_node in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key in tree:
                problems.append(Problem(file, line, dotted((*where, key)), "said twice"))
            lines[(*where, key)] = line
            tree[key] = _plain(value_node, (*where, key), lines, problems, file)
        return tree
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, i), lines, problems, file) for i, item in enumerate(node.value)]
    is_empty = node.style is None and node.value in ("", "~", "null")
    return None if is_empty else node.value


def _override(path: Path, tree: dict, lines: dict, key: str, value: Any) -> None:
    *parents, last = key.split(".")
    place: Any = tree
    for name in parents:
        place = place.setdefault(name, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict):
        raise CampaignError([Problem(str(path), None, f"--set {key}", "leads into a value that has no keys")])
    text = value if isinstance(value, str) else json.dumps(value, default=str)  # JSON is YAML too
    try:
        place[last] = _plain(yaml.compose(text, Loader=yaml.SafeLoader), (), {}, [], str(path))
    except yaml.YAMLError:
        place[last] = text
    for where in [w for w in lines if w[: len(parents) + 1] == (*parents, last)]:
        del lines[where]


def _mistakes(tree: dict[str, Any]) -> Iterator[tuple[tuple, str]]:
    """Where and what: of each key by itself, then between those keys that can be read."""
    yield from _invalid(Campaign, tree)
    readable = {}
    for key, field in Campaign.model_fields.items():
        if key not in tree:
            readable[key] = None if field.is_required() else field.get_default()
            continue
        try:
            readable[key] = TypeAdapter(field.annotation).validate_python(tree[key])
        except ValidationError:
            readable[key] = None
    broken = {key for key in tree if readable.get(key) is None}
    yield from contradictions(SimpleNamespace(**readable), broken)


def _invalid(model: type, tree: Any) -> Iterator[tuple[tuple, str]]:
    try:
        model.model_validate(tree)  # type: ignore[attr-defined]
    except ValidationError as error:
        for mistake in error.errors():
            yield tuple(mistake["loc"]), mistake["msg"].removeprefix("Value error, ")
