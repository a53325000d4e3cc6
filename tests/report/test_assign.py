"""`campaign assign`: what it writes, what it leaves alone, what it refuses."""

import csv
import hashlib

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from analysis.data.read import read
from analysis.facts import observe
from analysis.params import load
from analysis.report.cli import main
from analysis.results.planning import draw as drawing
from tests.shops import shop

PARAMS = """\
title: Spring sale
question: Will it sell more?
owner: growth
period: {start: 2024-03-04, end: 2024-03-06}
baseline: {start: 2024-03-01, end: 2024-03-03}
sources:
  users: {path: users.csv}
  assignments: {path: arms.csv}
  events: {path: events.csv}
  orders: {path: orders.csv}
population: {consent: agreed, where: {land: [fr, de]}}
arms: {control: stay, shares: {stay: 30%, go: 70%}}
metrics: {money: {sum: orders.amount, role: primary}}
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a campaign of 300 users; every tenth did not agree, some live elsewhere."""
    made = shop(seed=2, n=300)
    users = made.pop("assignments")[["user_id"]].assign(
        agreed=[i % 10 > 0 for i in range(300)], land=["fr", "de", "fr", "es", "de"] * 60, tier=["a", "b", "c"] * 100)
    for name, frame in (made | {"users": users}).items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    (tmp_path / "spring.yml").write_text(PARAMS, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assign(*words):
    done = CliRunner().invoke(main, ["assign", "spring.yml", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_it_writes_who_gets_which_arm_where_the_params_say(here):
    code, said = assign()
    found = rows(here / "arms.csv")
    assert code == 0 and list(found[0]) == ["user_id", "variant", "salt", "stratum"]
    assert {row["salt"] for row in found} == {"spring"} and {row["variant"] for row in found} == {"stay", "go"}
    assert [row["user_id"] for row in found] == sorted(row["user_id"] for row in found)
    assert f"spring: {len(found)} users drawn with the salt 'spring'" in said
    assert "split as planned: p " in said and "of 200 other draws would have been worse" in said
    assert "written: arms.csv (user_id, variant, salt, stratum)" in said


def test_consent_and_the_population_are_respected(here):
    assign()
    ids = {row["user_id"] for row in rows(here / "arms.csv")}
    assert ids == {f"u{i}" for i in range(300) if i % 10 and i % 5 != 3}


def test_the_review_reads_what_was_written(here):
    assign()
    campaign = load(here / "spring.yml")
    facts = observe(campaign, read(campaign))
    found = rows(here / "arms.csv")
    assert facts.left.n_users == len(found) and facts.groups["go"] == sum(row["variant"] == "go" for row in found)


def test_the_same_call_writes_the_same_bytes_whatever_the_order_of_the_rows(here):
    assign()
    first = digest(here / "arms.csv")
    for name in ("users", "orders"):
        head, *body = (here / f"{name}.csv").read_text("utf-8").splitlines()
        np.random.default_rng(1).shuffle(body)
        (here / f"{name}.csv").write_text("\n".join([head, *body]) + "\n", "utf-8")
    assert assign("--force")[0] == 0 and digest(here / "arms.csv") == first
    assert assign("--force", "--salt", "other")[0] == 0 and digest(here / "arms.csv") != first


def test_a_file_that_is_there_is_not_written_over(here):
    (here / "arms.csv").write_text("mine", "utf-8")
    code, said = assign()
    assert code == 2 and said.startswith("arms.csv: exists already")
    assert (here / "arms.csv").read_text("utf-8") == "mine"
    assert assign("--force")[0] == 0 and len(rows(here / "arms.csv")) == 210


def test_parquet_holds_the_same(here):
    assign()
    assert assign("--to", "out/arms.parquet")[0] == 0
    table = pq.read_table(here / "out/arms.parquet").to_pylist()
    assert table == rows(here / "arms.csv")
    first = digest(here / "out/arms.parquet")
    assign("--to", "out/arms.parquet", "--force")
    assert digest(here / "out/arms.parquet") == first


def test_salt_exclusions_and_strata_of_the_params_are_used(here):
    (here / "staff.csv").write_text("id\nu1\nu2\nnobody\n", "utf-8")
    code, said = assign("--set", "plan={salt: secret, exclude: {path: staff.csv, columns: {user_id: id}}}",
                        "--set", "arms={control: stay, shares: {stay: 30%, go: 70%}, strata: [tier, land]}")
    found = rows(here / "arms.csv")
    assert code == 0 and len(found) == 208 and not {"u1", "u2"} & {row["user_id"] for row in found}
    assert {row["salt"] for row in found} == {"secret"} and "2 users are excluded and get no arm" in said
    assert {row["stratum"] for row in found} == {f"{tier} / {land}" for tier in "abc" for land in ("fr", "de")}


def test_columns_go_by_the_names_that_the_params_have_for_them(here):
    assert assign("--set", "sources.assignments={path: arms.csv, columns: {user_id: uid, variant: arm}}")[0] == 0
    assert list(rows(here / "arms.csv")[0]) == ["uid", "arm", "salt", "stratum"]


def test_without_assignments_in_the_params_a_file_has_to_be_named(here):
    (here / "spring.yml").write_text(PARAMS.replace("  assignments: {path: arms.csv}\n", ""), "utf-8")
    code, said = assign()
    assert code == 2 and "has no `assignments: {path: ...}` to write to; add it, or say --to FILE" in said
    code, said = assign("--to", "arms.csv")
    assert code == 0 and "name it in the params: assignments: {path: arms.csv}" in said


@pytest.mark.parametrize(("old", "new", "said"), [
    ("arms: {control: stay, shares: {stay: 30%, go: 70%}}\n", "no_control_group: all\n",
     "arms: missing: say a control and the shares to draw by"),
    ("  users: {path: users.csv}\n", "", "has no `users:`, the table of those who can be drawn"),
    ("path: arms.csv", "path: 'arms-*.csv'", "is not one plain file that could be written; say --to FILE"),
    ("path: arms.csv", "path: arms.csv.gz", "arms.csv.gz: ends neither in .csv nor in .parquet"),
    ("{stay: 30%, go: 70%}", "{stay: 30%, go: 60%}", "add up to 0.9, not to 1"),
])
def test_what_cannot_be_drawn_is_told_and_nothing_written(here, old, new, said):
    text = PARAMS.replace(old, new)
    if "users" in old:
        text = text.replace("population: {consent: agreed, where: {land: [fr, de]}}\n", "")
    (here / "spring.yml").write_text(text, "utf-8")
    code, found = assign()
    assert code == 2 and said in found, found
    assert not list(here.glob("arms*"))


def test_nobody_to_draw_is_told(here):
    code, said = assign("--set", "population.where={land: [xx]}")
    assert code == 2 and "nobody can be drawn: 300 users are known, and none is left of them" in said


def test_a_folder_that_cannot_be_written_is_told(here):
    code, said = assign("--to", "users.csv/arms.csv")
    assert code == 2 and "cannot be written" in said


def test_arms_that_are_not_alike_are_not_written(here, monkeypatch):
    def rigged(found, arms, salt):
        spent = found.before["money"]
        return drawing.Draw(salt, np.where(spent > np.quantile(spent, 0.3), "go", "stay"), dict(arms.shares))

    monkeypatch.setattr(drawing, "draw", rigged)
    code, said = assign()
    assert code == 3 and "NOT WRITTEN" in said and "say another salt and write down that you did" in said
    assert not (here / "arms.csv").exists()


def test_nothing_of_the_campaigns_own_time_is_looked_at(here):
    assign()
    first = digest(here / "arms.csv"), assign("--force")[1]
    for name in ("orders", "events"):
        head, *body = (here / f"{name}.csv").read_text("utf-8").splitlines()
        kept = [line for line in body if not any(f"2024-03-{day:02d}" in line for day in range(4, 32))]
        assert len(kept) < len(body)
        (here / f"{name}.csv").write_text("\n".join([head, *kept]) + "\n", "utf-8")
    assert (digest(here / "arms.csv"), assign("--force")[1]) == first
