"""For tests: conformance suites for adapters, and builders for an application's own tests.

Loaded when first asked for: whoever has the library installed may have tests that never use it (`pytest_plugin`).
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if "pytest" in sys.modules:  # a failing law then shows both sides, as in a test of one's own
    _SUITES = ("conformance", "crms", "esps", "stores")
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{suite}" for suite in _SUITES))

if TYPE_CHECKING:
    from lifecycle_mail.testing.builders import (
        SIGNING_KEY,
        assert_sendable,
        assert_withheld,
        campaign,
        consent,
        contact,
        days_ago,
        event,
        frozen_now,
        lifecycle,
        said,
        screened,
    )
    from lifecycle_mail.testing.conformance import Conformance, does_not_apply
    from lifecycle_mail.testing.crms import CrmConformance
    from lifecycle_mail.testing.esps import EspConformance
    from lifecycle_mail.testing.stores import StoreConformance

__all__ = [
    "SIGNING_KEY",
    "Conformance",
    "CrmConformance",
    "EspConformance",
    "StoreConformance",
    "assert_sendable",
    "assert_withheld",
    "campaign",
    "consent",
    "contact",
    "days_ago",
    "does_not_apply",
    "event",
    "frozen_now",
    "lifecycle",
    "said",
    "screened",
]

_HOME_OF = {
    "SIGNING_KEY": "builders",
    "Conformance": "conformance",
    "CrmConformance": "crms",
    "EspConformance": "esps",
    "StoreConformance": "stores",
    "assert_sendable": "builders",
    "assert_withheld": "builders",
    "campaign": "builders",
    "consent": "builders",
    "contact": "builders",
    "days_ago": "builders",
    "does_not_apply": "conformance",
    "event": "builders",
    "frozen_now": "builders",
    "lifecycle": "builders",
    "said": "builders",
    "screened": "builders",
}


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME_OF])
