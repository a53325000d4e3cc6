"""Reports by our command, by a bare script with the same computations and figures, and by papermill and nbconvert.

    python bench/reports.py [20] [--rounds 3] [--loop 3]

First one report, each program started anew; then so many, each a copy of a sample campaign under a name of its own:
the bare script one after the other, ours on all cores, the two commands in a loop (of which only `--loop` are run,
and their time is multiplied). At last ours once more with nothing changed. Rounds are interleaved; wall clock and CPU
seconds are medians. The CPU is that of the whole machine, since processes that outlive their parent are in nobody's
account: run it on an idle one.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
SAMPLE = "checkout"
SHOW = """\
def _show(value):
    for item in value if isinstance(value, list) else [value]:
        if hasattr(item, "_repr_mimebundle_"):
            item._repr_mimebundle_()
"""


def bare(notebook: Path, script: Path) -> None:
    """The code of a notebook as a script; what the last line of a cell gives is drawn and thrown away."""
    parts = ["import sys", SHOW]
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            if tree.body and isinstance(tree.body[-1], ast.Expr):
                call = ast.Call(ast.Name("_show", ast.Load()), [tree.body[-1].value], [])
                tree.body[-1] = ast.Expr(call)
            parts.append(ast.unparse(ast.fix_missing_locations(tree)))
            if "parameters" in cell.metadata.get("tags", ()):
                parts.append("params_file = sys.argv[1]")
    script.write_text("\n".join(parts))


def spent(work: Callable[[], None]) -> tuple[float, float]:
    """Wall clock and CPU seconds."""
    before, began = busy(), time.perf_counter()
    work()
    return time.perf_counter() - began, busy() - before


def busy() -> float:
    """CPU seconds that all processes together have used since the machine was started, as Linux counts them."""
    user, nice, system, *_ = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def command(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{words}: {done.stderr}")


def team(folder: Path, n: int) -> list[Path]:
    """So many campaigns of the sample's data."""
    (folder / "params").mkdir(parents=True)
    text = (ROOT / f"params/{SAMPLE}.yml").read_text("utf-8").replace("../data", str(ROOT / "data"))
    paths = [folder / f"params/c{i:02d}.yml" for i in range(n)]
    for path in paths:
        path.write_text(text, "utf-8")
    return paths


def measured(n: int, rounds: int, loop: int, folder: Path) -> str:
    script, paths, jobs = folder / "bare.py", team(folder, n), os.cpu_count() or 1
    bare(ROOT / "notebooks/review.ipynb", script)

    def ours(*words: str | Path) -> None:
        command(BIN / "campaign", "run", *words, "--out", folder / "reports")

    def by_two_commands(path: Path) -> None:
        out = folder / f"{path.stem}.ipynb"
        command(BIN / "papermill", ROOT / "notebooks/review.ipynb", out, "-p", "params_file", path, "--no-progress-bar")
        command(BIN / "jupyter-nbconvert", "--to", "html", out)

    def bare_of(some: list[Path]) -> None:
        for path in some:
            command(sys.executable, script, path)

    contestants: dict[str, Callable[[], None]] = {
        "one: bare script": lambda: bare_of(paths[:1]),
        "one: campaign run": lambda: ours(paths[0], "--force"),
        f"{n}: bare script, in a row": lambda: bare_of(paths),
        f"{n}: campaign run --jobs {jobs}": lambda: ours(folder / "params", "--force", "--jobs", str(jobs)),
        f"{n}: papermill + nbconvert, in a row": lambda: [by_two_commands(path) for path in paths[:loop]] and None,
        f"{n}: campaign run, nothing changed": lambda: ours(folder / "params"),
    }
    bare_of(paths[:1])   # compiled code and caches are there for all
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            times = n / loop if "nbconvert" in name else 1
            costs[name].append(tuple(times * cost for cost in spent(work)))
    lines = ["| | wall s | x bare | CPU s | x bare |", "|---|---|---|---|---|"]
    for name, own in costs.items():
        of = next(other for other in costs if other.startswith(name.split(":")[0]) and "bare" in other)
        wall, cpu = (statistics.median(cost[i] for cost in own) for i in (0, 1))
        bare_wall, bare_cpu = (statistics.median(cost[i] for cost in costs[of]) for i in (0, 1))
        lines.append(f"| {name} | {wall:.2f} | {wall / bare_wall:.2f} | {cpu:.2f} | {cpu / bare_cpu:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("reports", nargs="?", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--loop", type=int, default=3)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="campaign-bench-"))
    try:
        print(measured(asked.reports, asked.rounds, min(asked.loop, asked.reports), folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
