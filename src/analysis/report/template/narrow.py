"""Tables of many columns or long cells: on a phone each row becomes a card, its lines named by the headings."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

HEAD = re.compile(r"<thead.*?</thead>", re.S)
HEADING = re.compile(r"<th\b[^>]*>(.*?)</th>", re.S)
FEWEST, MOST = 5, 14   # columns: fewer fit as they are; the style sheet has a rule for each of these
SENTENCES = re.compile(r'<td class="long"')  # they need the width for themselves
UNQUOTED = re.compile(r'(<[^<>]*? (?:class|scope))="([\w-]+)"')


def with_cards(table: str) -> str:
    """The table with its headings at hand for the style sheet, as `--b` for the second column and so on."""
    head = HEAD.search(table)
    headings = [Markup(heading).striptags() for heading in HEADING.findall(head[0])] if head else []
    if len(headings) > MOST or (len(headings) < FEWEST and not SENTENCES.search(table)):
        return table
    names = ";".join(f"--{chr(97 + i)}:{css_string(heading)}" for i, heading in enumerate(headings) if i)
    return table.replace("<table", f'<table class="wide" style="{escape(names)}"', 1)


def css_string(text: str) -> str:
    """Text as a string of CSS, where it can end nothing but itself."""
    return "'" + re.sub(r"[\\'\"<>\x00-\x1f\x7f]", lambda found: f"\\{ord(found[0]) or 0xfffd:x} ", text) + "'"


def light(table: str) -> str:
    """The same without the quotes that HTML need not have: a page has hundreds of cells."""
    while table != (table := UNQUOTED.sub(r"\1=\2", table)):
        pass
    return table
