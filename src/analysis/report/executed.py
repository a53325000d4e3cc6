"""Reports of notebooks that something else has run: papermill by itself, a scheduler's operator, a person."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from analysis.params import CampaignError, Problem, load
from analysis.report.batch import run_batch, write_index
from analysis.report.index import NOTEBOOKS
from analysis.report.render import Unfinished, finished
from analysis.report.run import Job, folder_of

PARAMETERS = ("parameters", "injected-parameters")   # tags of the cells that say them; papermill's come later


@dataclass(frozen=True, slots=True)
class Executed:
    """What a notebook says of itself, whether it ran to its end or not."""

    path: Path
    params: Path
    overrides: dict[str, Any]
    kind: str          # a key of NOTEBOOKS; "" is the one of the params file
    language: str


def render_executed(notebooks: Sequence[Path], to: Path | None, languages: Sequence[str],
                    say: Callable[[str], None]) -> int:
    """Make the report as a run does, but for running, and return the exit code. Raises CampaignError.

    notebooks   of one campaign, one for each language
    to          folder of the report; its name in `reports` without one
    languages   that the report must have, the main one first; any without
    """
    job = _job([_read(path) for path in notebooks], to, languages)
    (outcome,) = run_batch([job], say=say)
    if to is None or (job.out / "index.json").is_file():   # another folder need not be one of reports
        write_index(job.out)
    return outcome.code


def _job(found: Sequence[Executed], to: Path | None, languages: Sequence[str]) -> Job:
    main, executed = found[0], {each.language: each.path for each in found}
    for each in found[1:]:
        if _without_language(each) != _without_language(main):
            raise _problem(each.path, f"was run for another report than {main.path}: one report at a time, with one "
                                      "notebook for each language")
    if len(executed) < len(found):
        raise _problem(found[-1].path, f"there are two notebooks in one language ({', '.join(executed)} in all)")
    if languages and set(languages) != set(executed):
        raise _problem(main.path, f"was run in {' and '.join(executed)}, and --lang says {' and '.join(languages)}; "
                                  f"papermill -y '{{overrides: {{languages: [{languages[0]}]}}}}' runs it in another")
    executed = {language: executed[language] for language in languages or executed}
    name = folder_of(main.params.stem, main.kind)
    place = Path("reports", name) if to is None else to if to.name else to.absolute()
    return Job(main.params, place.parent, main.overrides, main.kind, executed=executed, folder=place.name)


def _without_language(one: Executed) -> tuple[Any, ...]:
    return one.params.resolve(), one.kind, {key: value for key, value in one.overrides.items() if key != "languages"}


def _read(path: Path) -> Executed:
    """Raises CampaignError where it is no notebook of a campaign, or its params file cannot be found or read."""
    try:
        notebook = nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise _problem(path, "no such file") from None
    except (OSError, ValueError, AttributeError) as error:
        raise _problem(path, f"is no notebook that can be read: {str(error).splitlines()[0]}") from None
    said = _assigned(notebook)
    if not isinstance(said.get("params_file"), str) or not isinstance(said.get("overrides"), dict):
        raise _problem(path, "is no notebook of a campaign: no cell with the tag `parameters` says params_file and "
                             "overrides")
    params, overrides, kind = _found(path, notebook, said["params_file"]), said["overrides"], _kind(path, notebook)
    purpose = "plan" if kind == "plan" else "report"
    return Executed(path, params, overrides, kind, load(params, overrides, purpose).language)


def _assigned(notebook: NotebookNode) -> dict[str, Any]:
    """Names and literals that the parameters' cells assign."""
    said = {}
    for cell in notebook.cells:
        if cell.cell_type == "code" and {*PARAMETERS} & {*cell.metadata.get("tags", ())}:
            with suppress(SyntaxError):   # a magic; it is no literal
                for line in ast.parse(cell.source).body:
                    if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
                        with suppress(ValueError):
                            said[line.targets[0].id] = ast.literal_eval(line.value)
    return said


def _found(path: Path, notebook: NotebookNode, name: str) -> Path:
    """The params file: papermill runs a notebook where it was called, JupyterLab where the notebook lies."""
    folders = [Path(), path.parent]
    for folder in folders if "papermill" in notebook.metadata else reversed(folders):
        if (folder / name).is_file():
            return folder / name
    raise _problem(path, f"was run for '{name}', which is neither here nor beside it; call `campaign render` from the "
                         "folder where the notebook was run")


def _kind(path: Path, notebook: NotebookNode) -> str:
    """By the results that it handed over; of one that did not get there, by the notebook that it was made from."""
    try:
        named = [finished(notebook).get("notebook", "")]
    except Unfinished:
        named = [Path(notebook.metadata.get("papermill", {}).get("input_path") or "").stem, path.stem]
    return next((name for name in named if name in NOTEBOOKS), "")


def _problem(path: Path, message: str) -> CampaignError:
    return CampaignError([Problem(str(path), None, "", message)])
