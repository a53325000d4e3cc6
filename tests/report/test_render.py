"""A notebook's page: what is in it, what stays out, and that text never becomes anything else."""

from __future__ import annotations

import csv
import re
from html import escape
from html.parser import HTMLParser
from io import StringIO
from itertools import pairwise
from urllib.parse import quote

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from analysis.report.render import Unfinished, render, spreadsheet
from analysis.report.template import style_sheet
from analysis.report.template.figures import figure
from analysis.report.template.narrow import with_cards
from analysis.report.template.prose import Prose
from analysis.report.traces import without_traces
from tests.report.sample_notebook import RESULTS, SVG, TABLE, html, sample

NASTY = """<script>alert(1)</script> "quoted" 'single' =HYPERLINK("x") & 🎉 {{ 7*7 }} --> </title>"""


class Elements(HTMLParser):
    """(tag, attributes) of every element, and all text, as a browser would see them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(str(page))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def headings(page: str) -> list[int]:
    return [int(tag[1]) for tag, _ in Elements(page).found if re.fullmatch("h[1-6]", tag)]


# What is refused

def test_a_notebook_without_results_is_unfinished():
    notebook = sample()
    notebook.cells[-1].outputs = []
    with pytest.raises(Unfinished, match="did not hand over the results"):
        render(notebook)


def test_results_of_an_earlier_cell_do_not_finish_a_notebook():
    notebook = sample()
    notebook.cells.append(new_code_cell("review.publish()"))
    with pytest.raises(Unfinished):
        render(notebook)


def test_a_failed_cell_is_named_with_its_heading():
    notebook = sample()
    failed = next(i for i, cell in enumerate(notebook.cells) if cell.source == "review.definitions()")
    notebook.cells[failed].outputs.append(new_output("error", ename="ZeroDivisionError", evalue="no users"))
    with pytest.raises(Unfinished, match=r"cell 10 of 11, below '定义': ZeroDivisionError: no users"):
        render(notebook, language="zh")


def test_a_figure_without_words_is_refused():
    notebook = sample()
    next(cell for cell in notebook.cells if cell.source == "review.funnel.figure()").outputs[-1].metadata = {}
    with pytest.raises(ValueError, match="Figure 1 has no words"):
        render(notebook)


@pytest.mark.parametrize(("name", "file"), [
    ("../../etc", "etc"), ("a/b", "a_b"), ("", "table"), ("goals", "goals_2"), ("GOALS", "GOALS_2"),
    ("漏斗 1", "漏斗_1"), ("x" * 300, "x" * 60)])
def test_a_table_is_written_beside_the_others_under_a_name_of_its_own(name, file):
    notebook = sample()
    notebook.cells[-2].outputs = [html("<p></p>", table={"name": name, "columns": [], "rows": []})]
    page = render(notebook)
    assert list(page.tables) == ["goals", "funnel_purchase", file]
    assert f'href="tables/{quote(file)}.csv"' in page.html


# What is chosen

@pytest.mark.parametrize(("language", "kept", "dropped"), [
    ("en", "Look for the steepest fall.", "请看下降最陡的一步"), ("zh", "请看下降最陡的一步", "Look for the steepest")])
def test_prose_is_in_the_language_of_the_report(language, kept, dropped):
    page = render(sample("en"), language=language).html
    assert kept in page
    assert dropped not in page


def test_the_language_is_the_campaign_s_unless_another_is_asked_for():
    assert '<html lang="zh-Hans" ' in render(sample("zh")).html
    assert '<html lang="en" ' in render(sample("zh"), language="en").html


def test_a_block_that_was_not_asked_for_leaves_no_trace():
    page = render(sample()).html
    assert "etention" not in page
    assert "never shown" not in page


def test_cells_for_the_hand_stay_in_the_notebook():
    assert "JupyterLab" not in render(sample()).html


# What the page is

def test_headings_never_skip_a_level():
    levels = headings(render(sample()).html)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_contents_name_every_section_and_lead_to_it():
    page = Elements(render(sample("zh")).html)
    targets = [a["href"][1:] for a in page.named("a") if a["href"].startswith("#")]
    ids = [attributes["id"] for _, attributes in page.found if "id" in attributes]
    assert targets == ["main", "数据可信吗", "用户在哪里流失", "定义", "downloads"]
    assert set(targets) <= set(ids)
    assert len(ids) == len(set(ids))


def test_code_is_folded_once_at_the_end_and_shows_no_machine():
    page = render(sample()).html
    code = re.findall(r'<details class="code"><summary>Code</summary><pre><code>(.*?)</code></pre>', page, re.S)
    assert len(code) == 1 and page.index('<h2 id="downloads">') < page.index("review.goals()")
    assert "review.goals()" in code[0] and "from analysis import review" not in code[0]
    assert "/home" not in page
    assert "ann lee" not in page


def test_the_log_is_folded_at_the_end_without_paths_and_escape_codes():
    log = re.search(r'<details class="code" id="log">.*?<pre>(.*?)</pre>', render(sample()).html, re.S)[1]
    assert "…/x.py:12: UserWarning: few users" in log
    assert "/home" not in log
    assert "\x1b" not in log


def test_imports_before_the_first_output_do_not_make_a_section():
    notebook = sample()
    notebook.cells = [cell for cell in notebook.cells if cell.source not in ("review.verdict()", "review.goals()")]
    page = render(notebook).html
    assert page.index('<h2 id="can-the-numbers-be-trusted">') < page.index("<nav")


def test_each_table_scrolls_in_a_region_of_its_own_name():
    notebook = sample()
    shown = notebook.cells[4].outputs[0].data["text/html"]
    notebook.cells.insert(5, new_code_cell("review.goals()", outputs=[html(shown)]))
    page = Elements(render(notebook).html)
    captions = dict(re.findall(r'<span id="(t\d+)">(.*?)</span>', render(notebook).html))
    names = [div.get("aria-label") or captions[div["aria-labelledby"]]
             for div in page.named("div") if div.get("role") == "region"]
    assert len(names) == len(page.named("table"))
    assert names[:2] == ["Goals and what came of them", "Goals and what came of them (2)"]
    assert len(set(names)) == len(names)


def test_the_page_asks_for_nothing_and_runs_nothing():
    page = Elements(render(sample()).html)
    assert not {"script", "iframe", "object", "embed", "form", "img"} & {tag for tag, _ in page.found}
    assert not [name for _, attributes in page.found for name in attributes if name.startswith("on")]
    assert {link["href"] for link in page.named("link")} == {"data:,"}
    policy = next(meta["content"] for meta in page.named("meta") if meta.get("http-equiv"))
    assert policy.startswith("default-src 'none'; ")
    assert "script-src" not in policy
    assert "http" not in policy + style_sheet()


def test_frame_and_style_weigh_little():
    page = render(sample()).html
    figures = sum(len(svg.encode()) for svg in re.findall("<svg.*?</svg>", page, re.S))
    assert len(page.encode()) - figures < 25_000


def test_the_same_notebook_gives_the_same_bytes_and_stays_as_it_is():
    notebook = sample()
    before = nbformat.writes(notebook)
    assert render(notebook) == render(nbformat.reads(before, as_version=4))
    assert nbformat.writes(notebook) == before


def test_a_notebook_is_read_from_a_file(tmp_path):
    nbformat.write(sample("zh"), tmp_path / "notebook.ipynb")
    assert render(tmp_path / "notebook.ipynb") == render(sample("zh"))


def test_results_are_handed_on_as_they_are():
    notebook = sample()
    assert render(notebook).results == notebook.cells[-1].outputs[0].data[RESULTS]


# Figures

def test_a_figure_is_one_image_with_words_and_no_trace_of_its_file():
    drawing = sample().cells
    svg = next(output.data[SVG] for cell in drawing for output in cell.get("outputs", ())
               if SVG in output.get("data", {}))
    assert "<?xml" in svg and "<metadata>" in svg  # else this test proves nothing
    shown = str(figure(svg, "It falls.", name="Figure 7", number=7))
    assert 'role="img" aria-label="It falls."' in shown
    assert "<figcaption><b>Figure 7</b> It falls.</figcaption>" in shown
    for gone in ("<?xml", "<!DOCTYPE", "metadata", "<style", "xmlns", "#010203", "#fdfcfb"):
        assert gone not in shown
    assert "currentColor" in shown and "var(--paper)" in shown


def test_ids_of_a_figure_are_its_own_and_all_lead_somewhere():
    page = render(sample()).html
    ids = re.findall(r' id="(f[12]-[^"]+)"', page)
    used = re.findall(r'(?:href="#|url\(#)(f[12]-[^")]+)', page)
    assert ids and len(ids) == len(set(ids))
    assert set(used) == set(ids)


def test_nothing_active_survives_in_a_figure():
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" onload="x()">'
           '<script>x()</script><foreignObject><p>x</p></foreignObject><text onclick="x()">a &lt;b&gt; c</text>'
           '<image xlink:href="https://example.org/x.png"/><use xlink:href="javascript:x()"/></svg>')
    drawing = figure(svg, "a", name="b", number=1)
    assert "x()" not in drawing
    assert "example.org" not in drawing
    assert "<text>a &lt;b&gt; c</text>" in drawing


# Text stays text

@pytest.mark.parametrize("place", ["title", "owner", "question", "alt", "caption", "why"])
def test_text_of_a_campaign_never_becomes_markup(place):
    plain, nasty = (Elements(render(sample(**{place: text})).html) for text in ("plain", NASTY))
    assert [(tag, list(named)) for tag, named in nasty.found] == [(tag, list(named)) for tag, named in plain.found]
    assert NASTY in nasty.text


def test_html_in_prose_comes_out_as_text():
    page = Elements(Prose().html(
        '<script>alert(1)</script>\n\na <img src=x onerror="alert(1)"> b\n\n[x](javascript:alert(1)) '
        '![<b>"words"](https://example.org/x.png)\n\n```mermaid\n<script>\n```'))
    assert {tag for tag, _ in page.found} <= {"p", "a", "em", "pre", "code"}
    assert all("javascript" not in a["href"] for a in page.named("a"))
    assert '<script>alert(1)</script>' in page.text
    assert '"words"' in page.text


def test_markup_in_plain_output_comes_out_as_text():
    notebook = sample()
    notebook.cells[-2].outputs = [new_output("execute_result", data={"text/plain": NASTY})]
    assert NASTY in Elements(render(notebook).html).text


def test_headings_with_the_same_words_get_different_ids():
    notebook = sample()
    notebook.cells[5:5] = [new_markdown_cell("## Downloads"), new_markdown_cell("## 🎉"), new_markdown_cell("## 🎉")]
    assert re.findall('<h2 id="([^"]+)"', render(notebook).html)[:3] == ["downloads-2", "section", "section-2"]


def test_a_tag_of_a_cell_gives_its_first_heading_an_id_that_is_the_same_in_every_language():
    notebook = sample()
    notebook.cells[5:5] = [new_markdown_cell("## 漏斗\n\n### 步骤", metadata={"tags": ["id-funnels"]}),
                           new_markdown_cell("## 又一次", metadata={"tags": ["id-funnels"]})]
    assert re.findall('<h[23] id="([^"]+)"', render(notebook).html)[:3] == ["funnels", "步骤", "funnels-2"]


# Tables on a phone

def test_a_wide_table_has_its_headings_at_hand_for_narrow_screens():
    heads = ["a", "b's", 'c"', "d\\", "</table>"]
    table = "<table><thead><tr>" + "".join(f'<th scope="col">{escape(head)}</th>' for head in heads) + (
        "</tr></thead><tbody></tbody></table>")
    style = Elements(with_cards(table)).named("table")[0]["style"]
    assert style == r"--b:'b\27 s';--c:'c\22 ';--d:'d\5c ';--e:'\3c /table\3e '"
    assert with_cards(table.replace('<th scope="col">a</th>', "", 1)) == table.replace('<th scope="col">a</th>', "", 1)


def test_what_holds_for_the_table_on_the_page_is_not_said_of_its_file():
    notebook = sample()
    shown = notebook.cells[4].outputs[0].data
    shown["text/html"] = shown["text/html"].replace("</caption>", "<small> (rows 1 to 3 of 9)</small></caption>")
    page = render(notebook).html
    assert page.count("(rows 1 to 3 of 9)") == 1


# Tables to take away

def test_tables_begin_with_a_byte_order_mark_and_keep_all_digits():
    assert render(sample(title="双十一")).tables["goals"] == (
        "\ufeffmetric,observed,n\r\n双十一,0.0410000000000001,51234\r\n'=1+1,,-3\r\n")


@pytest.mark.parametrize(("value", "written"), [
    ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"), ("+49 30", "'+49 30"), ("-cmd", "'-cmd"), ("@SUM(A1)", "'@SUM(A1)"),
    ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("＝1+1", "'＝1+1"), ("-1.5", "-1.5"), ("+2e-3", "+2e-3"), (-1.5, "-1.5"),
    ("\n=1", "'\n=1"), ("＋1+1", "'＋1+1"), ("－1+1", "'－1+1"), ("＠SUM", "'＠SUM"), (" =1", "' =1"),
    ("\u3000=1", "'\u3000=1"),
    ("\ufeff=1", "'\ufeff=1"), ('"=1', "'\"=1"), ("'=1", "''=1"), ("a;=1+1;b", "a;'=1+1;b"), ("a\n@x", "a\n'@x"),
    ("a\t＝1", "a\t'＝1"), ("a;b=1", "a;b=1"), ("-0.5 0.25", "-0.5 0.25"), ("-inf 0.25", "-inf 0.25"),
    ("-1 -cmd", "'-1 -cmd"), ("-1 2 3", "'-1 2 3"), ("a=1", "a=1"), ("", ""), (None, ""), (float("nan"), ""),
    (True, "true"), ("<b>", "<b>"), ("🎉", "🎉"),
])
def test_a_cell_is_text_or_a_number_and_never_a_formula(value, written):
    assert next(csv.reader(StringIO(spreadsheet([value], []).removeprefix("\ufeff"), newline="")), [""])[0] == written


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=4))
def test_any_text_comes_back_from_a_table_longer_by_apostrophes_at_most(row):
    read = next(csv.reader(StringIO(spreadsheet(row, [["x"]]).removeprefix("\ufeff"), newline="")))
    assert [cell.replace("'", "") for cell in read] == [text.replace("'", "") for text in row]
    parts = [part for cell in read for part in re.split("[;\t\r\n]", cell)]
    assert not [part for part in parts if re.match(r"""[\s"\u200b]*[=@＝＠]""", part)]


