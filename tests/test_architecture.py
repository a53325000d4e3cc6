"""The layers of src/analysis hold: imports only ever point up docs/architecture.md's table."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "analysis"
# each may import itself and those before it
LAYERS = ["params", "data", "stats", "facts", "results", "showing", "report"]
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")
DRAWERS = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}


def imported(path: Path) -> set[str]:
    """Layers of this package that a module imports, at whatever depth of its code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("analysis.")}
    return found


def reaching_back(layer: str, imports: set[str]) -> set[str]:
    return {name for name in imports if LAYERS.index(name) > LAYERS.index(layer)}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_layer_and_those_before_it(path):
    layer = path.relative_to(PACKAGE).parts[0]
    assert not reaching_back(layer, imported(path) & set(LAYERS))


def test_the_check_bites():
    assert reaching_back("facts", {"params", "results"}) == {"results"}


def test_every_folder_is_a_layer_and_none_is_a_drawer():
    folders = {path.relative_to(PACKAGE).parts[0] for path in MODULES}
    assert folders == set(LAYERS)
    assert not {path.stem for path in MODULES} & DRAWERS


@pytest.mark.parametrize("layer", ["params", "data", "stats", "facts", "results"])
def test_layers_below_showing_know_nothing_of_charts_and_languages(layer):
    for path in (PACKAGE / layer).rglob("*.py"):
        text = path.read_text("utf-8")
        assert not {"matplotlib", "seaborn", "babel", "IPython"} & {
            name.name.split(".")[0] for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import)
            for name in node.names}, path


def test_modules_stay_small_enough_to_hold_one_idea():
    too_long = {str(path.relative_to(PACKAGE)): n for path in MODULES
                if (n := len(path.read_text("utf-8").splitlines())) > 400}
    assert not too_long
