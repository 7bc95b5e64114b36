"""Runs the Python examples of the README and the docs as tests: one namespace for each document."""

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "docs/*.md"],
).pytest()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the examples first: where several processes share the tests, the first one gets all of these.

    The last tests of a run are given out one by one, and an example needs those before it in its document.
    """
    items.sort(key=lambda item: item.path.suffix != ".md")
