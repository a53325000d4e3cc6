"""Where the time of one report goes, and its ratio to asking the same questions in a bare script, in the same run.

    python bench/one_report.py [params/double11-2025.yml] [rounds]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BARE = """
import sys
from analysis.data.read import read
from analysis.facts import observe
from analysis.params import load
from analysis.results import funnel, gap, goals, money, phases, retention, trust, uplift, verdict
from analysis.showing import Reader, sections
campaign = load(sys.argv[1])
reader, facts = Reader.of(campaign), observe(campaign, read(campaign))
checks, effects = trust.checks(facts), uplift.uplifts(facts)
verdict.verdict(facts, checks, effects)
reached, levels = goals.goals(facts), phases.phases(facts, list(campaign.metrics))
gap.gap(facts, levels), gap.seasons(facts)
primary = campaign.metric("primary")
sections.goal_chart(reached, reader), sections.effects(effects, reader)
sections.phases(levels, phases.daily(facts, *primary), *primary, reader)
sections.money(money.costs(facts), reader), sections.funnels(funnel.funnels(facts), reader)
sections.retention(retention.retention(facts), campaign.retention, reader)
"""


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main(params: str = "params/double11-2025.yml", rounds: str = "3") -> None:
    bare, whole, parts = [], [], []
    with tempfile.TemporaryDirectory() as out:
        for _ in range(int(rounds)):  # interleaved, so that both meet the same noise
            bare.append(seconds([sys.executable, "-c", BARE, params]))
            whole.append(seconds([sys.executable, "-m", "analysis.report.cli", "run", params, "--out", out]))
            parts.append(json.loads((Path(out) / Path(params).stem / "run.json").read_text("utf-8")))
    print(f"{params}, {rounds} rounds, medians of wall-clock seconds")
    print(f"bare script       {statistics.median(bare):6.2f}")
    ratio = statistics.median(whole) / statistics.median(bare)
    print(f"campaign run      {statistics.median(whole):6.2f}   x {ratio:.2f}")
    for part in ("import_s", "kernel_s", "cells_s", "render_s"):
        print(f"  {part:15} {statistics.median(p[part] for p in parts):6.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
