"""What a machine leaves in text: folders, addresses, escape codes. None of it belongs on a page."""

from __future__ import annotations

import re

TRACES = (
    (re.compile(r"[^\s\"'<>(]*ipykernel_\d+[\\/]+\d+\.py"), "cell"),
    (re.compile(r"\b([a-z][a-z0-9+.-]*)://[^\s\"'<>)\]]+", re.I), r"\1://…"),
    # A person's folder, where it ends and where blanks are in its name.
    (re.compile(r"(?:/home|/Users|[A-Za-z]:[\\/]+Users)[\\/]+(?:[^\\/\n:\"'`]+[\\/]+|[^\s\\/:\"'`<>)]+)"), "…/"),
    # In quotes every folder may hold blanks.
    (re.compile(r"(?<=[\"'`])(?:[~…]?/|[A-Za-z]:[\\/])[^\"'`\n]*[\\/](?=[^\"'`\n\\/]*[\"'`])"), "…/"),
    (re.compile(r"(?<![\w.…/\\])(?:[~…]?/|[A-Za-z]:[\\/]+)(?:[^\s\\/:\"'`<>|*?()\[\],;]+[\\/]+)+"), "…/"),
    (re.compile(r"\b0x[0-9a-f]{6,}\b", re.I), "0x…"),
    (re.compile(r"[^\n]*\r(?!\n)"), ""),  # a progress bar's earlier states
)


def without_traces(text: str) -> str:
    """Absolute paths shortened to "…/name", addresses to their scheme; the same text on every machine."""
    if "\x1b" in text:
        from nbconvert.filters.ansi import strip_ansi  # a fifth of a second, for what hardly any text has

        text = strip_ansi(text)
    for trace, instead in TRACES:
        text = trace.sub(instead, text)
    return text
