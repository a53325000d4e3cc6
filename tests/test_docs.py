"""What the documents show can be written as it stands."""

import re
from pathlib import Path

import pytest
import yaml

from analysis.params.counting import Funnel, Retention, disagreements

COUNTING = (Path(__file__).parents[1] / "docs" / "counting.md").read_text("utf-8")
BLOCKS = [yaml.load(block, yaml.BaseLoader) for block in re.findall(r"```yaml\n(.*?)```", COUNTING, re.DOTALL)]
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
