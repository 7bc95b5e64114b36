"""What the tests of the adapter may count on: the shared data, and how generated examples are drawn."""

from tests.conftest import shared

__all__ = ["shared"]
