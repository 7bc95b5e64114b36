import json

import pytest

from tests.cli.made_up import NOW, MadeUp
from tests.cli.running import run_well


def _explain(mail: MadeUp, who: str, *more: object) -> str:
    return run_well("explain", who, *mail.files, "-c", mail.config, "--now", NOW, *more).out


def test_an_address_and_an_id_explain_the_same(mail: MadeUp) -> None:
    """A contact is found by id and by address, however that is spelt."""
    by_id = _explain(mail, "2")
    assert by_id.startswith("bob@example.com at 2026-02-03 10:00 UTC\n")
    assert by_id == _explain(mail, "bob@example.com") == _explain(mail, "BOB@Example.COM")


def test_every_rule_is_shown_with_what_would_flip_it(mail: MadeUp) -> None:
    """Both tables are explained: each rule with the facts it read, the one that decided, and the flips."""
    text = _explain(mail, "2")
    assert "tier: inactive (inactive)" in text
    assert "sunset action: re-engage (silent)" in text
    assert "=> yes  inactive" in text
    assert "highly-engaged" in text  # rules after the one that decided are shown, too
    assert 2 == text.count("what would flip it:")
    assert "if days_inactive below 75" in text


@pytest.mark.parametrize(
    ("who", "decided"),
    [("1", "sendable (otherwise)"), ("2", "not-in-segment"), ("3", "out-of-list"), ("4", "no-address")],
)
def test_with_a_campaign_the_gates_are_explained(who: str, decided: str, mail: MadeUp) -> None:
    """`--campaign` tells which gate decided whether they get it (L3)."""
    text = _explain(mail, who, "--campaign", "thanks")
    assert f"may they get thanks: {decided}" in text
    if who == "2":
        assert 'field("2025_spend") > 100' in text
        assert "2025_spend = 40" in text


def test_json_holds_the_same(mail: MadeUp) -> None:
    """`--format json` gives contact, instant and decisions as data."""
    data = json.loads(_explain(mail, "bob@example.com", "--format", "json"))
    assert ("2", "bob@example.com") == (data["contact_id"], data["email"])
    assert data["at"].startswith("2026-02-03T10:00:00")
    tier, action = data["decisions"]
    assert ("inactive", "re-engage") == (tier["outcome"], action["outcome"])
    assert 1 == sum(rule["decided"] for rule in tier["rules"])
    assert tier["flips"]
    (gates,) = json.loads(_explain(mail, "1", "--campaign", "weekly", "--format", "json"))["decisions"]
    assert "sendable" == gates["outcome"]


def test_a_contact_without_an_address_is_named_by_id(mail: MadeUp) -> None:
    """Who has no address is explained under their id."""
    assert _explain(mail, "4").startswith("4 at ")
