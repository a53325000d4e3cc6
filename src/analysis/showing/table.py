"""A table as a person reads it and as a spreadsheet takes it: formatted cells beside raw values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any


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

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        raw = {"name": self.name, "columns": [c.key for c in self.columns],
               "rows": [[_plain(cell.value) for cell in row] for row in self.rows]}
        return {"text/html": self.html(), "text/plain": self.caption, "application/vnd.campaign.table+json": raw}

    def html(self) -> str:
        heads = "".join(f'<th scope="col"{_class(c)}>{escape(c.heading)}</th>' for c in self.columns)
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        return (f"<table><caption>{escape(self.caption)}</caption><thead><tr>{heads}</tr></thead>"
                f"<tbody>{body}</tbody></table>")

    def _row(self, row: Sequence[Cell]) -> str:
        cells = []
        for i, (column, cell) in enumerate(zip(self.columns, row, strict=True)):
            text = escape(cell.text)
            if cell.state:
                text = f'<span class="{cell.state}">{text}</span>'
            cells.append(f'<th scope="row">{text}</th>' if i == 0 else f"<td{_class(column)}>{text}</td>")
        return "".join(cells)


@dataclass(frozen=True, slots=True)
class Html:
    """A piece of the page made by this package: every text in it has been escaped."""

    html: str
    text: str

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}


def paragraphs(sentences: Sequence[str], state: str = "") -> Html:
    """Sentences as paragraphs; `state` is a CSS class of the box around them."""
    inner = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return Html(f'<div class="{state}">{inner}</div>' if state else inner, "\n".join(sentences))


def definitions(terms: Sequence[tuple[str, str]]) -> Html:
    """Terms and what they mean."""
    inner = "".join(f"<dt>{escape(term)}</dt><dd>{escape(meaning)}</dd>" for term, meaning in terms)
    return Html(f"<dl>{inner}</dl>", "\n".join(f"{term}: {meaning}" for term, meaning in terms))


def _class(column: Column) -> str:
    return ' class="n"' if column.is_number else ""


def _plain(value: Any) -> Any:
    """What JSON holds: no nan, ten significant digits, dates as text."""
    if isinstance(value, float):
        return None if math.isnan(value) else str(value) if math.isinf(value) else float(f"{value:.10g}")
    return value.isoformat() if isinstance(value, date) else value
