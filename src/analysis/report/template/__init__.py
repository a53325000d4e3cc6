"""The look of the pages: nbconvert with the template of this folder, the style sheet, and what the frames share."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path

from jinja2 import StrictUndefined
from markupsafe import Markup
from nbconvert.exporters.templateexporter import TemplateExporter

from analysis.report.template.narrow import css_string
from analysis.showing.reader import Reader

HERE = Path(__file__).parent
LANG = {"en": "en", "zh": "zh-Hans"}
LANGUAGES = {"en": "English", "zh": "中文"}   # as their readers call them


@cache
def exporter() -> TemplateExporter:
    """nbconvert with the templates of this folder; what is not Markup comes out escaped, a missing value raises."""
    exporter = TemplateExporter(
        template_name=HERE.name, extra_template_basedirs=[str(HERE.parent)], file_extension=".html")
    exporter.environment.autoescape = True
    exporter.environment.undefined = StrictUndefined
    return exporter


def frame(reader: Reader, *sheets: str) -> dict[str, object]:
    """What every page needs: its language and words, the style sheet, and a policy that allows nothing else.

    sheets   further ones of this folder

    Figures carry style attributes, so those are open; style elements only by the hash of the sheet. Browsers that
    do not know the two apart fall back on `style-src`.
    """
    style = style_sheet("page.css", *sheets)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = ("default-src 'none'; style-src 'unsafe-inline'; style-src-attr 'unsafe-inline'; "
              f"style-src-elem 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'")
    return {"lang": LANG[reader.language], "say": reader.say, "style": Markup(style), "policy": policy,
            "css_string": css_string}


@cache
def style_sheet(*sheets: str) -> str:
    """Sheets of this folder as one, without comments, indentation and last semicolons, which a page need not carry."""
    text = "".join((HERE / sheet).read_text(encoding="utf-8") for sheet in sheets or ["page.css"])
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"\s*\n\s*", "", text).replace(";}", "}")


def span(period: dict[str, str], reader: Reader) -> str:
    """A campaign's period, {"start", "end"} in ISO 8601 on its own clock, in the reader's words; "" without one."""
    if not period["start"]:
        return ""
    if period["start"] == period["end"]:
        return _moment(period["start"], reader)
    return reader.interval(*(_moment(period[end], reader) for end in ("start", "end")))


def _moment(text: str, reader: Reader) -> str:
    if len(text) == len("2025-11-11"):
        return reader.day(date.fromisoformat(text))
    # Already the campaign's clock: shown as it stands, in no other zone.
    return Reader(reader.language).moment(datetime.fromisoformat(text).replace(tzinfo=UTC))
