"""What a machine lacks for reports: one line per check, with what would do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

DISTRIBUTION = "campaign-analysis"
ROOM, COMFORT = 200 * 2**20, 2 * 2**30   # bytes: less cannot do; DuckDB puts down what memory cannot hold
MARKS = {"fine": "ok     ", "note": "note   ", "missing": "MISSING"}
ENGINES = {"postgres": ("PostgreSQL", "psycopg"), "spark": ("Spark", "pyspark")}
BROWSERS = ("chromium", "chromium-browser")
FONT = Path(__file__).parents[1] / "showing" / "fonts" / "NotoSansSC-GB2312.otf"
PINS = Path(__file__).parents[3] / "constraints.txt"   # in a working copy only


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    state: Literal["fine", "note", "missing"]   # a note stops no report
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"; {self.remedy}" if self.remedy else ""
        return f"{MARKS[self.state]} {self.name}: {self.found}{remedy}"


def examined(out: Path, with_kernel: bool = False) -> Iterator[Check]:
    """Every check, in the order in which a setup would be mended.

    out           folder of the reports
    with_kernel   start a kernel too, which takes some seconds
    """
    yield python()
    yield from packages()
    yield folder("reports", out, "say `--out` another folder, or make this one writable")
    yield folder("cache", _cache(), "set CAMPAIGN_CACHE to a folder that is writable; without one, text is read anew "
                                    "each time", is_needed=False)
    yield folder("temporary files", Path(tempfile.gettempdir()), "set TMPDIR to a folder that is writable and has room")
    yield compiled_code()
    yield chinese_font()
    yield kernel(with_kernel)
    yield forks()
    yield zones()
    yield clock(datetime.now(UTC))
    yield from optional()


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Check:
    from packaging.specifiers import SpecifierSet

    asked = metadata.metadata(DISTRIBUTION)["Requires-Python"]
    found = ".".join(map(str, version))
    if _is_in(found, SpecifierSet(asked)):
        return Check("Python", "fine", found)
    return Check("Python", "missing", f"{found}, and {asked} is needed", "make .venv with another Python")


def packages() -> Iterator[Check]:
    """Those that every report needs; and where the pins lie beside the program, which of them differ."""
    from packaging.requirements import Requirement

    def here(lines: Iterable[str]) -> list[Requirement]:
        asked = [Requirement(line) for line in lines]
        return [one for one in asked if one.marker is None or one.marker.evaluate({"extra": ""})]

    needed, remedy = here(metadata.requires(DISTRIBUTION) or ()), "pip install -c constraints.txt -e '.[lab,test]'"
    wrong = [f"{one.name} {_version(one.name) or 'is not there'} (needs {one.specifier or 'any'})"
             for one in needed if not _is_in(_version(one.name), one.specifier)]
    yield Check("packages", "missing", ", ".join(wrong), remedy) if wrong else Check(
        "packages", "fine", f"{len(needed)} that reports need")
    if PINS.is_file():
        pins = here(line for line in PINS.read_text("utf-8").splitlines() if line and not line.startswith(("#", " ")))
        off = [f"{pin.name} {_version(pin.name)}" for pin in pins
               if _version(pin.name) and not _is_in(_version(pin.name), pin.specifier)]
        yield Check("pins", "note", f"{len(off)} not as in {PINS.name}: {', '.join(off[:5])}",
                    f"numbers may differ in their last digits; {remedy}") if off else Check(
            "pins", "fine", f"as in {PINS.name}")


def folder(name: str, path: Path, remedy: str, is_needed: bool = True) -> Check:
    """Whether something can be written there, and how much; the folder itself need not be there yet."""
    place = next(place for place in (path.absolute(), *path.absolute().parents) if place.exists())
    lacking: Literal["note", "missing"] = "missing" if is_needed else "note"
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Check(name, lacking, f"{path} cannot be written ({error.strerror or error})", remedy)
    found = f"{path}, {free / 2**30:.1f} GB free"
    if free < COMFORT:
        return Check(name, lacking if free < ROOM else "note", found, "make room: a run may need some GB")
    return Check(name, "fine", found)


def compiled_code() -> Check:
    """Without a place for it, the counting rules are compiled anew in each run."""
    try:
        from analysis.facts.fold.compiled import FOLDER

        FOLDER.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=FOLDER):
            pass
    except (OSError, ImportError) as error:
        return Check("compiled code", "note", f"cannot be kept ({getattr(error, 'strerror', None) or error})",
                     "each run takes some seconds more; make the folder of the program, or TMPDIR, writable")
    return Check("compiled code", "fine", str(FOLDER))


def chinese_font() -> Check:
    """The font that measures Chinese text in figures, which comes with the program."""
    if not FONT.is_file():
        return Check("Chinese font", "missing", f"{FONT.name} is not where the program is", "install the program again")
    return Check("Chinese font", "fine", FONT.name)


def kernel(is_started: bool = False) -> Check:
    """`python3`, which `--engine kernel`, JupyterLab and papermill by itself need."""
    remedy = "python -m ipykernel install --sys-prefix"
    try:
        from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

        command = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except (ImportError, NoSuchKernel):
        return Check("kernel python3", "missing", "is not known to Jupyter", remedy)
    if command not in ("python", "python3") and not shutil.which(command):
        return Check("kernel python3", "missing", f"{command} is not there", remedy)
    return _started(remedy) if is_started else Check("kernel python3", "fine", "known; `--kernel` starts one")


def _started(remedy: str) -> Check:
    from jupyter_client.manager import start_new_kernel

    try:
        manager, client = start_new_kernel(kernel_name="python3", startup_timeout=60, stderr=subprocess.DEVNULL)
    except (RuntimeError, OSError) as error:
        return Check("kernel python3", "missing", f"does not start ({error})", remedy)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return Check("kernel python3", "fine", "starts")


def forks() -> Check:
    if hasattr(os, "fork"):
        return Check("processes", "fine", "can be forked")
    return Check("processes", "note", "cannot be forked here", "each report starts slower; nothing else changes")


def zones() -> Check:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        at = datetime(2025, 7, 1, tzinfo=ZoneInfo("America/New_York")).utcoffset(), ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Check("time zones", "missing", "no data of time zones", "pip install tzdata")
    return Check("time zones", "fine", f"known, such as {at[1]}")


def clock(now: datetime) -> Check:
    """`campaign monitor` looks at the last day that is over."""
    built = datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)
    if now.year < 2025 or now < built.replace(year=built.year - 1):
        return Check("clock", "missing", f"says {now:%Y-%m-%d %H:%M} UTC, which is before this program was made",
                     "set the clock; or say `--as-of` to `campaign monitor`, and SOURCE_DATE_EPOCH")
    return Check("clock", "fine", f"{now:%Y-%m-%d %H:%M} UTC")


def optional() -> Iterator[Check]:
    """What only some campaigns, or the tests, ask for."""
    for extra, (name, module) in ENGINES.items():
        lacks = [] if find_spec(module) else [f"pip install '{DISTRIBUTION}[{extra}]'"]
        lacks += ["Java"] if extra == "spark" and not (shutil.which("java") or os.environ.get("JAVA_HOME")) else []
        yield Check(name, "note", "cannot be read here", f"for a source there: {' and '.join(lacks)}") if lacks else (
            Check(name, "fine", "can be read"))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    yield Check("Chromium", "fine", browser) if browser else Check(
        "Chromium", "note", "is not there", "only tests of the pages use it: apt install chromium fonts-wqy-microhei")


def _cache() -> Path:
    from analysis.data.converted import folder as cache

    return cache()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _is_in(version: str | None, asked: Any) -> bool:
    """Whether there is a version, and one that is asked for (a `SpecifierSet`)."""
    return version is not None and asked.contains(version, prereleases=True)
