"""A whole campaign on a large log, from `campaign run` to its report: python bench/campaign.py 100_000_000

Prints seconds (wall and CPU), the highest memory of the run's processes together, and how much was swapped.
"""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from log import PER_USER, write

PARAMS = """
title: A week of {n:,} events
question: Did the campaign bring more payments?
owner: bench
period: {{start: 2024-01-08, end: 2024-01-14}}
baseline: {{start: 2024-01-01, end: 2024-01-07}}
after: {{start: 2024-01-15, end: 2024-01-28}}
sources:
  events: {{path: {log}}}
  assignments: {{path: assignments.parquet}}
arms: {{control: holdout, shares: {{campaign: 90%, holdout: 10%}}}}
metrics:
  payers: {{any: events, where: {{event: payment}}, role: primary}}
  views: {{count: events, where: {{event: view}}}}
  payments: {{count: events, where: {{event: payment}}}}
goals: [{{metric: payers, target: +10%}}]
funnels: {{shop: {{steps: [view, product, cart, checkout], window: 7 days}}}}
retention: {{every: week, n_periods: 3}}
"""


def main(n_events: int) -> None:
    folder = Path(tempfile.gettempdir()) / f"campaign_{n_events}"
    folder.mkdir(exist_ok=True)
    log = folder / "log.parquet"
    if not log.exists():
        write(n_events, log)
    n_users = n_events // PER_USER
    arms = pa.array(["campaign", "holdout"]).take(pa.array(np.arange(n_users) % 10 == 9).cast("int8"))
    pq.write_table(pa.table({"user_id": np.arange(n_users), "variant": arms}),
                   folder / "assignments.parquet")
    params = folder / "large.yml"
    params.write_text(PARAMS.format(n=n_events, log=log.name), "utf-8")
    peak = Peak()
    began = time.perf_counter()
    run = subprocess.Popen([sys.executable, "-m", "analysis.report.cli", "run", params, "--out", folder / "reports"])
    peak.watch(run)
    code = run.wait()
    wall, used = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(f"{n_events:,} events: exit code {code}, {wall:.0f} s wall, {used.ru_utime + used.ru_stime:.0f} s CPU, "
          f"{peak.rss / 2**20:.0f} MiB at most in all processes, {peak.swapped / 2**20:.0f} MiB swapped")


class Peak:
    """The memory of a process and all its descendants, looked at five times a second."""

    rss = swapped = 0

    def watch(self, run: subprocess.Popen) -> None:
        threading.Thread(target=self._look, args=(run,), daemon=True).start()

    def _look(self, run: subprocess.Popen) -> None:
        while run.poll() is None:
            found = [_memory(pid) for pid in _family(run.pid)]
            self.rss = max(self.rss, sum(rss for rss, _ in found))
            self.swapped = max(self.swapped, sum(swap for _, swap in found))
            time.sleep(0.2)


def _family(pid: int) -> list[int]:
    children = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):      # each thread has those that it started
        with contextlib.suppress(OSError):
            children += task.read_text().split()
    return [pid, *(p for child in children for p in _family(int(child)))]


def _memory(pid: int) -> tuple[int, int]:
    """Bytes in memory and swapped."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(("VmRSS", "VmSwap"))}
    return sizes.get("VmRSS", 0), sizes.get("VmSwap", 0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
