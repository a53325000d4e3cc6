"""The command `campaign`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.params.problem import CampaignError
from analysis.report.outcome import Failed

if TYPE_CHECKING:   # the help must come at once
    from analysis.report.batch import Batch
    from analysis.report.run import Job

ALREADY_TOLD = 2
ENGINES = ("process", "kernel")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="campaign-analysis")
def main() -> None:
    """Campaign analysis: a params file goes in, one report that a reviewer can trust comes out."""
    # pandas tells library authors of its next release; nothing that a user of this command can do
    warnings.filterwarnings("ignore", message=".*", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*", category=DeprecationWarning)


def _batch(command: Callable[..., None]) -> Callable[..., None]:
    """The options of commands that make many reports; they come as `asked`."""
    options = [
        click.argument("params", nargs=-1, required=True, type=click.Path(path_type=Path)),
        click.option("--out", default="reports", show_default=True, type=click.Path(path_type=Path, file_okay=False),
                     help="Folder of the reports."),
        click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
                     help="Override a key of the params, such as period.end=2025-11-12. May be repeated."),
        click.option("--lang", metavar="en,zh", help="Languages of the reports, the main one first; the params' own "
                                                     "when not said."),
        click.option("--jobs", "-j", type=click.IntRange(1), default=1, show_default=True,
                     help="Reports made at a time."),
        click.option("--force", is_flag=True, help="Make reports too of which nothing has changed."),
        click.option("--only", type=click.Choice(["failed"]), help=(
            "Those whose last run failed, or that have no report yet.")),
        click.option("--shard", metavar="I/N", callback=_shard, help=(
            "The I-th of N parts, for N machines that are given the same PARAMS.")),
        click.option("--engine", type=click.Choice(ENGINES), default=ENGINES[0], show_default=True, help=(
            "Where notebooks run: a process each, or a Jupyter kernel each, which takes longer.")),
        click.option("--cell-timeout", type=click.FloatRange(0, min_open=True), default=1800, show_default=True,
                     metavar="SECONDS", help="Time that one cell may take."),
        click.option("--timeout", type=click.FloatRange(0, min_open=True), default=3600, show_default=True,
                     metavar="SECONDS", help="Time that one report may take, in each of its languages."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _shard(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int]:
    if value is None:
        return 1, 1
    i, slash, n = value.partition("/")
    if not (slash and i.isdecimal() and n.isdecimal() and 1 <= int(i) <= int(n)):
        raise click.BadParameter(f"'{value}' is not I/N with I from 1 to N, such as 2/8")
    return int(i), int(n)


def _as_of(_: click.Context, __: click.Parameter, value: str) -> str:
    from analysis.params.values import parse_moment

    try:
        if value:
            parse_moment(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    return value


def _run(asked: dict[str, Any], notebook: str = "") -> int:
    from analysis.report.batch import campaign_files, is_for, run_all

    jobs = []
    for path in campaign_files(asked["params"]):
        if is_for(notebook, path):
            jobs.append(_job(asked, path, _overrides(asked["settings"], asked["lang"]), notebook))
        else:
            _say(f"{path}: left out: the notebook {notebook} is not for this kind of params file")
    return run_all(jobs, _part(asked), _say) if jobs else ALREADY_TOLD


def _job(asked: dict[str, Any], path: Path, overrides: dict[str, str], notebook: str) -> Job:
    from analysis.report.apart import Limits
    from analysis.report.run import Job

    return Job(path, asked["out"], overrides, notebook, asked["engine"], asked["force"],
               Limits(asked["cell_timeout"], asked["timeout"]))


def _part(asked: dict[str, Any]) -> Batch:
    from analysis.report.batch import Batch

    return Batch(asked["jobs"], asked["only"] or "", asked["shard"])


@main.command()
@_batch
def run(**asked: Any) -> None:
    """Make the report of each campaign: PARAMS are files, or folders of them.

    What was made from the same params, data and program is left as it is. Exit code 0: all is well; 2: params or data
    are wrong; 3: a notebook failed; 75: try again later.
    """
    sys.exit(_or_problems(lambda: _run(asked)))


@main.command()
@_batch
def plan(**asked: Any) -> None:
    """Say before a campaign runs what it will be able to see: PARAMS are files, or folders of them."""
    sys.exit(_or_problems(lambda: _run(asked, "plan")))


@main.command()
@click.argument("params", type=click.Path(path_type=Path))
@click.option("--salt", default="", help="Text that the draw hangs on; the params' own, or the campaign's name, "
                                         "when not said.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False),
              help="File to write, .csv or .parquet; that of `assignments:` when not said.")
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key of the params.")
def assign(params: Path, salt: str, to: Path | None, force: bool, settings: tuple[str, ...]) -> None:
    """Draw the arms of a campaign before it runs, check them on the time before and write them to a file."""
    from analysis.report.assign import assign_arms

    sys.exit(_or_problems(lambda: assign_arms(params, _overrides(settings), salt, to, force, _say)))


@main.command()
@click.argument("params", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key of the params.")
def validate(params: tuple[Path, ...], settings: tuple[str, ...]) -> None:
    """Check params and data without running anything: PARAMS are files, or folders of them."""
    from analysis.report.batch import campaign_files, check

    overrides = _overrides(settings)

    def one(path: Path) -> int:
        check(path, overrides)
        _say(f"{path}: fine")
        return 0

    sys.exit(_or_problems(lambda: max([_or_problems(partial(one, path)) for path in campaign_files(params)])))


@main.command()
@_batch
@click.option("--as-of", default="", metavar="DAY", callback=_as_of, help=(
    "Last day (or moment) that counts, such as 2025-11-12; rows after it are not used. Without it: the last day that "
    "is over by now."))
def monitor(**asked: Any) -> None:
    """Look at campaigns while they run: stop, go on, or is something broken? PARAMS are files, or folders of them.

    Exit code 0: go on; 10: it can stop (decided, or the period is over); 20: something is broken; 2, 3 and 75 as for
    run.
    """
    from analysis.report.batch import campaign_files, run_all
    from analysis.report.monitor import CODES, watched
    from analysis.report.outcome import worst

    def work() -> int:
        overrides = _overrides(asked["settings"], asked["lang"])
        own, code = watched(campaign_files(asked["params"]), overrides, asked["as_of"], _say)
        jobs = [_job(asked, path, each, "monitor") for path, each in own]
        codes = [code, run_all(jobs, _part(asked), _say, CODES) if jobs else 0]
        return worst(codes) or max(codes)   # what failed counts before any answer

    sys.exit(_or_problems(work))


@main.command()
@click.argument("notebooks", metavar="OUT.ipynb...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the report; reports/ and the campaign's name when not said.")
@click.option("--lang", metavar="en,zh", help="Languages that the report must have, the main one first.")
def render(notebooks: tuple[Path, ...], to: Path | None, lang: str | None) -> None:
    """Make the report of a campaign from its notebook, which papermill, Airflow or JupyterLab has run.

    One notebook for each language of the report, the main one first. Exit codes as for run: 3 is a notebook that did
    not run to its end.
    """
    from analysis.report.executed import render_executed

    languages = [part.strip() for part in lang.split(",")] if lang else []
    sys.exit(_or_problems(lambda: render_executed(notebooks, to, languages, _say)))


@main.command()
@click.argument("before", type=click.Path(path_type=Path))
@click.argument("now", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff(before: Path, now: Path, as_json: bool) -> None:
    """Say what changed between two reports, and what can no longer be compared: folders, or their results.json."""
    from analysis.report.diff import diff as differ

    def work() -> int:
        click.echo(differ(before, now, as_json))
        return 0

    sys.exit(_or_problems(work))


@main.command()
@click.option("--out", default="reports", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the reports.")
@click.option("--kernel", is_flag=True, help="Start a Jupyter kernel too, which takes some seconds.")
def doctor(out: Path, kernel: bool) -> None:
    """Say what this machine lacks for reports, and what would do. Exit code 1 if something is missing."""
    from analysis.report.doctor import examined

    states = []
    for check in examined(out, kernel):
        click.echo(str(check))
        states.append(check.state)
    sys.exit(1 if "missing" in states else 0)


@main.command()
@click.argument("name")
@click.option("--dir", "folder", default="params", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the params files.")
def new(name: str, folder: Path) -> None:
    """Write a commented params file to start from: NAME becomes the campaign's and the report's name."""
    from analysis.params.new import write_new

    def write() -> int:
        path = write_new(name, folder)
        _say(f"{path}: fill it in, then `campaign validate {path}` and `campaign run {path}`")
        return 0

    sys.exit(_or_problems(write))


def _or_problems(work: Callable[[], int]) -> int:
    try:
        return work()
    except CampaignError as error:
        _say(str(error))
        return ALREADY_TOLD
    except Failed as failure:   # to do with no campaign: the list of reports is busy
        _say(str(failure))
        return failure.code


def _overrides(settings: tuple[str, ...], lang: str | None = None) -> dict[str, str]:
    found = {"languages": f"[{lang}]"} if lang else {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"'{setting}' is not KEY=VALUE, such as period.end=2025-11-12", param_hint="--set")
        found[key] = value
    return found


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
