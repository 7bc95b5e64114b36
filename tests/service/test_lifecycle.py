"""What is left of `Lifecycle`: making one, fields, and names that are not there."""

import pytest

from lifecycle_mail.errors import InvalidInput, Misconfigured, UnknownName
from lifecycle_mail.memory import MemoryEsp, MemoryStore
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.lists import Frequency, Scope
from lifecycle_mail.policy.programme import Programme
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import lifecycle
from tests.service.worlds import NOW, OFFERS, PROOF, SPRING, address, needs_confirmation, world


def test_one_is_made_by_names() -> None:
    """`Lifecycle(esp="memory", store="memory:")` finds both by entry point (E5)."""
    mail = Lifecycle("memory", "memory:")
    assert isinstance(mail.esp, MemoryEsp)
    assert isinstance(mail.store, MemoryStore)
    with pytest.raises(Misconfigured, match="nothing named 'oracle'"):
        Lifecycle("memory", "oracle://host/db")


def test_in_memory_needs_no_keys() -> None:
    """It makes its own: a first step works at once."""
    with Lifecycle.in_memory(programme=Programme.of(OFFERS)) as mail:
        mail.opt_out("ada@example.com", scope=Scope.all(), now=NOW)
        asked = needs_confirmation(mail.subscribe("ada@example.com", "offers", proof=PROOF, now=NOW))
        mail.confirm(asked.token, now=NOW)
        assert 32 == len(mail.contact("ada@example.com").id)


def test_leaving_the_block_closes_the_store() -> None:
    """Also after an error."""

    class Closing(MemoryStore):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    store = Closing()
    with lifecycle(store=store):
        assert 0 == store.closed
    with pytest.raises(KeyError), lifecycle(store=store):
        raise KeyError
    assert 2 == store.closed


def test_fields_are_set_typed_and_removed() -> None:
    """A declared field is read as its type, None removes one, tags and frequency are set (L4, P2)."""
    programme = Programme(fields={"2020_spend": FieldType.NUMBER, "since": FieldType.INSTANT})
    mail = Lifecycle.in_memory(programme=programme)
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    mail.update("ada", {"2020_spend": "99.90", "note": "x"}, now=NOW, tags=["vip"])
    changed = mail.update("ada", {"note": None}, now=NOW, frequency=Frequency.MONTHLY)
    assert ({"2020_spend": 99.90}, {"vip"}, Frequency.MONTHLY) == (
        dict(changed.fields), set(changed.tags), changed.frequency,
    )  # fmt: skip
    assert changed == mail.contact("ada")
    with pytest.raises(InvalidInput, match="2020_spend"):
        mail.update("ada", {"2020_spend": "a lot"}, now=NOW)
    with pytest.raises(UnknownName):
        mail.update("nobody", {}, now=NOW)
    assert changed == mail.contact("ada")


def test_unknown_names_are_near_missed() -> None:
    """A list, a campaign or a contact that is not there is an error with a hint."""
    mail = world("ada")
    with pytest.raises(UnknownName, match="offers"):
        mail.standing("ada", "ofers", now=NOW)
    with pytest.raises(UnknownName, match="ofers"):
        mail.subscribe(address("bob"), "ofers", proof=PROOF, now=NOW)
    with pytest.raises(UnknownName, match="nobody"):
        mail.contact("nobody")
    with pytest.raises(UnknownName, match="spring"):
        mail.reconcile("sprig", now=NOW)


def test_what_calls_name_is_added_to_the_programme() -> None:
    """A list or campaign given as an object is known by its key afterwards."""
    mail = lifecycle()
    mail.subscribe(address("ada"), OFFERS, proof=PROOF, now=NOW, contact_id="ada")
    mail.plan(SPRING, now=NOW)
    assert 1 == mail.send(mail.plan("spring", now=NOW), now=NOW).sent
    assert mail.standing("ada", "offers", now=NOW) == mail.standing("ada", OFFERS, now=NOW)
