"""Options of the case runner."""

from tests.engines import ENGINES


def pytest_addoption(parser):
    parser.addoption("--cases", help="folder of worked cases (*.json, at any depth); the project's own without it")
    parser.addoption("--engine", choices=ENGINES, help="the engine to count on; all of them without it")
