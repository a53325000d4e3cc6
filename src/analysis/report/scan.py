"""What must not leave this machine, looked for in every file of a report before it takes its place.

What the params say may be said: who writes a label, an owner or a condition there means it to be read.
"""

from __future__ import annotations

import csv
import getpass
import html
import json
import os
import re
import socket
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from analysis.params import Campaign, Params
from analysis.report.outcome import Failed

KINDS = {  # kind of a finding -> its name, and what would do
    "path": ("a path or an account of this machine",
             "it comes from a text of the data or from a cell that prints: leave that out"),
    "password": ("a password or token that this process knows from its environment",
                 "change it, as it stands in the data or in a message, and leave that text out"),
    "secret": ("what looks like a key, a token or a password",
               "change it if it is one, and take it out of the params or leave that text of the data out (`where:`)"),
    "email": ("an e-mail address", "break down by another column, or leave the text out; if it is meant to be read, "
                                   "write it in the params (`labels:`)"),
    "phone": ("a phone number", "break down by another column, or leave the text out; if it is none, or meant to be "
                                "read, write it in the params (`labels:`)"),
    "id": ("the id of a user", "break down by a column that many users share; if it is the name of something else, "
                               "write it in the params (`labels:`)"),
}
SHAPES = (
    ("secret", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY")),
    ("secret", re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),                                        # AWS
    ("secret", re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abeprs]-|sk_live_|rk_live_)[\w-]{16,}")),
    ("secret", re.compile(r"\bAIza[\w-]{35}\b")),                                                    # Google
    ("secret", re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")),                           # JSON Web Token
    ("secret", re.compile(r"\bbearer\s+(?=[\w.~+/=-]*\d)[\w.~+/=-]{20,}", re.I)),
    ("secret", re.compile(r"\b(?:password|passwd|pwd|secret|api_?key|access_?token|auth_?token)=(?![\s*…<{$&\"'])"
                          r"[^\s&\"'<>;,]{6,}", re.I)),
    ("secret", re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@<>\"'…]*:[^\s/@<>\"'…]+@[\w.-]", re.I)),    # address with one
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)*"
                         r"\.(?!(?:png|jpe?g|gif|svg|webp|js|css)\b)[a-z]{2,}\b", re.I)),
)
# only in texts: a sum of 13,812,345,678 in a table is no number to call
PHONES = re.compile(r"(?<![\w.+-])(?:\+\d{1,3}(?:[ -]?\(?\d{2,4}\)?){2,4}\d|1[3-9]\d{9}|1[3-9]\d-\d{4}-\d{4}"
                    r"|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w.-])")
SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL")
PICTURE = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+")
WORD = re.compile(r"[\w.@+-]*\w")
PLAIN = re.compile(r"[A-Za-z0-9]+")
MOMENT = re.compile(r"\d{4}-\d\d(-\d\d)?([T ][\d:.+-]+)?")
MOST = 5   # findings that a message lists


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in one file; what it is, never how it reads."""

    file: str
    kind: str     # a key of KINDS
    place: str    # line of a text, place in a JSON file

    def __str__(self) -> str:
        name, remedy = KINDS[self.kind]
        return f"{self.file}, {self.place}: {name}; {remedy}"


def texts(folder: Path) -> dict[str, str]:
    """name -> text of all files in a folder and those below it."""
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in sorted(folder.rglob("*"))
            if path.is_file()}


def refuse(files: dict[str, str], params: Params, with_ids: bool = False) -> None:
    """Raise Failed if a file holds what must not be published, with a line per finding.

    files      name -> text
    with_ids   look for ids of users too, which asks the data
    """
    found = findings(files, params) + (ids(files, params) if with_ids else [])
    if found:
        more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
        raise Failed("unpublishable", "\n  ".join(
            ["it is not published, as it holds what should not be read by others:", *map(str, found[:MOST]), *more]),
            "Unsafe")


def findings(files: dict[str, str], params: Params | None) -> list[Finding]:
    """Paths, secrets and personal data in the texts of files; the first of each kind in each file.

    files   name -> text
    """
    said = _said(params)
    known = {kind: pattern for kind, pattern in (("path", _machine(params)), ("password", _secrets(params))) if pattern}
    found: dict[tuple[str, str], Finding] = {}
    for file, text in files.items():
        text = PICTURE.sub("", text)
        for kind, place in (*_known(text, known), *_shaped(text, said), *_numbers(file, text, said)):
            found.setdefault((file, kind), Finding(file, kind, place))
    return list(found.values())


def ids(files: dict[str, str], params: Params) -> list[Finding]:
    """Words of the record and the tables that are ids of users in the campaign's data.

    Only words that can hardly be anything else are asked for: six characters or more with letters and digits, or a text
    of nine digits or more and nothing else. A count of 1 is no user 1.
    """
    if not isinstance(params, Campaign):
        return []
    said = _said(params)
    places: dict[str, tuple[str, str]] = {}
    for file, text in files.items():
        for place, value in _texts(file, text):
            for word in _words(value):
                if word not in said:
                    places.setdefault(word, (file, place))
    from analysis.data.ids import ids_among

    known = ids_among(params, list(places)) if places else set()
    return [Finding(places[word][0], "id", places[word][1]) for word in sorted(known)]


def _words(text: str) -> Iterator[str]:
    for word in {*WORD.findall(text), *PLAIN.findall(text)}:
        is_mixed = re.search(r"\d", word) and re.search(r"[^\W\d]|@", word)
        is_long = len(word) >= 6 if is_mixed else len(word) >= 9 and word.isdigit() and word == text.strip()
        if is_long and not MOMENT.fullmatch(word):
            yield word


def _said(params: Params | None) -> str:
    """All that the params say, after their bases and overrides."""
    return json.dumps([params.name, params.model_dump(mode="json")], ensure_ascii=False) if params else ""


def _known(text: str, known: dict[str, re.Pattern]) -> Iterator[tuple[str, str]]:
    for kind, pattern in known.items():
        if match := pattern.search(text):
            yield kind, _line(text, match)


def _shaped(text: str, said: str) -> Iterator[tuple[str, str]]:
    for kind, shape in SHAPES:
        for match in shape.finditer(text):
            if kind == "secret" or html.unescape(match[0]) not in said:
                yield kind, _line(text, match)
                break


def _numbers(file: str, text: str, said: str) -> Iterator[tuple[str, str]]:
    """Phone numbers in texts of the record and of the tables."""
    for place, value in _texts(file, text):
        if any(match[0] not in said for match in PHONES.finditer(value)):
            yield "phone", place
            return


def _line(text: str, match: re.Match) -> str:
    return f"line {text.count(chr(10), 0, match.start()) + 1}"


def _texts(file: str, text: str) -> Iterator[tuple[str, str]]:
    """(place, text) of the texts in the record and the tables; what reads as a number is none."""
    if file == "results.json":
        tree = json.loads(text)
        yield from _leaves({key: value for key, value in tree.items() if key != "provenance"}, "")
    elif file.endswith(".csv"):
        for n, row in enumerate(csv.reader(StringIO(text.removeprefix("\ufeff"), newline=""))):
            yield from ((f"row {n}", cell) for cell in row if n and not re.fullmatch(r"'?[\d.eE+ -]*(inf)?", cell))


def _leaves(tree: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(tree, str):
        yield place.strip("."), tree
    elif isinstance(tree, dict | list):
        for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree, 1):
            yield from _leaves(value, f"{place}.{key}")


def _machine(params: Params | None) -> re.Pattern | None:
    """The folders of this machine and account that a text could name; "/app" and "/data" may be pages of a shop."""
    folders = {Path.home(), Path.cwd(), Path(tempfile.gettempdir()), Path(__file__).parents[3]}
    folders |= {params.path.parent} if params else set()
    whole = {str(path) for folder in folders for path in (folder, folder.resolve()) if len(path.parts) > 2}
    roots = {f"{path}{os.sep}" for path in map(str, folders) if path in ("/root", "/tmp")}
    account = f"{_account()}@{socket.gethostname()}"
    return _any_of({*whole, *roots, account}, r"(?<![\w.…/@-])", r"(?![\w-])", roots)


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):   # a container without a name for its user
        return "root"


def _secrets(params: Params | None) -> re.Pattern | None:
    """Values of variables that the params name for passwords, and of others whose names say what they are."""
    sources = getattr(params, "sources", None)
    named = {source.password for source in sources.all()} if sources else set()
    named |= {getattr(getattr(params, "experiments", None), "password", "")}
    values = {value for name, value in os.environ.items()   # shorter ones may be a word or a number of any report
              if len(value) >= 6 and (name in named or (len(value) >= 12 and SECRET_NAME.search(name)))}
    return _any_of(values, r"(?<![\w.])", r"(?![\w])")


def _any_of(words: Iterable[str], before: str, after: str, open_ended: Iterable[str] = ()) -> re.Pattern | None:
    """One of the words, as it is and as HTML, JSON and an address would write it."""
    written = {form: word in open_ended for word in words for form in (
        word, html.escape(word), json.dumps(word)[1:-1], json.dumps(word, ensure_ascii=False)[1:-1],
        quote(word, safe="/"))}
    each = [re.escape(form) + ("" if is_open else after) for form, is_open in sorted(written.items(), reverse=True)]
    return re.compile(f"{before}(?:{'|'.join(each)})") if each else None
