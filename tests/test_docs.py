"""What the documents show can be written as it stands."""

import ast
import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import analysis.stats
from analysis.params import load
from analysis.params.counting import Funnel, Retention, disagreements
from analysis.results import trust
from analysis.showing import phrases, tables

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


def test_what_the_readme_says_of_metrics_and_quantiles_goes_into_a_campaign(tmp_path):
    blocks = [yaml.load(block, yaml.BaseLoader) for block in YAML.findall((ROOT / "README.md").read_text("utf-8"))]
    (shown,) = [block for block in blocks if "quantiles" in block]
    sample = yaml.load((ROOT / "params" / "double11-2025.yml").read_text("utf-8"), yaml.BaseLoader)
    whole = {**sample, **shown, "goals": [], "costs": {}, "effects": {}}
    (tmp_path / "file.yml").write_text(yaml.safe_dump(whole, allow_unicode=True), "utf-8")
    made = load(tmp_path / "file.yml")
    assert [name for name, metric in made.metrics.items() if metric.margin and metric.better == "lower"] == ["refunds"]


# --- how each number is calculated ---

PACKAGE = ROOT / "src" / "analysis"
METHODS = (ROOT / "docs" / "methods.md").read_text("utf-8")
PROSE = re.sub(r"```.*?```", "", METHODS, flags=re.DOTALL)
SPANS = {" ".join(span.split()) for span in re.findall(r"`([^`]+)`", PROSE)}
FORMULAS = {"sqrt", "floor", "greatest", "quantile_disc", "F_T", "f_C", "P"}   # spans that are no calls of this package
HEADINGS = re.findall(r"^#{2,3} (.+)$", METHODS, re.MULTILINE)


def public_methods():
    """(module, name, function) of every public function of the methods."""
    for info in pkgutil.iter_modules(analysis.stats.__path__):
        module = import_module(f"analysis.stats.{info.name}")
        for name, value in vars(module).items():
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield info.name, name, value


def signature(name, function):
    """As it is written in the documents: without types, defaults as values and functions by their name."""
    written = []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        default = parameter.default
        said = default.__name__ if callable(default) else repr(default)
        written.append(parameter.name if default is parameter.empty else f"{parameter.name}={said}")
    return f"{name}({', '.join(written)})"


STATS = [(module, signature(name, function)) for module, name, function in public_methods()]


def parameters_in(folder):
    """Name -> the lists of parameters of all public functions and dataclasses so called, read from the sources."""
    found = {}
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                own = [arg.arg for arg in (*node.args.args, *node.args.kwonlyargs)]
            elif isinstance(node, ast.ClassDef):
                own = [line.target.id for line in node.body if isinstance(line, ast.AnnAssign)]
            else:
                continue
            found.setdefault(node.name, []).append(own)
    return found


def anchor(heading):
    """As the sites that show Markdown make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def under(heading):
    """The text of one section."""
    start = re.search(rf"^#+ {re.escape(heading)}$", METHODS, re.MULTILINE).end()
    return re.split(r"^#{2,3} ", METHODS[start:], maxsplit=1, flags=re.MULTILINE)[0]


def test_every_method_stands_with_its_signature():
    assert [written for _, written in STATS if written not in SPANS] == []


def test_what_can_be_had_in_one_line_stands_before_the_building_blocks():
    before = METHODS.split("## Building blocks")[0]
    named = [written for _, written in STATS if written.split("(")[0] in analysis.stats.__all__]
    assert len(named) > 70 and [written for written in named if written not in before] == []


def test_every_function_named_exists_with_these_parameters():
    exact, known = {written for _, written in STATS}, parameters_in(PACKAGE)
    names = {written.split("(")[0] for written in exact}
    for span in sorted(SPANS):
        match = re.fullmatch(r"([A-Za-z]\w*)\((.*)\)", span)
        if not match or match[1] in FORMULAS:
            continue
        if match[1] in names:
            assert span in exact, f"{span}: it is {[own for own in exact if own.startswith(match[1] + '(')]}"
        else:
            own = [part.split("=")[0] for part in match[2].split(", ") if part != "*"]
            assert any(set(own) <= set(real) for real in known.get(match[1], [])), span


def test_examples_of_what_goes_in_give_an_answer():
    (block,) = re.findall(r"```python\n(.*?)```", under("What goes in"), re.DOTALL)
    known: dict[str, object] = {}
    for line in ast.parse(block).body:
        code = ast.unparse(line)
        assert not isinstance(line, ast.Expr) or not getattr(eval(code, known), "reason", ""), code
        if not isinstance(line, ast.Expr):
            exec(code, known)


def test_every_kind_of_input_is_told():
    written = re.findall(r"`(\w+)`|`(\w+)\(", under("What goes in").split("```")[0])
    named = {name for pair in written for name in pair if name in analysis.stats.__all__}
    inputs = {"Moments", "RatioMoments", "PairedMoments", "JointMoments", "ClusterSums", "Rows", "Pair", "AtRisk",
              "Day", "NormalPrior", "BetaPrior", "GammaPrior"}
    assert inputs <= named and named - inputs >= {"compare_means", "adjust", "logrank", "departures", "shuffled"}


def test_every_module_named_exists():
    named = set(re.findall(r"\b(?:data|facts|params|report|results|showing|stats)/[\w/]+\.py", METHODS))
    assert len(named) > 50 and {path for path in named if not (PACKAGE / path).is_file()} == set()


def test_links_lead_to_headings_and_those_of_a_method_to_where_it_is_told():
    places = {anchor(heading): heading for heading in HEADINGS}
    assert {link for link in re.findall(r"\]\(#([^)]+)\)", METHODS)} - {*places} == set()
    rows = re.findall(r"^\| \[[^]]+\]\(#([^)]+)\) \| `([^`]+)` \| `([^`]+)` \|", under("By method"), re.MULTILINE)
    assert len(rows) > 45
    for place, written, module in rows:
        assert f"`{written}`" in under(places[place]) and (Path(module).stem, written) in STATS, written


def test_what_is_by_hand_alone_is_used_in_no_report():
    imported = {alias.name for path in PACKAGE.rglob("*.py") if "stats" not in path.relative_to(PACKAGE).parts
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("analysis.stats")
                for alias in node.names}
    rows = re.findall(r"^\| \[.*?\) \| `(\w+)\(.*?` \| `[^`]+` \| ([^|]*) \|$", under("By method"), re.MULTILINE)
    by_hand = {name for name, where in rows if where.startswith("by hand")}
    assert len(rows) > 45 and by_hand & imported == set()


def test_every_reason_is_explained():
    explained = set(re.findall(r"`(\w+)`", under("What is missing, and why")))
    assert {*phrases.REASONS} - explained == set()


def limit_told(limit):
    return "any" if not limit else "" if limit >= 1 else f"more than {100 * limit:g} %"


def test_limits_of_the_trust_checks_are_those_of_the_code():
    rows = {row[1].strip("` "): row[2:4] for line in under("Trust checks (`results/trust.py`)").splitlines()
            if len(row := [cell.strip() for cell in line.strip("|").split("|")]) == 4}
    assert {*tables.CHECKS} <= {*rows}
    for name, (looks, fails) in trust.LIMITS.items():
        assert rows[name] == [limit_told(fails), "" if looks == fails else limit_told(looks)]
