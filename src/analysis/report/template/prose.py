"""Prose of a notebook: Markdown through nbconvert, with headings that fit the page and nothing active."""

from __future__ import annotations

import re

from markupsafe import Markup, escape
from mistune import HTMLRenderer
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

FRAME_IDS = ("main", "contents", "downloads", "log")


class Prose(IPythonRenderer):
    """Renders the cells of one page, in order.

    HTML in the source comes out as text, links that run code lead nowhere, a picture is its words. A heading gets an
    id of its own and is never more than one level below the heading before it; level 1 is the notebook's name in
    JupyterLab and left out: the page's name is the campaign's.
    """

    def __init__(self) -> None:
        super().__init__(escape=True, allow_harmful_protocols=False)
        self.level = 1
        self.ids = set(FRAME_IDS)
        self.tag = ""
        self.markdown = MarkdownWithMath(renderer=self)

    def html(self, source: str, tag: str = "") -> Markup:
        """A cell's HTML; its first heading gets the id `tag`, so that a page in any language can be linked into."""
        self.tag = tag
        return Markup(self.markdown.render(source))

    def heading(self, text: str, level: int, **attrs: object) -> str:
        if level == 1:
            return ""
        self.level = min(level, self.level + 1)
        return f'<h{self.level} id="{escape(self._new_id(text))}">{text}</h{self.level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>{escape(plain(text))}</em>"

    def block_code(self, code: str, info: str | None = None) -> str:
        return HTMLRenderer.block_code(self, code)

    def table_cell(self, text: str, align: str | None = None, head: bool = False) -> str:
        is_number = align == "right"
        if head:
            return f'<th scope="col">{text}</th>' if is_number else f'<th scope="col" class="t">{text}</th>'
        return f"<td>{text}</td>" if is_number else f'<td class="t">{text}</td>'

    def _new_id(self, text: str) -> str:
        slug = self.tag or re.sub(r"\W+", "-", plain(text).lower()).strip("-") or "section"
        self.tag = ""
        wanted, n = slug, 1
        while wanted in self.ids:
            n += 1
            wanted = f"{slug}-{n}"
        self.ids.add(wanted)
        return wanted


def plain(html: str) -> str:
    """The text of a piece of HTML, not escaped."""
    return Markup(html).striptags()
