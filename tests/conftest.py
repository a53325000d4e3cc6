"""Options of the case runner; a cache of converted files that is the tests' own."""

import os
import tempfile

from tests.engines import ENGINES


def pytest_addoption(parser):
    parser.addoption("--cases", help="folder of worked cases (*.json, at any depth); the project's own without it")
    parser.addoption("--engine", choices=ENGINES, help="the engine to count on; all of them without it")


def pytest_configure(config):
    made = tempfile.TemporaryDirectory(prefix="campaign-cache-")
    config.add_cleanup(made.cleanup)
    os.environ["CAMPAIGN_CACHE"] = made.name
