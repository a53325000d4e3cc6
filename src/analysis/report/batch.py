"""Many params files by one command: which, how many at a time, in what order they end, and the list of all reports."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from analysis.params import Campaign, CampaignError, Editions, Experiments, Params, Problem, load
from analysis.report.apart import Limits, Tell, apart, has_others
from analysis.report.editions import turn_of
from analysis.report.failed import failed_folder
from analysis.report.outcome import AGAIN, CODES, OK, Outcome, worst
from analysis.report.place import locked
from analysis.report.progress import Progress
from analysis.report.published import write
from analysis.report.run import Job, make, settled

LIST_WAIT = 60.0   # seconds for another run to write the list of reports
STAGGER = 0.3   # seconds between the starts of kernels: together they would only wait for each other


@dataclass(frozen=True, slots=True)
class Batch:
    """Which of the campaigns, and how many at a time."""

    jobs: int = 1
    only: str = ""              # "failed": those whose last run failed
    shard: tuple[int, int] = (1, 1)   # the i-th of n parts, for n machines that are given the same paths


def campaign_files(paths: Sequence[Path]) -> list[Path]:
    """The params files that paths name; of a folder, every .yml and .yaml in it. Raises CampaignError."""
    found: list[Path] = []
    problems = []
    for path in paths:
        if _is_folder(path):
            inside = sorted(p for p in path.iterdir() if p.suffix in (".yml", ".yaml"))
            problems += [] if inside else [Problem(str(path), None, "", "has no .yml file")]
            found += inside
        else:
            found.append(path)
    names: dict[str, Path] = {}
    for path in dict.fromkeys(p.absolute() for p in found):
        first = names.setdefault(path.stem, path)
        if first != path:
            problems.append(Problem(
                str(path), None, "", f"has the same name as {first}; reports are named after files"))
    if problems:
        raise CampaignError(problems)
    return list(dict.fromkeys(found))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:   # a name that nothing can have: said when it is read
        return False


def check(path: Path, overrides: dict[str, Any], notebook: str = "") -> Params:
    """Params and data for a notebook, without making anything. Raises CampaignError with all that is wrong."""
    params = load(path, overrides, "plan" if notebook == "plan" else "report")
    from analysis.data import summaries
    from analysis.data.read import read
    from analysis.data.read_past import read_past

    if isinstance(params, Editions):
        return params   # its data are reports, which may not be made yet
    if isinstance(params, Experiments):
        summaries.read(params)
    elif notebook == "plan":
        read_past(params)
    else:
        read(params)
    return params


def is_for(notebook: str, path: Path) -> bool:
    """Whether a notebook is for this kind of params file; what cannot be read is for all, and refused later."""
    if not notebook:
        return True
    try:
        return isinstance(load(path), Campaign)
    except CampaignError:
        return True


def run_all(
    jobs: Sequence[Job], batch: Batch, say: Callable[[str], None], codes: Mapping[str, int] = MappingProxyType({}),
    executor: Executor | None = None,
) -> int:
    """Make the reports, rebuild the list of them, return the exit code.

    codes   answer of a report's verdict -> exit code, where a scheduler is to act on it; the largest counts

    Raises CampaignError when there is nothing to do, or `out` cannot be written.
    """
    if batch.only == "failed":
        out = jobs[0].out
        jobs = [job for job in jobs if failed_folder(job.place).is_dir() or not job.place.is_dir()]
        if not jobs:
            say(f"nothing failed in {out}, and no report is missing")
            return OK
    i, n = batch.shard
    if n > 1:   # editions wait for each other: on one machine
        jobs = [job for part in in_turn(jobs)[i - 1::n] for job in part]
    if not jobs:
        say(f"nothing to do: part {i} of {n} has no campaign")
        return OK
    out = jobs[0].out
    try:
        out.mkdir(parents=True, exist_ok=True)
        outcomes = run_batch(jobs, executor, n_jobs=batch.jobs, say=say)
        if any(not outcome.is_unchanged for outcome in outcomes) or not _is_listed(out):
            if has_others():
                apart(partial(_index_apart, out), lambda *_: None, Limits(), threading.Event())
            else:
                write_index(out)
    except OSError as error:
        raise CampaignError([Problem(str(out), None, "", f"cannot be written: {error.strerror or error}")]) from None
    if len(outcomes) > 1:
        say(_summary(outcomes))
    say(f"reports: {out / 'index.html'}")
    failed = worst([outcome.code for outcome in outcomes])
    return failed or max([codes.get(outcome.answer, OK) for outcome in outcomes])


def _summary(outcomes: Sequence[Outcome]) -> str:
    """How many ended in which way, for who reads the end of a log."""
    ended = ["unchanged" if outcome.is_unchanged else "made" if outcome.code == OK else
             "refused" if outcome.kind == "refused" else "failed" for outcome in outcomes]
    return ", ".join(f"{ended.count(way)} {way}" for way in ("made", "unchanged", "refused", "failed") if way in ended)


def run_batch(
    jobs: Sequence[Job], executor: Executor | None = None, *, n_jobs: int = 1,
    say: Callable[[str], None] = lambda _: None,
) -> list[Outcome]:
    """Outcomes in the order of the jobs. What fails for a time is tried once more, what lasts is not.

    executor   any of `concurrent.futures`, of processes or of a cluster whose workers see the same files; by itself
               `n_jobs` threads, each with a process for its report. Ctrl-C and SIGTERM end those of its own at once

    Editions of a series are made one after the other, by the same worker.
    """
    known = {job.params: settled(job) for job in jobs}
    refused = {path: outcome for path, outcome in known.items() if isinstance(outcome, Outcome)}
    for outcome in refused.values():
        say(outcome.message)   # before anything starts; the pages that say the same come after
    parts = in_turn([job for job in jobs if job.params not in refused], known)
    if executor is not None:
        made = _gathered([executor.submit(attempt_all, part) for part in parts], say)
    else:
        stopping = threading.Event()
        with ending(stopping), Progress(sum(map(len, parts)), say) as progress, ThreadPoolExecutor(n_jobs) as own:
            begun = [own.submit(_watched, part, progress, stopping, STAGGER * i if i < n_jobs else 0.0)
                     for i, part in enumerate(parts)]
            made = [future.result() for future in begun]
    found = {job.params: outcome for part, own in zip(parts, made, strict=True)
             for job, outcome in zip(part, own, strict=True)}
    found |= {job.params: make(job) for job in jobs if job.params in refused}
    return [found[job.params] for job in jobs]


def in_turn(jobs: Sequence[Job], known: Mapping[Path, Params | Outcome] = MappingProxyType({})) -> list[list[Job]]:
    """What can be made at the same time. Editions of a series are one part, the oldest first, as each looks at the one
    before; the longest part comes first, for it takes longest.

    known   what is settled already of a params file
    """
    parts: dict[str, list[tuple[tuple, Job]]] = {}
    for job in jobs:
        series, order = turn_of(known.get(job.params) or settled(job))
        parts.setdefault(series or f"/{job.params}", []).append((order, job))
    ordered = [[job for _, job in sorted(part, key=lambda each: each[0])] for part in parts.values()]
    return sorted(ordered, key=len, reverse=True)


def _gathered(begun: Sequence[Future], say: Callable[[str], None]) -> list[list[Outcome]]:
    for future in as_completed(begun):
        for outcome in future.result():
            say(outcome.message)
    return [future.result() for future in begun]


def _watched(part: Sequence[Job], progress: Progress, stopping: threading.Event, wait_s: float) -> list[Outcome]:
    """A part in a thread of ours. Kernels that start together would only wait for each other."""
    if part[0].engine == "kernel":
        stopping.wait(wait_s)
    made = []
    for job in part:
        made.append(_stopped(job) if stopping.is_set() else attempt(job, progress.of(job.params.stem), stopping))
        progress.ended(job.params.stem, made[-1])
    return made


def attempt_all(part: Sequence[Job]) -> list[Outcome]:
    """A part in whichever process."""
    return [attempt(job) for job in part]


def attempt(job: Job, tell: Tell = lambda *_: None, stopping: threading.Event | None = None) -> Outcome:
    """A report, and a second try where the first failed for a reason that may be gone."""
    outcome = make(job, tell, stopping)
    if outcome.kind in AGAIN and not (stopping and stopping.wait(1.0)):
        outcome = make(job, tell, stopping)
    return outcome


def _stopped(job: Job) -> Outcome:
    return Outcome(job.params.stem, CODES["stopped"], f"{job.params.stem}: not begun; the run was told to stop",
                   kind="stopped")


@contextlib.contextmanager
def ending(stopping: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stopping`: what runs ends, what is whole stays, what is left is not begun."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    before = [signal.signal(each, lambda *_: stopping.set()) for each in signals]
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)


def _is_listed(out: Path) -> bool:
    """Whether the list is younger than every report: a run may have been killed between the two."""
    index = out / "index.html"
    return index.is_file() and all(
        path.stat().st_mtime_ns <= index.stat().st_mtime_ns for path in out.glob("*/run.json"))


def _index_apart(out: Path, tell: Tell) -> None:
    """`write_index` as a process of its own does it."""
    write_index(out)


def write_index(out: Path) -> None:
    """index.html and index.json of all reports in a folder, in their language or, if they have several, English."""
    from analysis.report.index import build_index, read_entries
    from analysis.showing import Reader

    with locked(out / ".index.lock", wait_s=LIST_WAIT):
        languages = {entry.language for entry in read_entries(out) if entry.language}
        index = build_index(out, Reader(languages.pop() if len(languages) == 1 else "en"))
        for name, text in (("index.html", index.html), ("index.json", index.json)):
            fresh = out / f".{name}"
            write(fresh, text)
            os.replace(fresh, out / name)
