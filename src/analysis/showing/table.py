"""A table as a person reads it and as a spreadsheet takes it: formatted cells beside raw values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

from analysis.showing.reader import MISSING, Reader

LONG = 24  # columns of a terminal
TEXT = ' class="t"'


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in the CSV and what stands above it."""

    key: str
    heading: str
    is_number: bool = False



@dataclass(frozen=True, slots=True)
class Cell:
    """A raw value with the text that shows it; `state` is a CSS class that colours it."""

    value: Any
    text: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A captioned table; its first column heads the rows. Everything in it is text, never markup."""

    name: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    first: int = 0                # rows on the page, where the rest is for the CSV only: from this one on
    n_shown: int | None = None    # so many
    note: str = ""                # what the page adds to the caption

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        raw = {"name": self.name, "columns": [c.key for c in self.columns],
               "rows": [[_plain(cell.value) for cell in row] for row in self.rows]}
        return {"text/html": self.html(), "text/plain": self.caption, "application/vnd.campaign.table+json": raw}

    def html(self) -> str:
        heads = "".join(f'<th scope="col"{"" if i == 0 or c.is_number else TEXT}>{escape(c.heading)}</th>'
                        for i, c in enumerate(self.columns))
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows[self.first:][:self.n_shown])
        note = f"<small>{escape(self.note)}</small>" if self.note else ""
        return (f"<table><caption>{escape(self.caption)}{note}</caption><thead><tr>{heads}</tr></thead>"
                f"<tbody>{body}</tbody></table>")

    def _row(self, row: Sequence[Cell]) -> str:
        cells = []
        for i, cell in enumerate(row):
            text = escape(cell.text)
            if cell.state:
                text = f'<span class="{cell.state}">{text}</span>'
            cells.append(f'<th scope="row">{text}</th>' if i == 0 else f"<td{self._class(i)}>{text}</td>")
        return "".join(cells)

    def _class(self, column: int) -> str:
        """Nothing for numbers, as most cells are; "t" for words, "long" for sentences, which need room."""
        if self.columns[column].is_number:
            return ""
        return f' class="{"long" if any(_width(row[column].text) > LONG for row in self.rows) else "t"}"'


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of the page made by this package: every text in it has been escaped."""

    html: str
    text: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def _width(text: str) -> int:
    """Columns of a terminal: a Chinese character takes two, as it does bytes in this encoding."""
    return len(text.encode("gb18030"))


def paragraphs(sentences: Sequence[str], state: str = "") -> Html:
    """Sentences as paragraphs; `state` is a CSS class of the box around them."""
    inner = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return Html(f'<div class="{state}">{inner}</div>' if state else inner, "\n".join(sentences))


def definitions(terms: Sequence[tuple[str, str]], state: str = "") -> Html:
    """Terms and what they mean; `state` is a CSS class of the list."""
    inner = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in terms)
    return Html(f'<dl class="{state}">{inner}</dl>' if state else f"<dl>{inner}</dl>",
                "\n".join(f"{term}: {meaning}" for term, meaning in terms))


def cut(rows: Sequence[Sequence[Cell]], reader: Reader, n: int, since: int = 0) -> dict[str, Any]:
    """Of a long table n rows for the page, from row `since` on, and a note that says so; the CSV has them all."""
    if len(rows) <= n + 1:
        return {"rows": rows}
    since = max(0, min(since, len(rows) - n))
    note = reader.say(" (rows {first} to {last} of {all}; the file has the rest)", first=since + 1, last=since + n,
                      all=len(rows))
    return {"rows": rows, "first": since, "n_shown": n, "note": note}


def interval_cell(lower: float, upper: float, show: Callable[[float], str], reader: Reader) -> Cell:
    """Both bounds in one cell, a unit behind both of them once; the CSV has the bounds with a blank between."""
    if math.isnan(lower) or math.isnan(upper):
        return Cell(None, MISSING)
    first, last = show(lower), show(upper)
    number, _, unit = first.partition(" ")
    if unit and last.partition(" ")[2] == unit:
        first = number
    return Cell(f"{lower:.10g} {upper:.10g}", reader.interval(first, last))


def _plain(value: Any) -> Any:
    """What JSON holds: no nan, ten significant digits, dates as text."""
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else float(f"{value:.10g}")
    return value.isoformat() if isinstance(value, date) else value
