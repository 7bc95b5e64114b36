"""The fixtures that an application's tests get from pytest."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.events import EngagementEvent
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import assert_sendable, assert_withheld

OFFERS = MailingList("offers", title="Offers")
THANKS = Campaign("thanks", to=[OFFERS])

SOMEBODY_ELSES = """
from lifecycle_mail import Campaign, MailingList, Scope
from lifecycle_mail.testing import assert_withheld

OFFERS = MailingList("offers", title="Offers")
THANKS = Campaign("thanks", to=[OFFERS])


def test_who_left_gets_no_offers(make_lifecycle, frozen_now, fake_esp):
    mail = make_lifecycle(OFFERS, THANKS)
    for name in ("ada", "bob"):
        mail.subscribe(f"{name}@example.com", OFFERS, proof="form 7", now=frozen_now)
    mail.opt_out("ada@example.com", scope=Scope.list("offers"), now=frozen_now)
    plan = mail.plan(THANKS, now=frozen_now)
    assert_withheld(plan, "ada@example.com", reason="out-of-list")
    assert 1 == mail.send(plan, now=frozen_now).sent
    assert ["bob@example.com"] == [str(sent.recipient.address) for sent in fake_esp.outbox]
"""


def test_an_application_uses_them_as_they_are(tmp_path: Path) -> None:
    """Another project's test finds the fixtures with no line of configuration."""
    (tmp_path / "test_theirs.py").write_text(SOMEBODY_ELSES, encoding="utf-8")
    ran = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert "1 passed" in ran.stdout


def test_the_fakes_of_a_test_are_its_own(
    make_lifecycle: Callable[..., Lifecycle], fake_esp: MemoryEsp, frozen_now: datetime
) -> None:
    """What a test scripts in `fake_esp` is what its `Lifecycle` meets."""
    mail = make_lifecycle(OFFERS, THANKS)
    assert mail.esp is fake_esp
    mail.subscribe("ada@example.com", OFFERS, proof="form 7", now=frozen_now)
    fake_esp.refuse("ada@example.com")
    plan = mail.plan(THANKS, now=frozen_now)
    assert_sendable(plan, "ada@example.com")
    assert 1 == len(mail.send(plan, now=frozen_now).refused)
    mail.opt_out("ada@example.com", scope=Scope.all(), now=frozen_now)
    assert_withheld(mail.plan(THANKS, now=frozen_now), "ada@example.com", reason="out-of-all")


def test_builders_build(
    make_contact: Callable[..., Contact], make_event: Callable[..., EngagementEvent], frozen_now: datetime
) -> None:
    """Each in one line, with a frozen aware instant."""
    assert {"plan": "pro"} == dict(make_contact("ada", fields={"plan": "pro"}).fields)
    assert "ada" == make_event("ada", "opened", at=frozen_now).contact_id
    assert UTC is frozen_now.tzinfo


@pytest.mark.parametrize("module", ["lifecycle_mail.service", "jinja2", "babel"])
def test_loading_the_plugin_is_light(module: str) -> None:
    """Whoever has the library installed and does not use it in a test pays nothing for it."""
    code = f"import sys, lifecycle_mail.testing.pytest_plugin; sys.exit({module!r} in sys.modules)"
    assert 0 == subprocess.run([sys.executable, "-c", code], check=False).returncode  # noqa: S603
