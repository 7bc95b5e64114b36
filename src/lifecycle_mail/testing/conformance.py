"""What the conformance suites share: finding tests, waiving them with a reason, and refusing silent overrides.

A suite is a plain class with `test_` methods. An adapter subclasses it, says how to make the thing under test, and
any runner that collects classes (pytest) runs it. A law that an adapter cannot keep is waived by name, with a
reason; the suite then skips that test, and checks that the waiver is still needed.
"""

# ruff: noqa: S101 - a suite is made of tests

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, NoReturn
from unittest import SkipTest


class Conformance:
    """The base of every suite.

    Attributes:
        waivers: the name of a test and why this adapter cannot pass it.
    """

    waivers: ClassVar[Mapping[str, str]] = {}
    _tests: ClassVar[Mapping[str, Callable[..., object]]] = {}

    def __init_subclass__(cls, *, suite: bool = False, **options: Any) -> None:
        super().__init_subclass__(**options)
        if suite:
            cls._tests = {name: getattr(cls, name) for name in dir(cls) if name.startswith("test_")}
            return
        for name, reason in cls.waivers.items():
            if getattr(cls, name, None) is cls._tests.get(name):
                setattr(cls, name, _skipping(f"waived: {reason}"))

    def test_every_waiver_is_needed(self) -> None:
        """A waiver names a test of the suite, says why, and that test would really fail."""
        for name, reason in self.waivers.items():
            known = set(self._tests) - {"test_every_waiver_is_needed", "test_no_test_is_replaced"}
            assert name in known, f"{name} is waived, and no test of this suite is named that"
            assert reason.strip(), f"{name} is waived without a reason"
            assert not self._passes(name), f"{name} is waived ({reason}) and passes: take the waiver out"

    def test_no_test_is_replaced(self) -> None:
        """A test of the suite runs as it is written, unless it is waived with a reason."""
        replaced = {name for name, test in self._tests.items() if getattr(type(self), name, None) is not test}
        silent = sorted(replaced - set(self.waivers))
        assert not silent, f"replaced without a waiver: {', '.join(silent)}"

    def _passes(self, name: str) -> bool:
        try:
            self._tests[name](type(self)())
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException:  # noqa: BLE001 - a test fails in any way it likes, and skips by SkipTest or the runner's own
            return False
        return True


def does_not_apply(reason: str) -> NoReturn:
    """Leave a test: it asks for what this adapter does not claim to do. Every runner takes it for a skip."""
    raise SkipTest(reason)


def hook(name: str, what: str) -> NoReturn:
    """Fail because a suite needs a hook that the adapter's subclass does not define."""
    raise NotImplementedError(f"define {name}(): {what}; or waive the tests that need it, with a reason")


def _skipping(reason: str) -> Callable[[object], None]:
    skip = partial(does_not_apply, reason)

    def skipped(_self: object) -> None:
        skip()

    skipped.__doc__ = reason
    return skipped


def raises(kind: type[BaseException] | tuple[type[BaseException], ...], call: Callable[[], object]) -> BaseException:
    """Return the exception of this kind that a call raises; fail where it raises none."""
    try:
        call()
    except kind as error:
        return error
    names = ", ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
    raise AssertionError(f"nothing was raised, {names} was expected")
