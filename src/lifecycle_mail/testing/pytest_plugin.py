"""Fixtures for an application's own tests, found by pytest wherever `lifecycle-mail` is installed.

    from lifecycle_mail.testing import assert_withheld

    def test_who_left_gets_no_offers(make_lifecycle, frozen_now):
        mail = make_lifecycle(offers, thanks)
        mail.subscribe("ada@example.com", offers, proof="form 7", now=frozen_now)
        mail.opt_out("ada@example.com", scope=Scope.list("offers"), now=frozen_now)
        assert_withheld(mail.plan(thanks, now=frozen_now), "ada@example.com", reason="out-of-list")

Nothing of the library is imported before a test asks for one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lifecycle_mail.memory import MemoryEsp, MemoryStore
    from lifecycle_mail.model.contacts import Contact
    from lifecycle_mail.model.events import EngagementEvent
    from lifecycle_mail.service import Lifecycle


@pytest.fixture
def frozen_now() -> datetime:
    """The instant at which nothing else is said: a Monday morning in UTC. Give it as `now`, and add to it."""
    from lifecycle_mail.testing import frozen_now

    return frozen_now


@pytest.fixture
def fake_esp() -> MemoryEsp:
    """An ESP that sends nothing, remembers everything, and fails when it is told to (E4)."""
    from lifecycle_mail.memory import MemoryEsp

    return MemoryEsp()


@pytest.fixture
def fake_store() -> MemoryStore:
    """A store in memory, which a test can let fail."""
    from lifecycle_mail.memory import MemoryStore

    return MemoryStore()


@pytest.fixture
def make_lifecycle(fake_esp: MemoryEsp, fake_store: MemoryStore) -> Callable[..., Lifecycle]:
    """Make a `Lifecycle` on the test's own fakes: `make_lifecycle(*lists_segments_and_campaigns, **options)`.

    It never sleeps, and makes the same ids on every run.
    """
    from lifecycle_mail.testing import lifecycle

    def make(*items: Any, **options: Any) -> Lifecycle:
        return lifecycle(*items, **{"esp": fake_esp, "store": fake_store, **options})

    return make


@pytest.fixture
def make_contact() -> Callable[..., Contact]:
    """Make contacts: `make_contact("ada", fields={"plan": "pro"}, tags=["vip"])`."""
    from lifecycle_mail.testing import contact

    return contact


@pytest.fixture
def make_event() -> Callable[..., EngagementEvent]:
    """Make engagement events: `make_event("ada", "opened", at=days_ago(3))`."""
    from lifecycle_mail.testing import event

    return event
