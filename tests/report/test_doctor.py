"""What is missing on a machine is said, with what would do; what is only wished for stops nothing."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from analysis.report import doctor
from analysis.report.cli import main


def states(found):
    return {check.name: check.state for check in found}


def test_this_machine_can_make_reports(tmp_path):
    done = CliRunner().invoke(main, ["doctor", "--out", str(tmp_path / "reports")])
    assert done.exit_code == 0, done.output
    lines = done.output.splitlines()
    assert len(lines) >= 13 and all(line.startswith(("ok ", "note ")) for line in lines)
    assert not (tmp_path / "reports").exists()      # to look is not to make


def test_what_is_missing_decides_the_exit_code(monkeypatch):
    monkeypatch.setattr(doctor, "FONT", Path("nowhere.otf"))
    done = CliRunner().invoke(main, ["doctor"])
    assert done.exit_code == 1
    assert "MISSING Chinese font: nowhere.otf is not where the program is; install the program again" in done.output


@pytest.mark.parametrize(("version", "state"), [((3, 10, 9), "missing"), ((3, 11, 0), "fine"), ((3, 13, 4), "fine"),
                                                ((3, 14, 0), "missing")])
def test_python_is_held_against_what_the_package_asks_for(version, state):
    assert doctor.python(version).state == state


def test_packages_that_are_old_or_gone_are_named_and_pins_are_noted(monkeypatch):
    own = doctor._version
    monkeypatch.setattr(doctor, "_version", lambda name: {"duckdb": "0.9", "scipy": None}.get(name, own(name)))
    packages, pins = doctor.packages()
    assert packages.state == "missing"
    assert "duckdb 0.9 (needs " in packages.found and "scipy is not there" in packages.found
    assert pins.state == "note" and "duckdb 0.9" in pins.found and "scipy" not in pins.found
    monkeypatch.setattr(doctor, "PINS", Path("nowhere.txt"))
    assert [check.name for check in doctor.packages()] == ["packages"]


def test_a_folder_that_cannot_be_written_or_is_full_is_missing(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    assert doctor.folder("reports", tmp_path / "a" / "b", "elsewhere").state == "fine"
    usage = type("Usage", (), {"free": 2**20})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert doctor.folder("reports", tmp_path, "elsewhere").state == "missing"
    usage.free = doctor.ROOM + 1
    assert doctor.folder("reports", tmp_path, "elsewhere").state == "note"
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert str(doctor.folder("reports", tmp_path, "elsewhere")) == (
        f"MISSING reports: {tmp_path} cannot be written (Permission denied); elsewhere")
    assert doctor.folder("cache", tmp_path, "elsewhere", is_needed=False).state == "note"
    assert doctor.compiled_code().state == "note"


def test_a_file_where_the_folder_should_be_is_told(tmp_path):
    (tmp_path / "reports").write_text("", "utf-8")
    assert doctor.folder("reports", tmp_path / "reports" / "x", "elsewhere").state == "missing"


def test_a_kernel_is_known_and_starts(tmp_path, monkeypatch):
    assert doctor.kernel(is_started=True).found == "starts"
    from jupyter_client import kernelspec, manager

    def dead(**_):
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(manager, "start_new_kernel", dead)
    assert doctor.kernel(is_started=True).state == "missing"

    def unknown(self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", unknown)
    assert "python -m ipykernel install" in str(doctor.kernel())


def test_engines_and_the_browser_are_only_wished_for(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda _: None)
    monkeypatch.setattr(doctor.shutil, "which", lambda _: None)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    found = list(doctor.optional())
    assert set(states(found).values()) == {"note"}
    assert "pip install 'campaign-analysis[spark]' and Java" in str(found[1])


def test_a_machine_without_fork_zones_or_time_is_told(monkeypatch):
    import zoneinfo

    monkeypatch.delattr(os, "fork")
    assert doctor.forks().state == "note"
    assert doctor.clock(datetime(1970, 1, 1, tzinfo=UTC)).state == "missing"

    def no_data(name):
        raise zoneinfo.ZoneInfoNotFoundError(name)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", no_data)
    assert doctor.zones().remedy == "pip install tzdata"


def test_it_looks_without_starting_what_reports_need():
    look = ("import sys, analysis.report.doctor as d; list(d.examined(d.Path('reports')));"
            "print({'papermill', 'matplotlib', 'pyspark'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