def test_names_of_columns_are_no_formulas_either():
    text = spreadsheet(["=1+1", "rate;@x", "＝2"], [["-cmd", "+1", -2.5]])
    assert text == "\ufeff'=1+1,rate;'@x,'＝2\r\n'-cmd,+1,-2.5\r\n"


def test_downloads_name_every_table_with_its_caption():
    page = render(sample()).html
    assert '<a href="tables/goals.csv">Goals and what came of them</a>' in page
    assert {"results.json", "notebook.ipynb", "tables/goals.csv", "tables/funnel_purchase.csv"} == {
        a["href"] for a in Elements(page).named("a") if not a["href"].startswith("#")}


def test_a_table_without_words_of_its_own_is_still_taken_along():
    notebook = sample()
    notebook.cells[-2].outputs = [new_output("display_data", data={
        TABLE: {"name": "extra", "columns": ["a"], "rows": [[1]]}, "text/plain": "extra"})]
    assert render(notebook).tables["extra"] == "\ufeffa\r\n1\r\n"


# What a machine leaves

@pytest.mark.parametrize(("text", "left"), [
    ("/home/ann/work/x.py:12: UserWarning: a", "…/x.py:12: UserWarning: a"),
    ('open("/Users/Ann Lee/My Files/x.csv")', 'open("…/x.csv")'),
    (r"C:\Users\ann\x.csv", "…/x.csv"), (r"'C:\\Users\\Ann Lee\\x.csv'", "'…/x.csv'"),
    ("/home/Ann Lee/work/x.py:3: at /Users/Ann Lee/x", "…/x.py:3: at …/x"), ("cwd '/home/ann'", "cwd '…/'"),
    ("~/secret/x", "…/x"), ("path:/home/ann/x", "path:…/x"), ("/opt/a/b /srv/c/d", "…/b …/d"),
    ("/tmp/ipykernel_4711/998.py:3: Warning", "cell:3: Warning"),
    ("postgresql://ann:pw@db.example.org/shop failed", "postgresql://… failed"),
    ("<Figure at 0x7f00deadbeef>", "<Figure at 0x…>"),
    (" 10%\r 50%\r100%\ndone", "100%\ndone"),
    ("12/31/2024 and n / total / 2 and a/b/c and </td></tr>", "12/31/2024 and n / total / 2 and a/b/c and </td></tr>"),
])
def test_traces_of_the_machine_are_removed(text, left):
    assert without_traces(text) == left
