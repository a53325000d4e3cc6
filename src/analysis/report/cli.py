"""The command `campaign`."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from analysis.params.problem import CampaignError

ALREADY_TOLD = 2


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="campaign-analysis")
def main() -> None:
    """Campaign analysis: a params file goes in, one report that a reviewer can trust comes out."""
    # pandas tells library authors of its next release; nothing that a user of this command can do
    warnings.filterwarnings("ignore", message=".*", category=FutureWarning)
    warnings.filterwarnings("ignore", message=".*", category=DeprecationWarning)


@main.command()
@click.argument("params", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="reports", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the reports.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Override a key of the params, such as period.end=2025-11-12. May be repeated.")
def run(params: tuple[Path, ...], out: Path, settings: tuple[str, ...]) -> None:
    """Make the report of each campaign: PARAMS are files, or folders of them."""
    from analysis.report.run import run_all

    sys.exit(_or_problems(lambda: run_all(params, out, _overrides(settings), _progress, _say)))


@main.command()
@click.argument("params", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", default="reports", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the reports.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE",
              help="Override a key of the params, such as plan.effect=5%. May be repeated.")
def plan(params: tuple[Path, ...], out: Path, settings: tuple[str, ...]) -> None:
    """Say before a campaign runs what it will be able to see: PARAMS are files, or folders of them."""
    from analysis.report.run import run_all

    sys.exit(_or_problems(lambda: run_all(params, out, _overrides(settings), _progress, _say, notebook="plan")))


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
    from analysis.report.run import campaign_files, check

    overrides = _overrides(settings)

    def one(path: Path) -> int:
        check(path, overrides)
        _say(f"{path}: fine")
        return 0

    sys.exit(_or_problems(lambda: max([_or_problems(partial(one, path)) for path in campaign_files(params)])))


@main.command()
@click.argument("params", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as-of", default="", metavar="DAY", help=(
    "Last day (or moment) that counts, such as 2025-11-12; rows after it are not used. Without it: the last day that "
    "is over by now."))
@click.option("--out", default="reports", show_default=True, type=click.Path(path_type=Path, file_okay=False),
              help="Folder of the reports.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Override a key of the params.")
def monitor(params: tuple[Path, ...], as_of: str, out: Path, settings: tuple[str, ...]) -> None:
    """Look at campaigns while they run: stop, go on, or is something broken? PARAMS are files, or folders of them.

    Exit code 0: go on; 10: it can stop (decided, or the period is over); 20: something is broken; 2 and 3 as for run.
    """
    from analysis.params.values import parse_moment
    from analysis.report import monitor as watching

    try:
        if as_of:
            parse_moment(as_of)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--as-of") from None
    sys.exit(_or_problems(
        lambda: watching.monitor(params, out, _overrides(settings), as_of, _progress, _say)))


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


def _overrides(settings: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise click.BadParameter(f"'{setting}' is not KEY=VALUE, such as period.end=2025-11-12", param_hint="--set")
        found[key] = value
    return found


def _progress(name: str) -> Any:
    """A line per cell; on a terminal one line that is written over."""
    is_terminal = sys.stderr.isatty()

    def tell(cell: int, cells: int, heading: str) -> None:
        line = f"{name}: cell {cell} of {cells}" + (f" · {heading}" if heading else "")
        if is_terminal:
            click.echo(f"\r\033[K{line[:100]}", nl=cell == cells, err=True)
        else:
            click.echo(line, err=True)

    return tell


def _say(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
