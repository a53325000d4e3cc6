"""YAML without guesses: every scalar is the text that was written, every key has its line, no key stands twice."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Any

import yaml

from analysis.params.problem import CampaignError, Problem, dotted

# a campaign file has hundreds of lines; more is a mistake or a bomb
MAX_BYTES, MAX_NODES, MAX_DEPTH = 200_000, 5_000, 50
TAGS = {f"tag:yaml.org,2002:{kind}" for kind in (
    "str", "int", "float", "bool", "null", "timestamp", "value", "merge", "seq", "map")}

Lines = dict[tuple, int]   # key -> its line in the file


class NotATree(Exception):
    """Why a text cannot be read: the line, if there is one, and what was found."""

    def __init__(self, line: int | None, message: str):
        self.line, self.message = line, message
        super().__init__(message)


def read_tree(path: Path) -> tuple[dict[str, Any], Lines, list[Problem]]:
    """The file's tree, the line of every key, and what is wrong with its keys. Raises CampaignError."""
    lines: Lines = {}
    twice: list[tuple[tuple, int]] = []
    try:
        tree = parse(_content(path), lines, twice)
        if not isinstance(tree, dict):
            raise NotATree(1, "expected keys and values, such as `title: Spring sale`")
    except NotATree as error:
        raise CampaignError([Problem(str(path), error.line, "", error.message)]) from None
    return tree, lines, [Problem(str(path), line, dotted(where), "said twice") for where, line in twice]


def _content(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise NotATree(None, "no such file") from None
    except (OSError, ValueError) as error:
        raise NotATree(None, f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > MAX_BYTES:
        raise NotATree(None, f"larger than {MAX_BYTES:,} bytes: not a campaign file")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[:error.start].count(b"\n") + 1
        raise NotATree(line, f"byte {content[error.start]:#x} is not UTF-8; save the file as UTF-8") from None


def parse(text: str, lines: Lines | None = None, twice: list[tuple[tuple, int]] | None = None) -> Any:
    """Mappings, lists and texts; None for what is empty. Raises NotATree.

    lines, twice   filled with the line of every place, and the places and lines of keys that were there already
    """
    try:
        root = yaml.compose(text, Loader=_Loader)
        return _plain(root, (), {} if lines is None else lines, [] if twice is None else twice)
    except yaml.reader.ReaderError as error:
        line = text[:error.position].count("\n") + 1
        raise NotATree(line, f"not YAML: the character {error.character:#x} is not allowed") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line, found = mark.line + 1 if mark else None, getattr(error, "problem", None) or error
        raise NotATree(line, f"not YAML: {_told(text, line, str(found))}{_hint(text, line)}") from None
    except RecursionError:
        raise NotATree(None, ENDLESS) from None


ENDLESS = "blocks in blocks without end: not a campaign file"
TOO_MANY = f"more than {MAX_NODES:,} entries: not a campaign file"
JOINERS = "\u200c\u200d"   # which emoji and some scripts are written with


class _Loader(yaml.SafeLoader):
    """Stops at the depth and the number that no campaign file has: PyYAML takes seconds for a thousand brackets."""

    depth = nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth, self.nodes = self.depth + 1, self.nodes + 1
        if self.depth > MAX_DEPTH or self.nodes > 2 * MAX_NODES:   # a key and its value are two
            too_many = ENDLESS if self.depth > MAX_DEPTH else TOO_MANY
            raise NotATree(self.peek_event().start_mark.line + 1, too_many)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _told(text: str, line: int | None, found: str) -> str:
    """What PyYAML found, unless it stands beside a word like password: it quotes names of aliases and tags."""
    if re.search("password|token|secret", "".join(text.splitlines()[:line][-1:]), re.IGNORECASE):
        return "what stands there begins with a sign of YAML's own; put it into quotes"
    return found


def _hint(text: str, line: int | None) -> str:
    """At what Chinese input methods write for a colon, and at braces in braces."""
    written_until = text.splitlines()[:line]
    if line and "\t" in "".join(written_until[-1:]):
        return "; indent with spaces, a tab is none"
    if line and re.search(r"[:\[,]\s*\$\{", written_until[-1]):
        return "; put ${...} into quotes"
    for number, written in enumerate(written_until, 1):
        if re.match(r"\s*[\w-]+：", written):
            return f"; line {number} has a full-width '：' where ': ' is meant"
    return ""


def _plain(node: yaml.Node | None, where: tuple, lines: Lines, twice: list[tuple[tuple, int]]) -> Any:
    if node is None:
        return None
    lines.setdefault(where, node.start_mark.line + 1)
    if node.tag not in TAGS:
        raise NotATree(node.start_mark.line + 1, "a tag (such as !include) does nothing here; write the value itself")
    if len(lines) > MAX_NODES:  # anchors can name each other, or themselves
        raise NotATree(node.start_mark.line + 1, TOO_MANY)
    if isinstance(node, yaml.MappingNode):
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotATree(line, "a key is one word, not a list or keys and values")
            key = _text_of(key_node)
            if key in tree:
                twice.append(((*where, key), line))
                continue
            lines[(*where, key)] = line
            tree[key] = _plain(value_node, (*where, key), lines, twice)
            if node.flow_style and tree[key] is None and re.fullmatch(r"\d{3}", key):
                raise NotATree(line, f"inside {{ }} a number ends at its comma: write it without, not as '...,{key}'")
        return tree
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*where, i), lines, twice) for i, item in enumerate(node.value)]
    is_empty = node.style is None and node.value in ("", "~", "null", "Null", "NULL")
    return None if is_empty else _text_of(node)


def _text_of(node: yaml.ScalarNode) -> str:
    """What was written, if it is text: an escape such as "\\ud83d" can be half a character."""
    try:
        node.value.encode()
    except UnicodeEncodeError:
        raise NotATree(node.start_mark.line + 1, "an escape (\\u...) that is no character; write it as it is") from None
    unseen = next((c for c in node.value if unicodedata.category(c) in ("Cc", "Cf") and c not in "\t\n" + JOINERS), "")
    if unseen:   # two names that look alike, or one that is read backwards
        name = f"U+{ord(unseen):04X} {unicodedata.name(unseen, 'control character')}"
        raise NotATree(node.start_mark.line + 1, f"an invisible character, {name}; take it out")
    return node.value
