"""The page of a run that left no report: what failed, where, and what to do next."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from analysis.report.template import LANG, exporter, frame, span
from analysis.report.traces import without_traces
from analysis.showing.reader import Reader

HEADINGS = {  # status of a run -> what stands in its box, and in the list of campaigns
    "failed": "The last run failed", "refused": "The last run was refused",
    "temporary": "The last run did not finish",
}
MEANINGS = {   # the same; "withheld" where the page must not be shown
    "failed": "This is not a report: the notebook stopped before its end, so nothing of it is shown.",
    "refused": "This is not a report: the params or the data hold mistakes, so none was made.",
    "temporary": "This is not a report: the run was stopped, or something that it needs was not there for the moment. "
                 "Nothing need be wrong with the params.",
    "withheld": "This is not a report: the notebook ran, but what it shows must not be read by others, so nothing of "
                "it is shown.",
}
KINDS = (  # kind -> what its error says; the first that fits
    ("disk", r"No space left|ENOSPC|Errno 28\b|disk (?:is )?full|DiskFull"),
    ("memory", r"MemoryError|OutOfMemory|out of memory|Cannot allocate"),
    ("time", r"Timeout|timed out"),
    ("kernel", r"DeadKernel|kernel (?:died|stopped)"),
    ("data", r"CampaignError"),
    ("notebook", r"Unfinished|hand over the results|SystemExit|NameError|SyntaxError|IndentationError|ImportError|"
                 r"ModuleNotFoundError"),
)
REMEDIES = {
    "refused": (
        "Mend what is listed above; each line names the file, the place and what would do.",
        "“campaign validate” checks the same without running anything.",
    ),
    "temporary": ("Nothing has to be mended here first: run the campaign again later.",
                  "If it fails again, see whether the server or the disk named above can be reached and has room."),
    "data": ("The data or the params changed between the check and the run, or hold what only shows while counting.",
             "“campaign validate” says what is wrong; when it is content, run the campaign again."),
    "memory": ("The run needed more memory than there was. Run fewer things beside it, or on a machine with more.",
               "Fewer segments and breakdowns, and a shorter time before and after, need less."),
    "kernel": ("The process that counts was ended from outside: most often the memory was full, or someone stopped it.",
               "Run the campaign again; if it ends at the same place, with more memory."),
    "time": ("One cell took longer than it may. Was the machine busy, or a database slow? Then run it again.",
             "If it is the amount of data: fewer segments and breakdowns, or a shorter time, take less."),
    "disk": (
        "The disk is full. Make room where the reports and the temporary files lie, then run the campaign again.",),
    "notebook": ("The notebook does not run to its end as it is: was it edited, or is a package missing?",
                 "Put the notebook back as it came with the program, or mend the cell named above."),
    "unpublishable": (
        "The page would have shown what must not leave: a secret, a name or a path. What is named above has to go from "
        "the params or the data, or be renamed.",),
    "stopped": ("The run was told to stop before it was over. Run the campaign again.",),
    "other": ("Open the notebook that was kept, run it up to the cell named above and look at what it holds.",
              "“campaign validate” says whether the params and the data are in order."),
}


OF_KIND = {  # kind of `run.json` -> what to do, where that kind alone says so
    "refused": "refused", "time_out": "time", "unfinished": "notebook", "unpublishable": "unpublishable",
    "ended": "kernel", "stopped": "stopped", "disk_full": "disk", "unreachable": "temporary", "busy": "temporary",
}


def kind_of(record: dict[str, Any]) -> str:
    """A key of REMEDIES: what went wrong, as far as the error tells."""
    if record.get("kind") in OF_KIND:
        return OF_KIND[record["kind"]]
    if record["status"] == "refused":
        return "refused"
    said = f"{record['error']}: {record['message']}"
    unknown = "temporary" if record["status"] == "temporary" else "other"
    return next((kind for kind, pattern in KINDS if re.search(pattern, said, re.I)), unknown)


def failure_page(record: dict[str, Any], reader: Reader, folder: str = "", *, has_report: bool = False,
                 has_notebook: bool = False) -> str:
    """One page without script, in the reader's language; everything from the record comes out as text.

    record        what `run.json` of a failed run holds
    folder        of the campaign's reports, which lies beside that of this page; its name stands for a missing title
    has_report    whether a good report is in it
    has_notebook  whether the notebook, as far as it got, lies beside the page
    """
    campaign, kind = record["campaign"] or {}, kind_of(record)
    heading = reader.say(HEADINGS[record["status"]])
    said = without_traces(str(record["message"]))
    return exporter().environment.get_template("failed.html.j2").render(resources={
        **frame(reader), "title": campaign.get("title") or folder or heading, "heading": heading, "campaign": campaign,
        "title_lang": LANG.get(campaign.get("language", "")), "status": record["status"],
        "period": span(campaign["period"], reader) if campaign.get("period") else "",
        "meaning": reader.say(MEANINGS["withheld" if kind == "unpublishable" else record["status"]]),
        "place": _place(record, reader),
        "problems": [line for line in said.splitlines() if line.strip()] if record["status"] == "refused" else [],
        "message": said if kind in OF_KIND.values() or said.startswith(record["error"]) else
        f"{record['error']}: {said}",
        "remedies": [reader.say(remedy) for remedy in REMEDIES[kind]],
        "report": f"../{quote(folder, safe='')}/report.html" if has_report else "", "has_notebook": has_notebook,
        "at": _moment(record["at"], reader)})


def _place(record: dict[str, Any], reader: Reader) -> str:
    """Where the notebook stopped; "" where it did not begin."""
    if record["status"] == "refused" or not record["cells"]:
        return ""
    if not record["cell"]:
        return reader.say("It stopped before the first of {cells} cells.", cells=record["cells"])
    if not record["heading"]:
        return reader.say("It stopped in cell {cell} of {cells}.", cell=record["cell"], cells=record["cells"])
    return reader.say("It stopped in cell {cell} of {cells}, in the part “{heading}”.", cell=record["cell"],
                      cells=record["cells"], heading=record["heading"])


def _moment(text: str, reader: Reader) -> str:
    at = datetime.fromisoformat(text)
    return reader.say("{at} ({zone})", at=reader.moment(at), zone=reader.time_zone) if at.tzinfo else str(at)
