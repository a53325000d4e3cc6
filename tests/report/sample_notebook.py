"""A small notebook as papermill leaves it: all that a report may hold, in both languages."""

from __future__ import annotations

import warnings
from html import escape
from io import StringIO

import matplotlib
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

RESULTS = "application/vnd.campaign.results+json"
TABLE = "application/vnd.campaign.table+json"
SVG = "image/svg+xml"

EN = {
    "title": "Double Eleven banner", "owner": "Growth team",
    "question": "Did the new banner sell more, without more refunds?",
    "verdict": "It works", "why": "Revenue per user rose by 4.1 % (95 % interval 1.2 % to 7.0 %). Both goals with a "
    "deadline are known; one is met.",
    "checks": "Can the numbers be trusted?", "funnel": "Where users were lost", "arms": "Banner against no banner",
    "caption": "Goals and what came of them", "steps": "Steps of the purchase funnel, 7 days from entry",
    "alt": "Conversion falls from 41.2 % at the product page to 6.3 % at payment; most users are lost at the basket.",
    "axis": "Share of users", "names": ["visit", "product", "basket", "payment"],
}
ZH = {
    "title": "双十一横幅实验", "owner": "增长团队", "question": "新的横幅是否带来更多销售额，而没有更多退款？",
    "verdict": "有效",
    "why": "人均收入上升 4.1 %（95 % 区间 1.2 % 至 7.0 %）。两个有期限的目标均可判断，其中一个达成。",
    "checks": "数据可信吗？", "funnel": "用户在哪里流失", "arms": "有横幅与无横幅的比较",
    "caption": "目标与结果", "steps": "购买漏斗的各步骤，自进入起 7 天", "axis": "用户占比",
    "alt": "转化率从商品页的 41.2 % 降至支付的 6.3 %；多数用户在购物车一步流失。",
    "names": ["浏览", "商品", "购物车", "支付"],
}
WORDS = {"en": EN, "zh": ZH}


def sample(language: str = "en", **changed: str) -> NotebookNode:
    """The notebook; `changed` replaces words of WORDS, to see what text from data turns into."""
    words = WORDS[language] | changed
    return new_notebook(cells=[
        new_markdown_cell("# Review\n\nOpen me in JupyterLab.", metadata={"tags": ["hand"]}),
        code("from analysis import review\nfrom pathlib import Path", stream="loading /home/ann lee/x.py\n"),
        code('params_file = "/home/ann/work/params/double_eleven.yml"', tags=["injected-parameters"]),
        code("review.verdict()", html(
            f'<div class="verdict works"><p>{escape(words["verdict"])}</p><p>{escape(words["why"])}</p></div>')),
        code("review.goals()", html(goals(words), table={
            "name": "goals", "columns": ["metric", "observed", "n"],
            "rows": [[words["title"], 0.0410000000000001, 51234], ["=1+1", None, -3]]})),
        *prose("## Can the numbers be trusted?\n\nA failed check voids the verdict. *Read this first.*",
               "## 数据可信吗？\n\n任何一项检查未通过，结论即作废。**请先看这里。**"),
        code("review.checks()", html(
            '<table><caption>' + escape(words["checks"]) + '</caption><thead><tr><th scope="col">Check</th>'
            '<th scope="col">State</th><th scope="col" class="n">p</th></tr></thead><tbody>'
            '<tr><th scope="row">split</th><td class="ok">passed</td><td>0.41</td></tr>'
            '<tr><th scope="row">missing days</th><td class="warn">1 day</td><td>–</td></tr>'
            '<tr><th scope="row">duplicates</th><td class="fail">1,204 rows</td><td>–</td></tr>'
            '<tr><th scope="row">balance</th><td class="not_checked">not checked</td><td>–</td></tr>'
            '</tbody></table><p class="note">One day of the log is missing; the interval is wider than planned.</p>')),
        *prose("## Where users were lost\n\nLook for the steepest fall.\n\n#### Steps\n\n"
               "| step | users |\n|---|--:|\n| visit | 51,234 |\n| basket | 9,120 |",
               "## 用户在哪里流失\n\n请看下降最陡的一步。\n\n#### 步骤\n\n| 步骤 | 人 |\n|---|--:|\n| 浏览 | 51,234 |",
               needs="funnels"),
        code("review.funnel.figure()", figure(words), tags=["needs-funnels"],
             stream="\x1b[33m/opt/env/lib/x.py:12: UserWarning\x1b[0m: few users\n"),
        code("review.funnel.table()", html(wide_table(words), table={
            "name": "funnel_purchase", "columns": ["step", "rate"], "rows": [["visit", 1.0]]}), tags=["needs-funnels"]),
        code("review.funnel.by_city()", figure(words), tags=["needs-funnels"]),
        *prose("## Retention\n\nNobody asked for this.", "## 留存\n\n没有人问这个。", needs="retention"),
        code("review.retention()", html("<p>never shown</p>"), tags=["needs-retention"]),
        *prose("## Definitions", "## 定义"),
        code("review.definitions()", html(
            "<dl><dt>Conversion</dt><dd>Users who reached the step within the window, of all who entered.</dd>"
            "<dt>Interval</dt><dd>Wilson, 95 %.</dd></dl>")),
        code("review.results", new_output("execute_result", execution_count=9, data={
            RESULTS: results(language, words), "text/plain": "Results(...)"})),
    ])


