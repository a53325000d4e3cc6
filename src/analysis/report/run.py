"""One params file from check to report; what is there stays until something better is whole."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from analysis.params import Editions, Experiments, Params, load
from analysis.report.apart import Limits, Tell, apart, may_fork
from analysis.report.editions import looks_in, made_of_editions
from analysis.report.failed import failed_folder, keep, tell_of
from analysis.report.inputs import inputs, is_same
from analysis.report.outcome import OK, VERDICTS, Failed, Outcome, failure_of
from analysis.report.place import claimed, swap
from analysis.report.published import as_json, page_name, public, publish, shareable, write


@dataclass(frozen=True, slots=True)
class Job:
    """What it takes to make one report, in whichever process or machine that sees the same files."""

    params: Path
    out: Path
    overrides: dict[str, Any] = field(default_factory=dict)
    notebook: str = ""           # the file's own when empty
    engine: str = "process"      # or "kernel"
    is_forced: bool = False      # make it though nothing has changed
    limits: Limits = field(default_factory=Limits)
    executed: dict[str, Path] = field(default_factory=dict)   # language -> notebook that was run already, main first
    folder: str = ""             # of the report; by itself the name of the params file

    @property
    def place(self) -> Path:
        return self.out / (self.folder or folder_of(self.params.stem, self.notebook))


def own_notebook(params: Params) -> str:
    """The notebook that reports on a params file of this kind, whose report needs no name but the file's."""
    return {Experiments: "experiments", Editions: "compare"}.get(type(params), "review")


def folder_of(name: str, notebook: str) -> str:
    """The folder of a report: the params file's name, and the notebook's behind it unless it is the file's own."""
    return name if notebook in ("", "review", "experiments", "compare") else f"{name}.{notebook}"


def settled(job: Job) -> Params | Outcome:
    """The params, or what is said where nothing can be made from them. Nothing is written."""
    try:
        return _params(job)
    except Exception as error:
        failure = failure_of(error)
        return Outcome(job.params.stem, failure.code, _words(job.params.stem, failure), kind=failure.kind)


def _words(name: str, failure: Failed) -> str:
    return f"{name}: refused\n{failure}" if failure.kind == "refused" else f"{name}: FAILED: {failure}"


def make(job: Job, tell: Tell = lambda *_: None, stopping: threading.Event | None = None) -> Outcome:
    """Make one report, or leave the last good one and say in `<folder>.failed` why."""
    began, name = time.perf_counter(), job.params.stem
    place, params = job.place, None
    with suppress(OSError):
        (failed_folder(place) / "notebook.ipynb").unlink()   # of a run before
    try:
        params = _params(job)
        with claimed(job.out, place.name) as work:
            answer = _made(job, params, place, work, tell, stopping or threading.Event())
    except Exception as error:   # whatever it is, the other campaigns of a batch go on
        failure = failure_of(error)
        tell_of(failure, job, params, place)
        kept = "\n  the last good report is unchanged" if place.exists() else ""
        words = _words(name, failure)
        return Outcome(name, failure.code, words if failure.kind == "refused" else words + kept, kind=failure.kind)
    seconds = time.perf_counter() - began
    if not answer:
        return Outcome(name, OK, f"{name}: unchanged", seconds, _answer_of(place), is_unchanged=True)
    shutil.rmtree(failed_folder(place), ignore_errors=True)
    return Outcome(name, OK, f"{name}: {VERDICTS[answer]} · {place / 'report.html'} ({seconds:.1f} s)", seconds, answer)


def _params(job: Job) -> Params:
    return load(job.params, job.overrides, "plan" if job.notebook == "plan" else "report")


def _made(job: Job, params: Params, place: Path, work: Path, tell: Tell, stopping: threading.Event) -> str:
    """The answer of the verdict; empty when the report is there and made from the same. Raises Failed."""
    from analysis.report.execute import notebook_path
    from analysis.report.scan import refuse

    notebook = notebook_path(job.notebook or own_notebook(params))
    made_from = {} if job.executed else inputs(params, job.overrides, notebook, _inputs_of(place))
    if made_from and notebook.stem in ("review", "compare"):
        made_from["editions"] = made_of_editions(params, job.out, job.overrides)
    beside = looks_in(params, job.out, job.overrides)
    is_good = _is_whole(place, params) and not failed_folder(place).exists()
    if is_good and not job.is_forced and is_same(made_from, _inputs_of(place)):
        return ""
    new, began, timings, languages = work / "new", time.perf_counter(), [], tuple(job.executed) or params.languages
    (new / "tables").mkdir(parents=True)
    how = (job.engine, None) if may_fork() else ("kernel", job.limits)   # where nobody watches, the kernel does
    try:
        for language in languages:
            page = partial(_page, job, how, notebook, new, place, beside, language, languages)
            answer, timing = apart(page, tell, job.limits, stopping)
            timings.append(timing)
        total = {key: sum((own[key] for own in timings), start=type(timings[0][key])()) for key in timings[0]}
        record = as_json({"status": "ok", "seconds": time.perf_counter() - began, "overrides": public(job.overrides),
                          **total, "inputs": made_from})
        refuse({"run.json": record}, params)   # the rest was looked at where it was made
        write(new / "run.json", record)
        swap(new, place, work)
    except Failed as failure:
        if failure.error != "Unsafe":
            keep(work / "notebook.ipynb", failed_folder(place), job, params)
        raise
    return answer


def _page(job: Job, how: tuple[str, Limits | None], notebook: Path, new: Path, place: Path, beside: dict[str, str],
          language: str, languages: Sequence[str], tell: Tell) -> tuple[str, dict[str, Any]]:
    """In a process of its own: one language of the report into the folder `new`; the answer, and what took how long.

    how   the engine, and the limits that it keeps by itself
    """
    from analysis.report.execute import Timing, execute
    from analysis.report.render import Unfinished
    from analysis.report.scan import refuse, texts

    timing, executed, at = Timing(), new.parent / "notebook.ipynb", {}

    def telling(*cell: Any) -> None:
        at.update(zip(("cell", "cells", "heading"), cell, strict=True))
        tell(*cell)

    executed.unlink(missing_ok=True)   # of another language, which went well
    if job.executed:
        shutil.copyfile(job.executed[language], executed)
    else:
        execute(job.params, executed, {**job.overrides, **beside, "languages": [language]}, telling, timing, notebook,
                *how)
    began = time.perf_counter()
    try:
        answer = publish(shareable(executed, job.params, place, job.overrides), new, language, languages)
        refuse(texts(new), _params(job), with_ids=True)
    except Unfinished as error:
        kind, name = ("cell", error.error) if error.error else ("unfinished", "Unfinished")
        raise Failed(kind, error.said, name, error.cell, error.cells, error.heading) from None
    except ValueError as error:   # the page refuses what the notebook shows
        raise Failed("unpublishable", str(error), type(error).__name__, **at) from None
    timing.render_s = time.perf_counter() - began
    return answer, asdict(timing)


def _is_whole(place: Path, params: Params) -> bool:
    names = [page_name(language, language == params.language) for language in params.languages]
    return all((place / name).is_file() for name in (*names, "results.json"))


def _inputs_of(place: Path) -> dict[str, Any] | None:
    """What the report in a place was made from, as its record says."""
    try:
        return json.loads((place / "run.json").read_text("utf-8")).get("inputs")
    except (OSError, ValueError, AttributeError):
        return None


def _answer_of(place: Path) -> str:
    try:
        return json.loads((place / "results.json").read_text("utf-8"))["verdict"]["answer"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
