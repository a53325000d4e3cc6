"""What is generated is fresh, what is pinned fits, and nothing names a machine."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import lock  # noqa: E402


def pins() -> dict[str, list[Requirement]]:
    found: dict[str, list[Requirement]] = {}
    for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            found.setdefault(pin.name.lower(), []).append(pin)
    return found


@pytest.mark.parametrize("path", sorted(lock.generated()))
def test_generated_files_are_fresh(path):
    assert (ROOT / path).read_text("utf-8") == lock.generated()[path], "run `make lock`"


def test_every_requirement_is_pinned_to_a_version_that_it_allows():
    pinned = pins()
    for name, text in lock.requirements().items():
        wanted = Requirement(text)
        assert name in pinned, f"{name} has no pin; run `make lock`"
        for pin in pinned[name]:
            (exact,) = pin.specifier
            assert exact.operator == "==" and wanted.specifier.contains(exact.version), f"{pin} is not {wanted}"


def test_conda_names_only_pins_and_the_package_itself():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python, pip, by_pip = environment["dependencies"]
    assert re.fullmatch(r"python=3\.1[123]", python) and pip == "pip"
    assert by_pip["pip"][-1] == "--editable .[lab,test]"
    listed = {str(Requirement(line)) for line in by_pip["pip"][:-1]}
    assert listed < {str(pin) for group in pins().values() for pin in group}
    wanted = {Requirement(r).name.lower() for r in lock.requirements("lab", "test").values()}
    assert wanted <= {Requirement(line).name.lower() for line in listed}


def test_pins_record_no_address():
    for name in ("constraints.txt", "environment.yml"):
        assert not re.search(r"://|^-(i|f)|--(index|find)", (ROOT / name).read_text("utf-8"), re.M)


def test_no_tracked_file_names_a_folder_of_some_machine():
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    trace = re.compile(rb"(?<![A-Za-z0-9_.])/(root|work|farm)/")
    named = [name for name in tracked.split("\0") if name and (ROOT / name).is_file()
             and not name.endswith((".png", ".parquet", ".gz", ".otf")) and name != "tests/test_setup.py"
             and trace.search((ROOT / name).read_bytes())]
    assert not named