def results(language: str, words: dict[str, str]) -> dict:
    return {
        "schema_version": 1,
        "campaign": {"name": "double_eleven", "title": words["title"], "question": words["question"],
                     "owner": words["owner"], "language": language,
                     "period": {"start": "2025-11-01", "end": "2025-11-11"}},
        "blocks": ["arms", "funnels", "goals"],
        "verdict": {"answer": "works", "reasons": [], "metric": "revenue"},
        "goals": [{"verdict": "met"}, {"verdict": "missed"}, {"verdict": "met"}],
        "checks": [{"state": "ok"}, {"state": "warn"}],
    }


def code(source: str, *outputs: NotebookNode, tags: list[str] | None = None, stream: str = "") -> NotebookNode:
    printed = [new_output("stream", name="stderr", text=stream)] if stream else []
    return new_code_cell(source, outputs=[*printed, *outputs], execution_count=3, metadata={"tags": tags or []})


def prose(en: str, zh: str, needs: str = "") -> list[NotebookNode]:
    tags = [f"needs-{needs}"] if needs else []
    return [new_markdown_cell(en, metadata={"tags": ["en", *tags]}),
            new_markdown_cell(zh, metadata={"tags": ["zh", *tags]})]


def html(text: str, table: dict | None = None) -> NotebookNode:
    return new_output("execute_result", data={"text/html": text, "text/plain": "…"} | ({TABLE: table} if table else {}))


def goals(words: dict[str, str]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(metric)}</th><td>{value}</td>'
        f'<td><span class="{state}">{state}</span></td></tr>'
        for metric, value, state in [(words["title"], "+4.1 %", "met"), ("Refunds", "2.13", "missed"),
                                     ("Visits", "1,204,331", "unknown")])
    return (f'<table><caption>{escape(words["caption"])}</caption><thead><tr><th scope="col">Metric</th>'
            f'<th scope="col" class="n">Observed</th><th scope="col">Goal</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>")


def wide_table(words: dict[str, str]) -> str:
    head = "".join(f'<th scope="col" class="n">{name} {i}</th>' for i in range(3) for name in words["names"])
    body = "".join(f'<tr><th scope="row">{day} Nov</th>' + f'<td>{day * 1234:,}</td>' * 12 + "</tr>"
                   for day in range(1, 6))
    return (f'<table><caption>{escape(words["steps"])}</caption><thead><tr><th scope="col">Day</th>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table>")


def figure(words: dict[str, str]) -> NotebookNode:
    """As matplotlib writes it: prolog, metadata, a style sheet, and ids that every figure has."""
    drawn = StringIO()
    ink = "#010203"
    with matplotlib.rc_context({
            "svg.fonttype": "none", "svg.hashsalt": "sample", "text.color": ink, "axes.edgecolor": ink,
            "axes.labelcolor": ink, "xtick.color": ink, "ytick.color": ink, "figure.facecolor": "#fdfcfb",
            "axes.facecolor": "#fdfcfb"}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"(?s).*Glyph")
        ax = Figure(figsize=(4.5, 2.6), layout="constrained").add_subplot()
        ax.bar(words["names"], [1, 0.412, 0.178, 0.063], color="#1f7fc4")
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_ylabel(words["axis"])
        ax.plot([0, 3], [1, 0.063], marker="o", color="#c8551b")
        ax.figure.savefig(drawn, format="svg", facecolor="#fdfcfb")
    return new_output("display_data", data={SVG: drawn.getvalue(), "text/plain": words["alt"]},
                      metadata={SVG: {"alt": words["alt"]}})
