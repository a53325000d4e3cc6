"""A small chart of a series: the primary metric of each edition, as the report on the series has it. Drawn without a
plotting library, as there are many and each is a few marks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup, escape

from analysis.data.editions import editions
from analysis.report.template.figures import figure
from analysis.results.editions.course import Point, course
from analysis.showing.reader import Reader
from analysis.showing.theme import GROUP_COLOURS

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 160, 8, 46, 26   # of the drawing, and the room for words around its lines
LONGEST = 22   # characters of a group's name
DASHES = ("", "5 2", "2 2", "7 2 2 2", "9 3")


def multiple(folder: Path, series: str, number: int, reader: Reader) -> Markup:
    """The figure of a series, "" where fewer than two editions have the primary metric as the last one defines it."""
    records = editions(folder, series)
    try:
        found = course(records)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):   # none, or a record that somebody changed
        return Markup()
    points = found.of("level", found.answer.metric)
    groups = list(dict.fromkeys(point.group for point in points))[:len(GROUP_COLOURS)]
    lines = [[point for point in points if point.group == group] for group in groups]
    if not any(len(line) > 1 for line in lines):
        return Markup()
    places = [place for edition in found.editions if (place := (edition.start, edition.edition)) in {
        (point.start, point.edition) for line in lines for point in line}]
    last = records[-1].content["campaign"]
    of = Reader(reader.language, last["currency"], labels=last.get("labels") or {})
    above = 16 * ((len(groups) - 1) // 2)   # further rows of the key
    box = f"0 {-above} {WIDTH} {HEIGHT + above}"
    drawing = "".join(_drawing(lines, places, of))
    return figure(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing}</svg>',
                  _words(lines, of), name=of.title(found.answer.metric), number=number)


def _words(lines: Sequence[Sequence[Point]], reader: Reader) -> str:
    """First and last edition of each group."""
    ends = [reader.say("{group}: {values}", group=_group(line[0], reader), values=reader.interval(
        *(reader.amount(point.value, point.unit) for point in (line[0], line[-1])))) for line in lines]
    message = ("per user and day, from edition {first} to edition {last}. {levels}." if lines[0][0].is_per_day else
               "per user during the campaign, from edition {first} to edition {last}. {levels}.")
    return reader.say(message, first=_name(lines[0][0]), last=_name(lines[0][-1]),
                      levels=reader.say("; ").join(ends))


def _drawing(
    lines: Sequence[Sequence[Point]], places: Sequence[tuple[str, str]], reader: Reader
) -> Iterator[str]:
    """places   start and edition of each, in their order"""
    every = [point for line in lines for point in line]
    bounds = [x for point in every for x in (point.value, point.lower, point.upper) if math.isfinite(x)]
    low, high = min(0.0, *bounds), max(0.0, *bounds)
    step = (WIDTH - 2 * LEFT - 60) / (len(places) - 1)

    def x(point: Point) -> float:
        return round(LEFT + 6 + step * places.index((point.start, point.edition)), 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / ((high - low) or 1), 1)

    yield f'<path d="M{LEFT} {y(0)}H{WIDTH - 60}" stroke="currentColor" stroke-opacity=".4"/>'
    yield _text(LEFT, TOP - 10, reader.amount(high, every[0].unit), "start")
    for point in (min(every, key=x), max(every, key=x)):
        yield _text(x(point), HEIGHT - 6, _name(point), "middle" if x(point) > LEFT + 6 else "start")
    for k, line in enumerate(lines):
        yield from _key(k, _group(line[0], reader), GROUP_COLOURS[k])
        drawn = " ".join(f"{x(point)},{y(point.value)}" for point in line)
        colour = f'stroke="{GROUP_COLOURS[k]}"'
        yield f'<polyline points="{drawn}" fill="none" {colour} stroke-width="2" stroke-dasharray="{DASHES[k]}"/>'
        for point in line:
            if math.isfinite(point.lower + point.upper):
                yield f'<path d="M{x(point)} {y(point.lower)}V{y(point.upper)}" {colour} stroke-opacity=".6"/>'
            yield f'<circle cx="{x(point)}" cy="{y(point.value)}" r="2.5" fill="{GROUP_COLOURS[k]}"/>'
        yield _text(x(line[-1]) + 7, y(line[-1].value) + 4, reader.amount(line[-1].value, line[-1].unit), "start")


def _key(k: int, name: str, colour: str) -> Iterator[str]:
    """What a line stands for: two beside each other, above the drawing."""
    x, y = LEFT + k % 2 * (WIDTH // 2), 14 - k // 2 * 16
    shown = name if len(name) <= LONGEST else name[:LONGEST - 1] + "…"
    yield f'<path d="M{x} {y - 4}h20" stroke="{colour}" stroke-width="2" stroke-dasharray="{DASHES[k]}"/>'
    yield _text(x + 26, y, shown, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (f'<text x="{x}" y="{y}" font-size="12" fill="currentColor" text-anchor="{anchor}" '
            f'font-family="system-ui, sans-serif">{escape(text)}</text>')


def _group(point: Point, reader: Reader) -> str:
    return reader.label(point.group) if point.group else reader.say("everybody")


def _name(point: Point) -> str:
    return point.edition or point.start[:10]
