"""Three hundred campaigns with mistakes: each is refused in words, with all of its mistakes, before anything begins."""

import pytest
from click.testing import CliRunner

from analysis.data.read import read
from analysis.facts import observe
from analysis.params import CampaignError, load
from analysis.report import run
from analysis.report.cli import main
from analysis.results.trust import checks
from tests import bad_data, bad_params
from tests.bad_inputs import Inputs, cases, n_allowed, untold, valid
from tests.report.small_campaign import contents

PARAMS = list(cases(7, bad_params.KINDS, 200))
DATA = list(cases(7, bad_data.KINDS, 100))
GOOD = {"report.html": b"<p>the last good report</p>", "run.json": b"{}", "tables/goals.csv": b"goal\n"}


def names(inputs: list[Inputs]) -> list[str]:
    return [f"{i} {', '.join(each.kinds)}" for i, each in enumerate(inputs)]


@pytest.fixture
def campaign(tmp_path, monkeypatch):
    """Exit code and what was said by a command about a campaign, in a folder that holds its last good report."""
    monkeypatch.chdir(tmp_path)
    for name, content in GOOD.items():
        (tmp_path / "reports/spring" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "reports/spring" / name).write_bytes(content)

    def command(word: str, inputs: Inputs) -> tuple[int, str]:
        done = CliRunner().invoke(main, [word, inputs.params, *(f"--set={setting}" for setting in inputs.settings)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
        assert contents(tmp_path / "reports/spring") == GOOD
        return done.exit_code, done.output

    return command


def forbidden(*_, **__):
    raise AssertionError("this must not begin")


def assert_told(inputs: Inputs, said: str) -> None:
    lines = said.splitlines()
    assert not untold(inputs, said), said
    assert len(lines) <= n_allowed(inputs), said
    assert max(len(line) for line in lines) < 1200 and "Traceback" not in said
    assert not inputs.secret or inputs.secret not in said


def test_without_a_mistake_it_is_fine(campaign, tmp_path):
    inputs = valid()
    inputs.write(tmp_path)
    assert campaign("validate", inputs) == (0, "params/spring.yml: fine\n")


def test_every_kind_of_mistake_is_made():
    assert {kind for each in PARAMS for kind in each.kinds} == {*bad_params.KINDS}
    assert {kind for each in DATA for kind in each.kinds} == {*bad_data.KINDS}
    assert all(1 <= len(each.kinds) <= 3 and each.told for each in PARAMS + DATA)
    assert sum(len(each.kinds) > 1 for each in PARAMS + DATA) > 90


@pytest.mark.parametrize("inputs", PARAMS, ids=names(PARAMS))
def test_bad_params_are_refused_before_data_are_read_or_a_process_begins(inputs, campaign, tmp_path, monkeypatch):
    path = inputs.write(tmp_path)
    for name in ("apart", "inputs"):
        monkeypatch.setattr(run, name, forbidden)
    monkeypatch.setattr("analysis.data.engine.Engine.of", forbidden)
    if path.is_file():
        with pytest.raises(CampaignError) as refused:
            load(path.relative_to(tmp_path), dict(setting.split("=", 1) for setting in inputs.settings))
        assert_told(inputs, str(refused.value))
    code, said = campaign("validate", inputs)
    assert code == 2
    assert_told(inputs, said)
    code, said = campaign("run", inputs)
    assert code == 2
    assert not untold(inputs, said), said
    published = b"".join(contents(tmp_path / "reports").values())
    assert not inputs.secret or inputs.secret.encode() not in published


@pytest.mark.parametrize("inputs", DATA, ids=names(DATA))
def test_bad_data_are_refused_with_file_and_column(inputs, campaign, tmp_path):
    inputs.write(tmp_path)
    code, said = campaign("validate", inputs)
    assert code == 2
    assert_told(inputs, said)
    assert str(tmp_path) not in said


@pytest.mark.parametrize(("file", "rows", "check", "found"), [
    ("users", "u1,yes,silver,Rome\nu2,yes,gold,Bern\n", "contradicting", 2),
    ("orders", "u1,2025-11-12,inf\nu2,2025-11-12,nan\nu2,2025-11-12,\n", "missing_amounts", 3),
    ("arms", "nobody1,campaign\nnobody2,holdout\n", "unknown_assigned", 2), ("arms", "u1,holdout\n", "two_arms", 1),
    ("events", None, "missing_days", 20)])
def test_what_can_be_read_but_not_trusted_voids_the_verdict(tmp_path, file, rows, check, found):
    inputs, name = valid(), f"data/{file}.csv"
    head = inputs.files[name].split(b"\n")[0] + b"\n"
    inputs.files[name] = head if rows is None else inputs.files[name] + rows.encode()
    params = load(inputs.write(tmp_path))
    assert [(each.name, each.found) for each in checks(observe(params, read(params))) if each.state == "fail"] == [
        (check, found)]
