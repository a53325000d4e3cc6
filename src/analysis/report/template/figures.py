"""Figures: the SVG of a notebook's output as a part of the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

INK, PAPER = "#010203", "#fdfcfb"
COLOURS = {INK: "currentColor", PAPER: "var(--paper)"}  # what figures are drawn with, and what follows dark mode
LEFT_OUT = {"metadata", "style", "script", "foreignObject", "title", "desc"}
REFERENCE = re.compile(r"(?<=url\(#)[^)]+(?=\))")


def figure(svg: str, alt: str, *, name: str, number: int) -> Markup:
    """`<figure>` with the drawing, one image named `alt`, and the same sentence below it.

    svg      a document of matplotlib or a part of one
    name     what the page calls it, "Figure 3"
    number   unique on the page: ids are made from it
    """
    root = _bare(svg)
    _rename_ids(root, f"f{number}-")
    root.attrib |= {"role": "img", "aria-label": alt, "stroke-linejoin": "round", "stroke-linecap": "butt"}
    drawing = Markup(ElementTree.tostring(root, encoding="unicode"))
    return Markup('<figure>{}<figcaption><b>{}</b> {}</figcaption></figure>').format(drawing, name, alt)


def _bare(svg: str) -> Element:
    """Without prolog, name spaces, metadata, anything active and colours that the page decides.

    The style sheet goes too: its one rule would reach the whole page. matplotlib's is the two stroke properties.
    """
    root = ElementTree.fromstring(svg.encode())
    for part in list(root.iter()):
        for child in [child for child in part if _local(child.tag) in LEFT_OUT]:
            part.remove(child)
        part.tag = _local(part.tag)
        part.attrib = dict(_attributes(part))
        part.text, part.tail = (None if not text or text.isspace() else text for text in (part.text, part.tail))
    return root


def _attributes(part: Element) -> Iterator[tuple[str, str]]:
    for name, value in part.attrib.items():
        name = _local(name)
        if name.lower().startswith("on") or (
                name == "href" and not value.startswith(("#", "data:image/png"))):
            continue
        yield name, re.sub("|".join(COLOURS), lambda colour: COLOURS[colour[0].lower()], value, flags=re.I)


def _rename_ids(root: Element, prefix: str) -> None:
    """Ids that something refers to are put behind the prefix, all others go."""
    used = {id_ for part in root.iter() for id_ in _references(part)}
    for part in root.iter():
        if (id_ := part.attrib.pop("id", None)) in used:
            part.attrib["id"] = prefix + id_
        for name, value in part.attrib.items():
            part.attrib[name] = REFERENCE.sub(lambda id_: prefix + id_[0], value)
        if part.get("href", "").startswith("#"):
            part.attrib["href"] = f"#{prefix}{part.attrib['href'][1:]}"


def _references(part: Element) -> Iterator[str]:
    for value in part.attrib.values():
        yield from REFERENCE.findall(value)
    if part.get("href", "").startswith("#"):
        yield part.attrib["href"][1:]


def _local(name: str) -> str:
    """A name without its name space."""
    return name.rpartition("}")[2]
