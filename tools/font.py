"""Make the Chinese font that the charts are measured with: the GB2312 characters of Noto Sans SC, regular weight.

    pip install fonttools pylopdf-fonts-zh-cn==0.1.1
    python tools/font.py

Run by hand; its output is committed. The same input gives the same bytes.
"""

from __future__ import annotations

from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FONTS = Path(__file__).parents[1] / "src" / "analysis" / "showing" / "fonts"
FAMILY = "Noto Sans SC Subset"  # not the original's name: a machine may hold the whole font as well
LICENCE_NAMES = {0, 5, 7, 13, 14}  # copyright, version, trademark, licence, its address


def main() -> None:
    source = files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"
    font = TTFont(str(source), recalcTimestamp=False)
    cut(font, gb2312() | latin_and_signs())
    rename(font)
    font.save(FONTS / "NotoSansSC-GB2312.otf")
    licence = distribution("pylopdf-fonts-zh-cn").read_text("licenses/LICENSE")
    notice = "Copyright 2014-2021 Adobe (http://www.adobe.com/). Noto is a trademark of Google Inc.\n\n"
    (FONTS / "OFL.txt").write_text(notice + licence, encoding="utf-8")


def gb2312() -> set[int]:
    """Code points of GB2312: 6,763 hanzi and 682 other signs."""
    pairs = (bytes([high, low]) for high in range(0xA1, 0xF8) for low in range(0xA1, 0xFF))
    return {ord(sign) for pair in pairs if (sign := pair.decode("gb2312", errors="ignore"))}


def latin_and_signs() -> set[int]:
    """ASCII, Latin-1, general punctuation, currencies, arrows and the usual mathematical signs."""
    blocks = [(0x20, 0x7F), (0xA0, 0x100), (0x2010, 0x2040), (0x20A0, 0x20C0), (0x2190, 0x2194)]
    return {code for start, stop in blocks for code in range(start, stop)} | set(map(ord, "−∞≈≠≤≥√∑·…•"))


def cut(font: TTFont, codes: set[int]) -> None:
    """Keep the glyphs of `codes`; drop what a chart's labels never use (vertical setting, variants, hints)."""
    options = subset.Options(
        layout_features=[], hinting=False, notdef_outline=True, name_IDs=["*"], name_languages=["*"],
        drop_tables=["BASE", "DSIG", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes & set(font.getBestCmap()))
    subsetter.subset(font)


def rename(font: TTFont) -> None:
    names = font["name"]
    names.names = [entry for entry in names.names if entry.nameID in LICENCE_NAMES and entry.langID == 0x409]
    for number, text in {1: FAMILY, 2: "Regular", 4: FAMILY, 6: FAMILY.replace(" ", "")}.items():
        names.setName(text, number, 3, 1, 0x409)
    font["CFF "].cff.fontNames[0] = FAMILY.replace(" ", "")


if __name__ == "__main__":
    main()
