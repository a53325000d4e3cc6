"""What every params file says of the report it asks for, and how it speaks of its own mistakes."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

from pydantic import Field, PrivateAttr, field_validator

from analysis.params.part import Part
from analysis.params.problem import Places, Problem, stands_at
from analysis.params.values import Language, Text

LONGEST = 100                          # bytes of a name; disks take 255, and more is put before and behind it
OWN = (".plan", ".monitor", ".failed", ".work", ".lock")


class ReportFile(Part):
    """A params file: one file, one report. The file's name is the report's."""

    extends: str = ""
    """another params file, relative to this one, whose keys hold where this one says nothing else"""
    drop: list[str] = []
    """keys of the file it extends that do not hold here, such as funnels or metrics.refunds"""
    title: Text
    """what the report is headed"""
    question: Text
    """the question that the reviewer wants answered"""
    owner: str
    """who answers for it: a team or a role, not a private person's data"""
    languages: list[Language] = Field(default=["en"], min_length=1)
    """languages of the report: en, zh or both; the first is the main one"""
    currency: str = ""
    """ISO code, such as CNY"""
    labels: dict[str, Text] = {}
    """name used in the data or in this file -> the words a reader expects"""

    _files: list[Path] = PrivateAttr(default=[Path("params.yml")])
    _places: Places = PrivateAttr(default={})

    @field_validator("currency")
    @classmethod
    def _iso_code(cls, currency: str) -> str:
        if not re.fullmatch("([A-Z]{3})?", currency):
            raise ValueError(f"'{currency}' is not an ISO code of three capitals, like CNY")
        return currency

    @property
    def path(self) -> Path:
        """The params file, absolute."""
        return self._files[0]

    @property
    def files(self) -> list[Path]:
        """The params file and those it extends, in order, absolute."""
        return self._files

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def language(self) -> str:
        return self.languages[0]

    def text(self, text: Text, language: str | None = None) -> str:
        """A text in the wanted language, or in the one there is."""
        return text.get(language or self.language) or text.get("") or next(iter(text.values()))

    def problem(self, where: tuple, message: str) -> Problem:
        """A mistake at a place of this file, or of the one it extends that says so."""
        file, line, key = stands_at(self._places, where, str(self.path))
        return Problem(near(Path(file).absolute()), line, key, message)


def wrong_name(name: str) -> str:
    """Why a file must not be called so, which names a folder of reports; "" where it may."""
    if not re.fullmatch(r"\w[\w.-]*", name) or name.endswith("."):
        return "letters, digits, '-', '_' and '.' only"
    if len(name.encode()) > LONGEST:
        return f"{len(name.encode())} bytes long; {LONGEST} will do"
    if unicodedata.normalize("NFKC", name) != name:
        return f"it holds signs that look like others; '{unicodedata.normalize('NFKC', name)}' will do"
    own = next((suffix for suffix in OWN if name.lower().endswith(suffix)), "")
    return f"'{own}' at its end is kept for folders that commands of this program make" if own else ""


def near(path: Path) -> str:
    """The path as one would type it from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
