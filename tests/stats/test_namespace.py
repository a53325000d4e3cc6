"""Every method in one line from `analysis.stats`, at no cost until it is asked for."""

import inspect
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import analysis.stats
from analysis.stats import MODULE


def ran(code: str) -> str:
    """What a fresh Python says."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_the_package_alone_imports_no_method():
    assert ran("import sys, analysis.stats; print({'scipy', 'numpy'} & {*sys.modules})") == "set()"
    assert ran("import sys; from analysis.stats import Moments; print('scipy' in sys.modules)") == "False"


@pytest.mark.parametrize("name", analysis.stats.__all__)
def test_a_name_is_that_of_its_module(name):
    found = getattr(analysis.stats, name)
    assert found.__name__ == name and found.__module__ == f"analysis.stats.{MODULE[name]}"


@pytest.mark.parametrize("first", ["from analysis.stats.power import Plan", "import analysis.stats.power", "pass"])
def test_a_method_called_like_its_module_is_the_method_whoever_imports_first(first):
    assert ran(f"{first}; from analysis.stats import power, split_looks; print(callable(power), callable(split_looks))"
               ) == "True True"


def test_modules_can_still_be_had():
    assert ran("from analysis.stats import spending; print(spending.PANEL)") == "4.0"


def test_a_name_that_is_not_there_is_said():
    with pytest.raises(AttributeError, match=r"'analysis.stats' has no attribute 'compare_medians'"):
        _ = analysis.stats.compare_medians


def test_every_result_that_a_method_gives_can_be_had_too():
    """Dataclasses and named tuples of the modules, but for those of the parts that methods are made of."""
    parts = {"bayes_arms", "buckets"}
    public = {name for module in pkgutil.iter_modules(analysis.stats.__path__) if module.name not in parts
              for name, value in vars(import_module(f"analysis.stats.{module.name}")).items()
              if inspect.isclass(value) and value.__module__ == f"analysis.stats.{module.name}" and name[0] != "_"}
    assert public - {*analysis.stats.__all__} == {"QuantileLevel"}   # of one arm, a part of `compare_quantiles`
