"""Cells become sections: prose, then what the code showed; the code itself is kept for the end of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import count

from markupsafe import Markup, escape
from nbformat import NotebookNode

from analysis.report.template.figures import figure
from analysis.report.template.narrow import light, with_cards
from analysis.report.template.prose import Prose, plain
from analysis.report.traces import without_traces
from analysis.showing.reader import Reader

SVG, TABLE = "image/svg+xml", "application/vnd.campaign.table+json"
RESULTS = "application/vnd.campaign.results+json"
SECTION = re.compile(r'(?=<h2 )')
HEADING = re.compile(r'<h2 id="(?P<id>[^"]*)">(?P<text>.*?)</h2>', re.S)
TABLES = re.compile(r"<table\b.*?</table>", re.S)
LONGEST = 60  # characters of a file's name; a Chinese one takes three bytes of the 255 there are
OPTIONAL = re.compile(r"</(?:td|th|tr|thead|tbody|dt|dd|li)>")  # HTML need not have them; a page has thousands
P_VALUE = re.compile(r"\bp (?=(?:&lt; )?\d)")   # a line must not end inside a number: p 0.04
SIGN = re.compile(r"−(?=[^\d\s∞<])")             # −$3
NOTE = re.compile(r"<small>.*?</small>", re.S)  # what holds for the table on the page, not for its file
CAPTION = re.compile(r"(<caption[^>]*>)(.*?)(</caption>)", re.S)


@dataclass
class Section:
    """One heading of level 2 and all below it; what comes before the first heading has neither title nor id."""

    title: str = ""
    id: str = ""
    blocks: list[Markup] = field(default_factory=list)


@dataclass
class Table:
    """A table to take away, unrounded."""

    name: str
    caption: str
    columns: list[str]
    rows: list[list[object]]


class Layout:
    """Lays out cell after cell.

    sections  what the page shows, in order
    code      of every cell that shows something
    tables    what the page offers beside itself
    log       what the code printed, machine's traces removed
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.prose = Prose()
        self.sections = [Section()]
        self.code: list[str] = []
        self.tables: list[Table] = []
        self.log = ""
        self._n_figures = 0
        self._labels: list[str] = []

    def add(self, cell: NotebookNode) -> None:
        if cell.cell_type == "markdown":
            self._add_prose(cell)
        elif cell.cell_type == "code" and cell.source.strip():
            if any(output.output_type != "stream" for output in cell.outputs):  # imports and the like show nothing
                self.code.append(without_traces(cell.source.strip()))
            for output in cell.outputs:
                self._add_output(output)

    def _add_prose(self, cell: NotebookNode) -> None:
        tag = next((tag.removeprefix("id-") for tag in cell.metadata.get("tags", ()) if tag.startswith("id-")), "")
        for part in SECTION.split(self.prose.html(cell.source, tag)):
            if heading := HEADING.match(part):
                if not self.sections[-1].blocks:  # code that has shown nothing (imports, parameters) makes no section
                    self.sections.pop()
                self.sections.append(Section(plain(heading["text"]), Markup(heading["id"]).unescape()))
            if part.strip():
                self.sections[-1].blocks.append(self._with_regions(part))

    def _add_output(self, output: NotebookNode) -> None:
        if output.output_type == "stream":
            self.log += without_traces(output.text)
        elif "text/html" in output.data:
            self.sections[-1].blocks.append(self._with_regions(_whole(output.data["text/html"])))
        elif SVG in output.data:
            self.sections[-1].blocks.append(self._figure(output))
        elif RESULTS not in output.data and "text/plain" in output.data:
            text = without_traces(output.data["text/plain"])
            self.sections[-1].blocks.append(Markup("<pre>{}</pre>").format(text))
        if output.get("data", {}).get(TABLE):
            self._add_table(output.data)

    def _figure(self, output: NotebookNode) -> Markup:
        self._n_figures += 1
        name = self.reader.say("Figure {n}", n=self._n_figures)
        alt = output.metadata.get(SVG, {}).get("alt", "")
        if not alt:
            raise ValueError(f"{name} has no words: its output needs metadata {{'{SVG}': {{'alt': ...}}}}")
        return figure(output.data[SVG], alt, name=name, number=self._n_figures)

    def _add_table(self, outputs: NotebookNode) -> None:
        table = outputs[TABLE]
        shown = CAPTION.search(outputs.get("text/html", ""))
        self.tables.append(Table(
            self._file_name(table["name"]), plain(NOTE.sub("", shown[2])) if shown else "", list(table["columns"]),
            list(table["rows"])))

    def _file_name(self, name: str) -> str:
        """The table's name as a file's: letters, digits, - and _, no longer than a disk takes, unlike any before it."""
        safe = re.sub(r"[^\w-]+", "_", name)[:LONGEST].strip("_") or "table"
        taken = {known.name.casefold() for known in self.tables}  # some disks take a and A for one
        return next(new for n in count(1) if (new := safe if n == 1 else f"{safe}_{n}").casefold() not in taken)

    def _with_regions(self, html: str) -> Markup:
        """Each table in a region that scrolls by itself and can be reached from the keyboard."""
        return Markup(OPTIONAL.sub("", TABLES.sub(lambda table: self._region(table[0]), html)))

    def _region(self, table: str) -> str:
        shown = CAPTION.search(table)
        label = plain(shown[2]) if shown else self.reader.say("Table")
        self._labels.append(label)
        n = self._labels.count(label)
        id_ = f"t{len(self._labels)}"
        # the span stays in view while the table scrolls, and names the region
        table = CAPTION.sub(rf'\1<span id="{id_}">\2</span>\3', table)
        own_name = f"{label} ({n})" if n > 1 else label
        named = f"aria-labelledby={id_}" if shown and n == 1 else f'aria-label="{escape(own_name)}"'
        return f'<div class="scroll" role=region {named} tabindex=0>{light(with_cards(table))}</div>'


def _whole(html: str) -> str:
    return SIGN.sub("−\u2060", P_VALUE.sub("p\u00a0", html))
