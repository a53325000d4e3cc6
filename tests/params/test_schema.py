"""Editors check a params file by the same rules: the schemas in params, and the file that `campaign new` writes."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from analysis.params import CampaignError, load
from analysis.params.editions import Editions
from analysis.params.experiments import Experiments
from analysis.params.load import kind_of
from analysis.params.model import Campaign
from analysis.params.new import write_new
from analysis.params.schema import editions_schema, experiments_schema, schema
from tests.params import experiments_file as experiments
from tests.params.campaign_file import FULL

PARAMS = Path(__file__).parents[2] / "params"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(schema()))
EXPERIMENTS = jsonschema.Draft202012Validator(json.loads(experiments_schema()))
EDITIONS = jsonschema.Draft202012Validator(json.loads(editions_schema()))
KINDS = {Campaign: (VALIDATOR, "schema.json"), Experiments: (EXPERIMENTS, "experiments.schema.json"),
         Editions: (EDITIONS, "editions.schema.json")}


class AsAnEditor(yaml.SafeLoader):
    """YAML 1.2 as editors read it: numbers and booleans, but dates are texts."""


AsAnEditor.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if "timestamp" not in tag]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()}


@pytest.mark.parametrize(("name", "made"), [("schema.json", schema), ("experiments.schema.json", experiments_schema),
                                            ("editions.schema.json", editions_schema)])
def test_the_files_that_editors_use_are_fresh_and_schemas(name, made):
    assert (PARAMS / name).read_text("utf-8") == made(), "run `make lock`"
    jsonschema.Draft202012Validator.check_schema(json.loads(made()))


@pytest.mark.parametrize("loader", [yaml.BaseLoader, AsAnEditor])
@pytest.mark.parametrize("path", sorted(PARAMS.glob("*.yml")), ids=lambda path: path.stem)
def test_the_sample_files_are_valid(path, loader):
    tree = yaml.load(path.read_text("utf-8"), loader)
    validator, named = KINDS[kind_of(tree)]
    assert [error.message for error in validator.iter_errors(tree)] == []
    assert path.read_text("utf-8").startswith(f"# yaml-language-server: $schema={named}\n")


@pytest.mark.parametrize("loader", [yaml.BaseLoader, AsAnEditor])
def test_a_file_that_says_something_of_everything_is_valid(loader):
    assert [error.message for error in VALIDATOR.iter_errors(yaml.load(FULL, loader))] == []
    assert [error.message for error in EXPERIMENTS.iter_errors(yaml.load(experiments.FULL, loader))] == []


@pytest.mark.parametrize(("old", "new"), [
    ("currency:", "curency:"), ("consent:", "consnt:"), ("better: lower", "beter: lower"),
    ("better: lower", "better: less"),
    ("by: [channel]", "bye: [channel]"), ("window: 24 hours", "window: 1 fortnight"),
    ("control: holdout", "contrl: holdout"),
    ("start: 2025-11-11", "start: 11/11/2025"), ("end: 2025-11-17", "edn: 2025-11-17"),
    ("target: +30%", "target: thirty"),
    ("{en: Spring sale, zh: 春季促销}", "{en: Spring sale, fr: x}"), ("n_periods: 14", "n_periods: many"),
    ("owner: growth", "owner: [growth]"), ("languages: [en, zh]", "languages: [fr]"), ("margin: 2%", "margin: little"),
    ("columns: {user_id: uid}", "column: {user_id: uid}")])
def test_a_slip_is_seen_in_the_editor_too(old, new):
    assert FULL.count(old) == 1
    assert not VALIDATOR.is_valid(yaml.load(FULL.replace(old, new), AsAnEditor))


@pytest.mark.parametrize(("old", "new"), [
    ("currency:", "curency:"), ("better: lower", "beter: lower"), ("better: lower", "better: less"),
    ("kind: share", "kind: shar"), ("path: looks.csv", "paht: looks.csv"), ("old: 50%", "old: much"),
    ("correction: bh", "correction: bonferroni"), ("tightest_at: 60%", "tightest_at: late")])
def test_a_slip_about_experiments_is_seen_in_the_editor_too(old, new):
    assert experiments.FULL.count(old) == 1
    assert not EXPERIMENTS.is_valid(yaml.load(experiments.FULL.replace(old, new), AsAnEditor))


def test_what_a_file_lacks_is_seen_in_the_editor_unless_it_extends_another():
    tree = yaml.load(FULL, AsAnEditor)
    del tree["title"]
    assert not VALIDATOR.is_valid(tree)
    assert VALIDATOR.is_valid(tree | {"extends": "shared/shop.yml"})
    assert VALIDATOR.is_valid({"extends": "shared/shop.yml", "funnels": {"purchase": {"window": "7 days"}}})
    assert not VALIDATOR.is_valid({"extends": "shared/shop.yml", "funnels": {"purchase": {"windw": "7 days"}}})


def test_a_series_is_told_from_a_campaign_by_its_key(tmp_path):
    path = tmp_path / "all.yml"
    path.write_text("title: x\nquestion: y\nowner: z\neditions: spring\n", "utf-8")
    assert isinstance(load(path), Editions) and load(path, {"reports": "../elsewhere"}).series.reports == "../elsewhere"
    path.write_text(path.read_text("utf-8") + "period: {start: 2025-01-01}\nreprts: x\n", "utf-8")
    with pytest.raises(CampaignError) as error:
        load(path)
    assert [(p.line, p.where, p.message.split("; ")[0]) for p in error.value.problems] == [
        (5, "period", "unknown key"), (6, "reprts", "unknown key (did you mean 'reports'?)")]


@pytest.mark.parametrize("made", [schema, experiments_schema, editions_schema])
def test_every_key_has_its_meaning(made):
    tree = json.loads(made())
    parts = [tree, *tree.get("$defs", {}).values()]
    assert [(part.get("title"), key) for part in parts for key, value in part.get("properties", {}).items()
            if not value.get("description")] == []


def test_a_new_file_is_a_campaign_that_only_lacks_data(tmp_path):
    path = write_new("spring-2026", tmp_path / "params")
    assert load(path).text(load(path).title) == "spring-2026"
    assert (tmp_path / "params" / "schema.json").read_text("utf-8") == schema()
    assert VALIDATOR.is_valid(yaml.load(path.read_text("utf-8"), AsAnEditor))


def test_every_line_of_a_new_file_can_be_uncommented(tmp_path):
    path = write_new("spring", tmp_path)
    lines = path.read_text("utf-8").splitlines()
    words = ("# Either", "# ... or", "# yaml-language")
    full = [line if line.startswith(words) else line.replace("# ", "", 1) if line.strip().startswith("# ") else line
            for line in lines if not line.startswith("no_control_group")]
    path.write_text("\n".join(full), "utf-8")
    assert set(load(path).blocks) >= {"arms", "goals", "baseline", "after", "funnels", "retention", "costs", "phases"}
    assert VALIDATOR.is_valid(yaml.load("\n".join(full), AsAnEditor))


def test_a_new_file_overwrites_nothing(tmp_path):
    path = write_new("spring", tmp_path)
    path.write_text("mine", "utf-8")
    (tmp_path / "schema.json").write_text("mine", "utf-8")
    with pytest.raises(CampaignError, match="exists already"):
        write_new("spring", tmp_path)
    write_new("summer", tmp_path)
    assert path.read_text("utf-8") == (tmp_path / "schema.json").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["a/b", "../x", "", "a b", ".hidden", "-x", "a\nb"])
def test_a_new_campaign_needs_a_name_that_a_file_can_bear(tmp_path, name):
    with pytest.raises(CampaignError, match="letters, digits"):
        write_new(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(CampaignError, match="cannot be written: Not a directory"):
        write_new("x", tmp_path / "file" / "params")


@pytest.mark.parametrize("name", ["null", "true", "1e3", "12"])
def test_a_name_that_yaml_would_take_for_something_else_is_a_title(tmp_path, name):
    path = write_new(name, tmp_path)
    assert load(path).text(load(path).title) == name
