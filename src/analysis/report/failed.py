"""What is left of a run that made no report, beside the last good one: a page, a record, the notebook so far."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.params import Campaign, Params
from analysis.report.outcome import Failed
from analysis.report.published import as_json, shareable, write

if TYPE_CHECKING:
    from analysis.report.run import Job


def failed_folder(place: Path) -> Path:
    """Where it is said of a report why its last run failed."""
    return place.with_name(f"{place.name}.failed")


def keep(notebook: Path, folder: Path, job: Job, params: Params) -> None:
    """The notebook as far as it got, for who looks for the fault; not if it holds what must not be published."""
    import nbformat

    from analysis.report.scan import findings
    from analysis.report.traces import without_traces

    try:
        tree = shareable(notebook, job.params, folder, job.overrides)
    except (OSError, ValueError):   # none, or cut off while it was written
        return
    for error in (output for cell in tree.cells for output in cell.get("outputs", ()) if output.output_type == "error"):
        error.evalue, error.traceback = without_traces(error.evalue), [without_traces(line) for line in error.traceback]
    text = nbformat.writes(tree)
    if not findings({"notebook.ipynb": text}, params):
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "notebook.ipynb", text)


def tell_of(failure: Failed, job: Job, params: Params | None, place: Path) -> None:
    """The page and the record of a failure, where there is a campaign to speak of and somewhere to write."""
    if failure.kind == "busy" or failure.is_of_command or not job.params.is_file():
        return
    from analysis.report.failure import failure_page
    from analysis.report.scan import findings
    from analysis.report.traces import without_traces
    from analysis.showing.reader import Reader

    reader, said = Reader(params.language if params else "en"), without_traces(failure.message)
    if findings({"": said}, params):
        said = reader.say("What it says is not published: it holds a secret or what tells of a person.")
    record = failure.record() | {"message": said, "at": _now().isoformat(timespec="seconds"),
                                 "campaign": params and _about(params, place.name)}
    folder = failed_folder(place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "run.json", as_json(record))
        write(folder / "report.html", failure_page(
            record, reader, place.name, has_report=place.exists(),
            has_notebook=(folder / "notebook.ipynb").exists()))
    except OSError:
        return   # a full disk: what was said on the terminal has to do


def _about(params: Params, name: str) -> dict[str, Any]:
    """What the page and the list say of the campaign; not what holds a secret, which the params may by mistake."""
    from analysis.report.scan import findings

    def clean(text: str, instead: str) -> str:
        return instead if findings({"": text}, params) else text

    series = params.series if isinstance(params, Campaign) else None
    return {"title": clean(params.text(params.title, params.language), name), "owner": clean(params.owner or "", ""),
            "language": params.language, "series": clean(series.name, "") if series else "",
            "edition": clean(series.edition, "") if series else "",
            "period": {"start": str(params.period.start), "end": str(params.period.end)}
            if isinstance(params, Campaign) else {}}


def _now() -> datetime:
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    return datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
