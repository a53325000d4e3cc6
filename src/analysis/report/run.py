"""One params file from check to report; what is there stays until something better is whole."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from analysis.params import Campaign, Editions, Experiments, Params, load
from analysis.report.apart import Limits, Tell, apart, may_fork
from analysis.report.editions import looks_in, made_of_editions
from analysis.report.inputs import inputs, is_same
from analysis.report.outcome import OK, Failed, Outcome, failure_of
from analysis.report.place import claimed, swap


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


def refusal(job: Job) -> Outcome | None:
    """What is said of params that nothing can be made from; None for good ones. Nothing is written."""
    try:
        _params(job)
    except Exception as error:
        failure = failure_of(error)
        return Outcome(job.params.stem, failure.code, str(failure), kind=failure.kind)
    return None


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
        _tell_of(failure, job, params, place)
        kept = "\n  the last good report is unchanged" if place.exists() else ""
        words = str(failure) if failure.kind == "refused" else f"{name}: FAILED: {failure}{kept}"
        return Outcome(name, failure.code, words, kind=failure.kind)
    seconds = time.perf_counter() - began
    if not answer:
        return Outcome(name, OK, f"{name}: unchanged", seconds, _answer_of(place), is_unchanged=True)
    from analysis.report.index import VERDICTS

    _remove(failed_folder(place))
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
    try:
        for language in languages:
            page = partial(_page, job, notebook, new, place, beside, language, language == languages[0])
            answer, timing = apart(page, tell, job.limits, stopping)
            timings.append(timing)
        total = {key: sum((own[key] for own in timings), start=type(timings[0][key])()) for key in timings[0]}
        write(new / "run.json", _json({
            "status": "ok", "seconds": time.perf_counter() - began, "overrides": _public(job.overrides), **total,
            "inputs": made_from}))
        refuse(new, params)
        swap(new, place, work)
    except Failed as failure:
        if failure.error != "Unsafe":
            _keep(work / "notebook.ipynb", failed_folder(place), job, params)
        raise
    return answer


def _page(job: Job, notebook: Path, new: Path, place: Path, beside: dict[str, str], language: str, is_main: bool,
          tell: Tell) -> tuple[str, dict[str, Any]]:
    """In a process of its own: one language of the report into the folder `new`; the answer, and what took how long."""
    from analysis.report.execute import Timing, execute
    from analysis.report.render import Unfinished
    from analysis.report.scan import refuse

    timing, executed, at = Timing(), new.parent / "notebook.ipynb", {}

    def telling(*cell: Any) -> None:
        at.update(zip(("cell", "cells", "heading"), cell, strict=True))
        tell(*cell)

    executed.unlink(missing_ok=True)   # of another language, which went well
    if job.executed:
        shutil.copyfile(job.executed[language], executed)
    else:
        execute(job.params, executed, {**job.overrides, **beside, "languages": [language]}, telling, timing, notebook,
                job.engine if may_fork() else "kernel", job.limits.cell)
    began = time.perf_counter()
    try:
        answer = _publish(_shareable(executed, job.params, place, job.overrides), new, language, is_main)
        refuse(new, _params(job), with_ids=True)
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


def failed_folder(place: Path) -> Path:
    """Where it is said of a report why its last run failed."""
    return place.with_name(f"{place.name}.failed")


def _keep(notebook: Path, folder: Path, job: Job, params: Params) -> None:
    """The notebook as far as it got, for who looks for the fault; not if it holds what must not be published."""
    import nbformat

    from analysis.report.scan import findings
    from analysis.report.template.traces import without_traces

    try:
        tree = _shareable(notebook, job.params, folder, job.overrides)
    except (OSError, ValueError):   # none, or cut off while it was written
        return
    for error in (output for cell in tree.cells for output in cell.get("outputs", ()) if output.output_type == "error"):
        error.evalue, error.traceback = without_traces(error.evalue), [without_traces(line) for line in error.traceback]
    text = nbformat.writes(tree)
    if not findings({"notebook.ipynb": text}, params):
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "notebook.ipynb", text)


def _tell_of(failure: Failed, job: Job, params: Params | None, place: Path) -> None:
    """The page and the record of a failure, where there is a campaign to speak of and somewhere to write."""
    if failure.kind == "busy" or not job.params.is_file():
        return
    from analysis.report.failure import failure_page
    from analysis.report.scan import findings
    from analysis.report.template.traces import without_traces
    from analysis.showing.reader import Reader

    said = without_traces(failure.message)
    if findings({"": said}, params):
        said = "what it says is not published: it holds a secret or what tells of a person"
    record = failure.record() | {
        "message": said, "at": _now().isoformat(timespec="seconds"), "campaign": params and {
            "title": params.text(params.title, params.language), "owner": params.owner, "language": params.language,
            "period": {"start": str(params.period.start), "end": str(params.period.end)}
            if isinstance(params, Campaign) else {}}}
    folder = failed_folder(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "run.json", _json(record))
        write(folder / "report.html", failure_page(
            record, Reader(params.language if params else "en"), place.name, has_report=place.exists(),
            has_notebook=(folder / "notebook.ipynb").exists()))
    except OSError:
        return   # a full disk: what was said on the terminal has to do


def _now() -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)


def page_name(language: str, is_main: bool) -> str:
    return "report.html" if is_main else f"report.{language}.html"


def _publish(clean: Any, folder: Path, language: str, is_main: bool) -> str:
    """Write the page; in the main language the notebook, the tables and the results too. Raises ValueError.

    Returns the answer of the verdict.
    """
    import nbformat

    from analysis.report.render import render

    page = render(clean, language=language)
    write(folder / page_name(language, is_main), page.html)
    if is_main:
        nbformat.write(clean, folder / "notebook.ipynb")
        write(folder / "results.json", _json(page.results))
        for name, text in page.tables.items():
            write(folder / "tables" / f"{name}.csv", text)
    return page.results["verdict"]["answer"]


def _shareable(notebook: Path, params: Path, folder: Path, overrides: dict[str, Any]) -> Any:
    """The executed notebook without times, machine paths and papermill's notes; it runs again from where it lies."""
    import nbformat


    tree = nbformat.read(notebook, as_version=4)
    tree.metadata.pop("papermill", None)
    by_papermill = any("injected-parameters" in cell.metadata.get("tags", []) for cell in tree.cells)
    there = Path(os.path.relpath(params.resolve(), folder.resolve()))
    if there.parts.count("..") > 2:  # not beside the reports: a path from there would tell of this machine
        there = Path(params.name)
    for i, cell in enumerate(tree.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        cell.metadata.pop("jupyter", None)   # a notebook run as a report has its code hidden
        cell["id"] = f"cell-{i + 1:02d}"   # papermill draws a random one for what it injects
        if ("injected-parameters" if by_papermill else "parameters") in cell.metadata.get("tags", []):
            cell.source = f'params_file = "{there.as_posix()}"\noverrides = {_public(overrides)!r}'
        if "outputs" in cell:
            cell.outputs = streams_together(cell.outputs)
    return tree


def streams_together(outputs: list[Any]) -> list[Any]:
    """What was printed between two displays, stdout and stderr apart: a kernel sends them in no certain order."""
    from analysis.report.template.traces import without_traces

    found: list[Any] = []
    for output in outputs:
        if output.output_type != "stream":
            found.append(output)
            continue
        text = without_traces(output.text)
        since = next((i for i in range(len(found), 0, -1) if found[i - 1].output_type != "stream"), 0)
        same = next((other for other in found[since:] if other.name == output.name), None)
        if same:
            same.text += text
        else:
            found.append(output)
            output.text = text
            found[since:] = sorted(found[since:], key=lambda stream: stream.name, reverse=True)   # stdout first
    return found


def _public(overrides: dict[str, Any]) -> dict[str, str]:
    """What was overridden, without this machine's folders."""
    from analysis.report.template.traces import without_traces

    return {key: without_traces(str(value)) for key, value in overrides.items()}


def _json(tree: Any) -> str:
    return json.dumps(tree, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def write(path: Path, text: str) -> None:
    """As UTF-8, line ends as they are."""
    path.write_text(text, encoding="utf-8", newline="")
