"""What the documents show can be written as it stands."""

import re
from pathlib import Path

import pytest
import yaml

from analysis.params import load
from analysis.params.counting import Funnel, Retention, disagreements

ROOT = Path(__file__).parents[1]
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
COUNTING = (ROOT / "docs" / "counting.md").read_text("utf-8")
BLOCKS = [yaml.load(block, yaml.BaseLoader) for block in YAML.findall(COUNTING)]
NAMED = {key for key in re.findall(r"`(\w+): ", COUNTING)}


def test_the_examples_of_counting_are_params():
    for block in BLOCKS:
        for funnel in block.get("funnels", {}).values():
            assert list(disagreements(Funnel.model_validate(funnel))) == []
        if "retention" in block:
            Retention.model_validate(block["retention"])


@pytest.mark.parametrize("part", [Funnel, Retention])
def test_every_option_of_counting_is_told(part):
    written = " ".join(str(block).replace("'", " ") for block in BLOCKS)
    shown = NAMED | {word.strip("{}[]:,") for word in written.split()}
    own = {"steps", "window", "start", "returning", "period", "cohorts"}
    assert set(part.model_fields) - own <= shown


def test_the_whole_files_of_the_readme_are_params(tmp_path):
    whole = [block for block in YAML.findall((ROOT / "README.md").read_text("utf-8")) if block.startswith("title:")]
    kinds = []
    for block in whole:
        (tmp_path / "file.yml").write_text(block, "utf-8")
        kinds.append(type(load(tmp_path / "file.yml")).__name__)
    assert kinds == ["Campaign", "Experiments"]
