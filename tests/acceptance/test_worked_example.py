"""The worked example L4, end to end, on the in-memory ESP; the adapters run the same page on theirs."""

from pathlib import Path

from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.lists import Scope
from tests.worked_example import LEFT_AT, walk


def test_the_worked_example_in_memory(tmp_path: Path) -> None:
    """Field, import, segment, campaign, send, one leaves: off Offers, and on every other list (L4)."""
    esp = MemoryEsp()
    names = walk(
        esp,
        uses_the_unsubscribe_link=lambda who: esp.unsubscribe(parse_address(who), Scope.list("offers"), at=LEFT_AT),
        time_passes=lambda: None,
        folder=tmp_path,
    )
    assert ["ada", "cleo"] == sorted(sent.recipient.contact_id for sent in esp.outbox)
    assert names["mail"].esp is esp
