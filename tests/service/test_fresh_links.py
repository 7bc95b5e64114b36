from datetime import UTC, datetime, timedelta

import pytest

from lifecycle_mail import mails
from lifecycle_mail.errors import InvalidInput, LinkRefused
from lifecycle_mail.mails.samples import BRAND
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import lifecycle

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
NEWS = MailingList("news", title="News", expect="one story a week")
LEAKED = mails.SigningKey("2025", b"l" * 32)
REVOKED = mails.SigningKey("2025", b"l" * 32, revoked=True)
FRESH = mails.SigningKey("2026", b"f" * 32)
BASE = "https://mail.example.com/m"


def world() -> Lifecycle:
    """Return a registry that knows Ada, who reads Estonian."""
    mail = lifecycle(NEWS, peppers={"p1": b"p" * 32})
    mail.subscribe("ada@example.com", NEWS, proof="a form", contact_id="ada", now=NOW)
    mail.store.put([Contact(id=ContactId("ada"), address=mail.contact("ada").address, locale="et")])
    return mail


def test_a_leaked_key_is_revoked_and_the_way_out_is_by_mail() -> None:
    """The old link is refused, and a fresh one goes to the address, in the reader's language (F47)."""
    registry = world()
    old = mails.Links(BASE, [LEAKED]).url("unsubscribe", "ada", now=NOW, scope=Scope.list("news"))
    links = mails.Links(BASE, [REVOKED, FRESH])
    with pytest.raises(LinkRefused):
        links.read(old.rpartition("/")[2], purpose=mails.LinkPurpose.UNSUBSCRIBE, now=NOW)
    spec = registry.fresh_link("ADA@example.com", to=NEWS, now=NOW + timedelta(days=1))
    assert spec is not None
    mail = mails.Renderer(BRAND, links=links).render(spec, now=NOW + timedelta(days=1))
    assert ("et", "ada@example.com") == (mail.language, str(mail.to.address))
    token = next(word for word in mail.text.split() if word.startswith(f"{BASE}/unsubscribe/")).rpartition("/")[2]
    link = links.read(token, purpose=mails.LinkPurpose.UNSUBSCRIBE, now=NOW + timedelta(days=90))
    assert ("ada", Scope.list("news")) == (link.contact_id, link.scope)


def test_without_a_list_the_link_leaves_all_marketing() -> None:
    """Who does not say which list leaves everything."""
    spec = world().fresh_link("ada@example.com", now=NOW)
    assert spec is not None
    links = mails.Links(BASE, [FRESH])
    mail = mails.Renderer(BRAND, links=links).render(spec, now=NOW)
    token = next(word for word in mail.text.split() if word.startswith(f"{BASE}/unsubscribe/")).rpartition("/")[2]
    assert Scope.all() == links.read(token, purpose=mails.LinkPurpose.UNSUBSCRIBE, now=NOW).scope


@pytest.mark.parametrize("typed", ["nobody@example.com", "not an address", "", "a\n@b", "gone@example.com"])
def test_nobody_is_told_whether_an_address_is_known(typed: str) -> None:
    """Unknown, impossible and erased addresses get no mail and no error, so a page can say the same to all (R22)."""
    registry = world()
    registry.subscribe("gone@example.com", NEWS, proof="a form", contact_id="gone", now=NOW)
    registry.erase("gone@example.com", by=Actor.CONTACT, now=NOW)
    assert registry.fresh_link(typed, now=NOW) is None


def test_a_mailbox_that_is_shared_gets_one_link() -> None:
    """Of several contacts with one address the first is taken: an opt-out binds the address of all."""
    registry = world()
    registry.store.put([Contact(id=ContactId("bob"), address=registry.contact("ada").address)])
    spec = registry.fresh_link("ada@example.com", purpose="preferences", now=NOW)
    assert spec is not None
    assert ("ada", mails.LinkPurpose.PREFERENCES) == (spec.to.contact_id, spec.purpose)


@pytest.mark.parametrize("purpose", ["confirm", "stay", "anything"])
def test_fresh_links_lead_out_and_nowhere_else(purpose: str) -> None:
    """A confirmation comes from `subscribe`, which knows what it would take back."""
    for typed in ("ada@example.com", "nobody@example.com", "no address"):  # alike, whoever asks (R22)
        with pytest.raises(InvalidInput, match="purpose"):
            world().fresh_link(typed, purpose=purpose, now=NOW)


@pytest.mark.parametrize("said", [{"locale": "en-US,en;q=0.9"}, {"timezone": "Mars/Olympus"}, {"locale": ""}])
def test_what_a_page_guessed_wrong_keeps_nobody_from_their_link(said: dict[str, str]) -> None:
    """A language or zone that is none counts as not given, for known and unknown alike (R22)."""
    registry = world()
    registry.subscribe("bob@example.com", NEWS, proof="a form", contact_id="bob", now=NOW)
    spec = registry.fresh_link("bob@example.com", now=NOW, **said)
    assert spec is not None
    assert "en" == spec.to.locale
    assert registry.fresh_link("nobody@example.com", now=NOW, **said) is None
