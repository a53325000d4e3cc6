"""Values that name another key of the same file: `${series.edition}`. One text takes the place of another, no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from analysis.params.part import suggest
from analysis.params.problem import dotted

REFERENCE = re.compile(r"\$\{([^{}]*)\}")


def fill(tree: dict[str, Any]) -> list[tuple[tuple, str]]:
    """Put for every `${key.key}` in a value what that key says; where and what cannot be.

    Keys are those of the whole file, what it extends and what `--set` says included. A value that is named names no
    other, so that there is one step to follow and no circle.
    """
    said = {dotted(where): value for where, _, _, value in _values(tree)}
    mistakes = []
    for where, holder, key, value in list(_values(tree)):
        if isinstance(value, str) and "${" in value:
            wrong = [message for name in REFERENCE.findall(value) if (message := _wrong(name, said))]
            mistakes += [(where, message) for message in wrong]
            holder[key] = value if wrong else REFERENCE.sub(lambda found: said[found[1]], value)
    return mistakes


def _wrong(name: str, said: dict[str, Any]) -> str:
    """Why a name cannot be followed, or ""."""
    if name not in said:
        known = [key for key, value in said.items() if isinstance(value, str)]
        return f"'${{{name}}}' names no key of this file{suggest(name, known)}"
    if not isinstance(said[name], str):
        return f"'${{{name}}}' names {'nothing' if said[name] is None else 'keys and values'}; it must be one value"
    return f"'${{{name}}}' is itself made of another key; name that one" if REFERENCE.search(said[name]) else ""


def _values(node: Any, where: tuple = ()) -> Iterator[tuple[tuple, Any, Any, Any]]:
    """Everything below a node: where it is, what holds it, by which key, and itself."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*where, key), node, key, value
        if isinstance(value, dict | list):
            yield from _values(value, (*where, key))
