"""A small chart of a series: the primary metric of each edition, drawn from the list's entries without a plotting
library, as there are many and each is a few marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markupsafe import Markup, escape

from analysis.report.entries import Entry, Level
from analysis.report.template.figures import figure
from analysis.showing.reader import Reader
from analysis.showing.theme import GROUP_COLOURS

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 340, 160, 8, 46, 26   # of the drawing, and the room for words around its lines
LONGEST = 22   # characters of a group's name
DASHES = ("", "5 2", "2 2", "7 2 2 2", "9 3")


def multiple(entries: Sequence[Entry], number: int, reader: Reader) -> Markup:
    """The figure of a series, "" where fewer than two editions have the metric of the latest in its unit."""
    known = [entry for entry in entries if entry.levels]
    own = [entry for entry in reversed(known) if (entry.metric, entry.unit, entry.currency) == (
        known[0].metric, known[0].unit, known[0].currency)]
    if len(own) < 2:
        return Markup()
    of = Reader(reader.language, own[0].currency)
    groups = list(dict.fromkeys(level.group for entry in own for level in entry.levels))[:len(GROUP_COLOURS)]
    drawing = "".join(_drawing(own, groups, of))
    title = own[0].metric[:1].upper() + own[0].metric[1:]
    above = 16 * ((len(groups) - 1) // 2)   # further rows of the key
    box = f"0 {-above} {WIDTH} {HEIGHT + above}"
    return figure(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{drawing}</svg>',
                  _words(own, groups, of), name=title, number=number)


def _words(own: Sequence[Entry], groups: Sequence[str], reader: Reader) -> str:
    """First and last edition of each group."""
    ends = []
    for group in groups:
        levels = [level for entry in own if (level := _level(entry, group))]
        ends.append(reader.say("{group}: {values}", group=group or reader.say("everybody"), values=reader.interval(
            *(reader.amount(level.mean, own[0].unit) for level in (levels[0], levels[-1])))))
    return reader.say("per user during the campaign, from edition {first} to edition {last}. {levels}.",
                      first=_name(own[0]), last=_name(own[-1]), levels=reader.say("; ").join(ends))


def _drawing(own: Sequence[Entry], groups: Sequence[str], reader: Reader) -> Iterator[str]:
    bounds = [bound for entry in own for level in entry.levels if level.group in groups
              for bound in (level.mean, level.lower, level.upper) if bound is not None]
    low, high = min(0.0, *bounds), max(0.0, *bounds)
    step = (WIDTH - 2 * LEFT - 60) / (len(own) - 1)

    def x(i: int) -> float:
        return round(LEFT + 6 + step * i, 1)

    def y(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / ((high - low) or 1), 1)

    yield f'<path d="M{LEFT} {y(0)}H{WIDTH - 60}" stroke="currentColor" stroke-opacity=".4"/>'
    yield _text(LEFT, TOP - 10, reader.amount(high, own[0].unit), "start")
    for i in {0, len(own) - 1}:
        yield _text(x(i), HEIGHT - 6, _name(own[i]), "middle" if i else "start")
    for k, group in enumerate(groups):
        yield from _key(k, group or reader.say("everybody"), GROUP_COLOURS[k])
        points = [(x(i), level) for i, entry in enumerate(own) if (level := _level(entry, group))]
        line = " ".join(f"{at},{y(level.mean)}" for at, level in points)
        colour = f'stroke="{GROUP_COLOURS[k]}"'
        yield f'<polyline points="{line}" fill="none" {colour} stroke-width="2" stroke-dasharray="{DASHES[k]}"/>'
        for at, level in points:
            if level.lower is not None and level.upper is not None:
                yield f'<path d="M{at} {y(level.lower)}V{y(level.upper)}" {colour} stroke-opacity=".6"/>'
            yield f'<circle cx="{at}" cy="{y(level.mean)}" r="2.5" fill="{GROUP_COLOURS[k]}"/>'
        last = points[-1]
        yield _text(last[0] + 7, y(last[1].mean) + 4, reader.amount(last[1].mean, own[0].unit), "start")


def _key(k: int, name: str, colour: str) -> Iterator[str]:
    """What a line stands for: two beside each other, above the drawing."""
    x, y = LEFT + k % 2 * (WIDTH // 2), 14 - k // 2 * 16
    shown = name if len(name) <= LONGEST else name[:LONGEST - 1] + "…"
    yield f'<path d="M{x} {y - 4}h20" stroke="{colour}" stroke-width="2" stroke-dasharray="{DASHES[k]}"/>'
    yield _text(x + 26, y, shown, "start")


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return (f'<text x="{x}" y="{y}" font-size="12" fill="currentColor" text-anchor="{anchor}" '
            f'font-family="system-ui, sans-serif">{escape(text)}</text>')


def _level(entry: Entry, group: str) -> Level | None:
    return next((level for level in entry.levels if level.group == group), None)


def _name(entry: Entry) -> str:
    return entry.edition or entry.start[:10]
