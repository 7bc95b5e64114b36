"""For tests: conformance suites for adapters, and builders for an application's own tests."""

import sys

if "pytest" in sys.modules:  # a failing law then shows both sides, as in a test of one's own
    _SUITES = ("conformance", "crms", "esps", "stores")
    sys.modules["pytest"].register_assert_rewrite(*(f"{__name__}.{suite}" for suite in _SUITES))

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
