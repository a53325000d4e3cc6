"""How a run ends: in codes that a scheduler can act on, and in words that a person can."""

from __future__ import annotations

import errno
from dataclasses import asdict, dataclass
from typing import Any

from analysis.params.problem import CampaignError

OK, BAD_PARAMS, FAILED, TEMPORARY = 0, 2, 3, 75
WORST = (FAILED, BAD_PARAMS, TEMPORARY)   # of a batch: what lasts counts before what may be gone tomorrow
CODES = {
    "refused": BAD_PARAMS,      # the params or the data
    "cell": FAILED,             # an exception in a cell
    "time_out": FAILED,         # of a cell or the run
    "unfinished": FAILED,       # the last cell did not hand over the results
    "unpublishable": FAILED,    # the page holds what must not leave
    "broken": FAILED,           # a mistake of this program
    "ended": TEMPORARY,         # the process or its kernel died: memory, a signal
    "stopped": TEMPORARY,       # the batch was told to end
    "disk_full": TEMPORARY,
    "unreachable": TEMPORARY,   # a server
    "busy": TEMPORARY,          # another run makes this report
}
VERDICTS = {   # answer of a report -> in words
    "works": "It works", "does_not": "It does not work",
    "cannot_tell": "It cannot be told", "do_not_trust": "Do not trust the numbers",
    "feasible": "The wished effects can be seen", "not_feasible": "A wished effect cannot be seen",
    "go_on": "Go on", "stop": "Decided: it can stop", "broken": "Something is broken", "over": "The period is over",
    "compared": "Experiments compared", "editions": "Editions compared",
}
AGAIN = ("ended", "unreachable")   # worth a second try at once


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one campaign ended."""

    name: str
    code: int
    message: str
    seconds: float = 0.0
    answer: str = ""              # the verdict's, as `results.json` has it
    is_unchanged: bool = False    # nothing had to be made
    kind: str = ""                # a key of CODES where it failed


@dataclass
class Failed(Exception):
    """No report was made: why, and in which cell."""

    kind: str             # a key of CODES
    message: str
    error: str = ""       # name of the exception
    cell: int = 0         # from 1; 0 before the first
    cells: int = 0
    heading: str = ""     # that the cell stands under, in the reader's language
    is_of_command: bool = False   # what was asked for on the command line is wrong, and the campaign may be fine

    @property
    def code(self) -> int:
        return CODES[self.kind]

    @property
    def where(self) -> str:
        if not self.cell:
            return "before the first cell"
        return f"in cell {self.cell} of {self.cells}" + (f" ({self.heading})" if self.heading else "")

    def __str__(self) -> str:
        if self.kind in ("refused", "busy", "unpublishable"):
            return self.message
        return f"{self.where}: {self.message}"

    def record(self) -> dict[str, Any]:
        """As `run.json` of a failed run has it."""
        status = {BAD_PARAMS: "refused", TEMPORARY: "temporary"}.get(self.code, "failed")
        own = {key: value for key, value in asdict(self).items() if key != "is_of_command"}
        return {"status": status, "code": self.code, **own}


def failure_of(error: Exception) -> Failed:
    """Any exception as a failure of the run: a full disk may have room tomorrow, all else lasts."""
    name = type(error).__name__
    if isinstance(error, Failed):
        return error
    if isinstance(error, CampaignError):
        return Failed("refused", str(error), name,
                      is_of_command=any(problem.where.startswith("--set") for problem in error.problems))
    if isinstance(error, OSError):
        kind = "disk_full" if error.errno == errno.ENOSPC else "unpublishable"
        return Failed(kind, f"{error.filename or 'the report'} cannot be written: {error.strerror or error}", name)
    return Failed("broken", f"{name}: {error}", name)


def worst(codes: list[int]) -> int:
    """The exit code of a batch."""
    return next((code for code in WORST if code in codes), OK)
