"""A drawn chart as SVG with words for those who cannot see it: what a notebook cell shows and a report inlines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO
from xml.etree import ElementTree

from matplotlib.axes import Axes

from analysis.showing.theme import theme

SVG = "http://www.w3.org/2000/svg"
TEXT = f"{{{SVG}}}text"
NO_METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold
HASHED = re.compile("[mph][0-9a-f]{10}")   # how markers, clips and hatches are called: after all digits of their places
FONTS = ("system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, 'PingFang SC', 'Microsoft YaHei', "
         "'Noto Sans CJK SC', 'WenQuanYi Micro Hei', sans-serif")

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")


@dataclass(frozen=True)
class Picture:
    """A chart to look at (`svg`) and in words (`alt`)."""

    svg: str
    alt: str

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> tuple[dict, dict]:
        return {"image/svg+xml": self.svg, "text/plain": self.alt}, {"image/svg+xml": {"alt": self.alt}}


def show(ax: Axes, alt: str) -> Picture:
    """The figure of `ax` as a picture; the same chart gives the same bytes."""
    drawn = StringIO()
    with theme():
        ax.figure.savefig(drawn, format="svg", metadata=NO_METADATA)
    return Picture(inline(drawn.getvalue()), alt)


def inline(document: str) -> str:
    """An SVG document as an element: no prolog, the reader's own fonts, nothing that is not seen.

    Widths were measured in the theme's fonts, which run wide. Coordinates keep a hundredth of a point. What is referred
    to is numbered: the last digits of sums that an engine makes in parallel differ from run to run.
    """
    root = ElementTree.fromstring(CONTROL.sub("\ufffd", document))
    root.set("font-family", FONTS)
    hashed = [name for part in root.iter() if HASHED.fullmatch(name := part.get("id", ""))]
    names = {name: f"{name[0]}{i}" for i, name in enumerate(hashed, start=1)}
    for part in root.iter():
        for key, value in part.attrib.items():
            part.set(key, HASHED.sub(lambda name: names.get(name[0], name[0]), value))
        for child in [child for child in part if child.get("style") == "fill: none"]:
            part.remove(child)  # neither filled nor stroked, as the blank cells of a triangle are
        if part.tag == TEXT:
            part.set("style", re.sub(r"font-family: [^;]*(; |$)", "", part.get("style")))
        if "d" in part.attrib:
            part.set("d", re.sub(r"(\.\d\d)\d+", r"\1", part.get("d")).replace("  ", " "))
    return ElementTree.tostring(root, encoding="unicode")
