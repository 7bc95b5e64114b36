"""A registry that is exported and imported is the same one, whatever interrupts it, and nobody comes back by it."""

import csv
import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import HealthCheck, given, settings

from lifecycle_mail.errors import InvalidInput, RegistryBusy, RegistryUnavailable, UnknownName
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import MatchKey, parse_address
from lifecycle_mail.model.consent import ListStanding
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import (
    AddressChanged,
    Consent,
    ConsentRequest,
    Entry,
    Lift,
    OptOut,
    Pushed,
    Record,
    Standing,
    Subject,
    Suppression,
)
from lifecycle_mail.model.events import EventKind
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.ports import Bookmark
from lifecycle_mail.service import Lifecycle, Subscribed
from lifecycle_mail.service.moving import Imported
from lifecycle_mail.testing import event
from tests.service.worlds import (
    DAY,
    NEWS,
    NOW,
    OFFERS,
    PROOF,
    Countdown,
    Crashed,
    Mortal,
    address,
    entries,
    needs_confirmation,
    shelf,
    world,
)
from tests.strategies import CONTACTS, KEYS, LISTS, logs

ALL = Scope.all()
OUT = {ListStanding.OUT_OF_ALL, ListStanding.OUT_OF_CHANNEL, ListStanding.OUT_OF_LIST}
PEPPERS = {"2026": "a secret of quite enough bytes"}
LATER = NOW + 40 * DAY

SLOW_FIXTURE = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def standing(mail: Lifecycle, name: str, to: MailingList = OFFERS) -> str:
    """Tell how somebody stands with a list."""
    return str(mail.standing(name, to, now=LATER))


def move(mail: Lifecycle, folder: Path, *, into: Lifecycle | None = None, **options: Any) -> Lifecycle:
    """Export a registry, and import all of it into an empty one."""
    other = into or world(**options)
    mail.export_profiles(folder / "profiles.jsonl")
    mail.export_opt_outs(folder / "opt-outs.csv")
    mail.export_subscriptions(folder / "subscriptions.csv", now=LATER)
    other.import_profiles(folder / "profiles.jsonl", now=LATER)
    other.import_opt_outs(folder / "opt-outs.csv", now=LATER)
    other.import_subscriptions(folder / "subscriptions.csv", now=LATER)
    return other


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, *lines: str) -> Path:
    """Write a file of lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def noes(mail: Lifecycle) -> list[OptOut | Suppression]:
    """Return every no and suppression of the log, by id: an import writes its rows in an order of its own."""
    found = [r.entry for r in mail.store.records() if isinstance(r.entry, OptOut | Suppression)]
    return sorted(found, key=lambda entry: entry.id)


def returns(mail: Lifecycle, name: str, to: MailingList = OFFERS, *, at: Any = NOW) -> None:
    """Let somebody come back by their own act."""
    asked = needs_confirmation(mail.subscribe(address(name), to, proof=PROOF, now=at))
    mail.confirm(asked.token, now=at + timedelta(minutes=1), evidence="link in the mail")


def registry(log: Sequence[Entry]) -> Lifecycle:
    """Return a registry with ann and bob, and this log."""
    mail = world(lists=())
    for contact_id, key in zip(CONTACTS, (KEYS[0], KEYS[2]), strict=True):
        mail.store.put([Contact(id=contact_id, address=parse_address(key.partition(":")[2]))])
    mail.store.append(log, at=NOW)
    return mail


class TestRoundTrip:
    """An export that is imported into an empty registry."""

    @SLOW_FIXTURE
    @given(log=logs())
    def test_nobody_is_brought_back(self, log: list[Entry], tmp_path: Path) -> None:
        """Who was not active is not, who was out is out, and whoever was held back still is (O4)."""
        mail = registry(log)
        other = move(mail, tmp_path)
        for one in CONTACTS:
            for key in LISTS:
                before = mail.standing(one, MailingList(key), now=LATER)
                after = other.standing(one, MailingList(key), now=LATER)
                assert before is ListStanding.ACTIVE or after is not ListStanding.ACTIVE
                assert before not in OUT or after in OUT
            held = [reg._reader.person(reg.contact(one)).held_by(now=LATER).keys() for reg in (mail, other)]
            assert held[0] <= held[1]

    @SLOW_FIXTURE
    @given(log=logs(citing=False))
    def test_everybody_stands_as_before(self, log: list[Entry], tmp_path: Path) -> None:
        """Where nobody came back or moved, all stand the same, by the same noes; other addresses agree to nothing."""
        mail = registry([one for one in log if not isinstance(one, AddressChanged | Lift)])
        other = move(mail, tmp_path)
        assert noes(mail) == noes(other)
        for one in CONTACTS:
            people = [reg._reader.person(reg.contact(one)) for reg in (mail, other)]
            assert people[0].opt_outs == people[1].opt_outs
            assert people[0].suppressions == people[1].suppressions
            for key in LISTS:
                before, after = (person.standing(key, now=LATER) for person in people)
                asked = any(request.list == key for request in people[0].requests)
                elsewhere = before is ListStanding.UNCONFIRMED and not asked
                assert (ListStanding.NONE if elsewhere else before) is after

    @SLOW_FIXTURE
    @given(log=logs())
    def test_a_second_time_changes_nothing(self, log: list[Entry], tmp_path: Path) -> None:
        """The same files again, and the export where it came from, tell nothing new (F6)."""
        mail = registry(log)
        other = move(mail, tmp_path)
        before = list(other.store.records())
        move(mail, tmp_path, into=other)
        assert before == list(other.store.records())
        before = list(mail.store.records())
        told = mail.import_opt_outs(tmp_path / "opt-outs.csv", now=LATER)
        assert (0, before) == (told.new, list(mail.store.records()))

    def test_who_came_back_is_back(self, tmp_path: Path) -> None:
        """A no to one list that its person overrode stays overridden, and a later one stands."""
        mail = world("ada", "bob", "cem", lists=(OFFERS, NEWS))
        for name in ("ada", "bob"):
            mail.opt_out(name, scope=Scope.list("offers"), now=NOW)
            returns(mail, name, at=NOW + DAY)
        mail.opt_out("bob", scope=Scope.list("offers"), now=NOW + 2 * DAY)
        other = move(mail, tmp_path)
        assert ["active", "out-of-list", "active"] == [standing(other, name) for name in ("ada", "bob", "cem")]
        assert ["overridden", "overridden", "stands"] == [row["standing"] for row in rows_of(tmp_path / "opt-outs.csv")]
        assert Standing.IMPORTED is other._reader.person(other.contact("ada")).consents[0].standing
        assert isinstance(other.subscribe("ada", NEWS, proof=PROOF, now=LATER), Subscribed)

    def test_a_no_to_all_stands_for_lists_to_come(self, tmp_path: Path) -> None:
        """Who came back to one list after a no to all is out again until they confirm: no import speaks for them."""
        mail = world("ada", lists=(OFFERS, NEWS))
        mail.opt_out("ada", scope=ALL, now=NOW)
        returns(mail, "ada", at=NOW + DAY)
        other = move(mail, tmp_path)
        (row,) = rows_of(tmp_path / "opt-outs.csv")
        assert ("stands", "offers") == (row["standing"], row["overridden_for"])
        assert ("active", "out-of-all") == (standing(mail, "ada"), standing(other, "ada"))
        returns(other, "ada", at=LATER - DAY)
        assert ("active", "out-of-all") == (standing(other, "ada"), standing(other, "ada", NEWS))

    def test_a_shared_address_stays_out_for_the_other(self, tmp_path: Path) -> None:
        """Where one of two at an address came back, the no is not over: the other never said so."""
        mail = world("ada")
        mail.store.put([Contact(id=ContactId("cem"), address=parse_address(address("ada")))])
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        asked = needs_confirmation(mail.subscribe("ada", OFFERS, proof=PROOF, now=NOW + DAY))
        mail.confirm(asked.token, now=NOW + DAY, evidence="link in the mail")
        assert ["active", "out-of-list"] == [standing(mail, name) for name in ("ada", "cem")]
        other = move(mail, tmp_path)
        assert ["stands"] == [row["standing"] for row in rows_of(tmp_path / "opt-outs.csv")]
        assert ["out-of-list", "out-of-list"] == [standing(other, name) for name in ("ada", "cem")]

    def test_what_was_lifted_is_lifted(self, tmp_path: Path) -> None:
        """A sunset that ended is over, one that did not holds, and a bounce stays with the address."""
        mail = world("ada", "bob", "cem")
        said = Provenance(actor=Actor.POLICY, through=Through.RUN, at=NOW)
        for name, kind in (("ada", "sunset"), ("bob", "sunset"), ("cem", "bounce")):
            mail.suppress(name, kind, provenance=said, now=NOW)
        mail.lift("ada", "sunset", by=Actor.OPERATOR, text="she wrote", now=NOW + DAY)
        mail.lift("cem", "bounce", by=Actor.OPERATOR, text="mailbox is back", now=NOW + DAY)
        other = move(mail, tmp_path)
        assert ["lifted", "stands", "lifted"] == [row["standing"] for row in rows_of(tmp_path / "opt-outs.csv")]
        held = [other._reader.person(other.contact(name)).held_by(now=LATER) for name in ("ada", "bob", "cem")]
        assert [[], ["sunset"], []] == [[str(kind) for kind in one] for one in held]

    def test_a_lift_elsewhere_leaves_the_address_dead(self, tmp_path: Path) -> None:
        """A bounce that was lifted at another address still binds whoever uses the one that bounced."""
        mail = world("ada")
        mail.suppress("ada", "bounce", provenance=Provenance(actor=Actor.ESP, through=Through.BOUNCE, at=NOW), now=NOW)
        (bounce,) = entries(mail, Suppression)
        mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
        said = Provenance(actor=Actor.OPERATOR, through=Through.APPLICATION, at=NOW, text="mailbox is back")
        new = Subject(contact_id=ContactId("ada"), key=MatchKey("1:new@example.com"))
        mail.store.append([Lift(subject=new, cites={bounce.id}, provenance=said)], at=NOW)
        mail.export_opt_outs(tmp_path / "o.csv")
        assert ["stands"] == [row["standing"] for row in rows_of(tmp_path / "o.csv")]

    def test_an_echo_is_told_for_one(self, tmp_path: Path) -> None:
        """What an ESP reports of our own push is an echo, and overridden with the no that it echoes."""
        mail = world("ada")
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        (no,) = entries(mail, OptOut)
        told = Provenance(actor=Actor.ESP, through=Through.WEBHOOK, at=NOW + timedelta(minutes=1), source="memory")
        push = Provenance(actor=Actor.POLICY, through=Through.RUN, at=NOW, source="memory")
        echo = OptOut(subject=no.subject, scope=no.scope, event_id="w1", provenance=told)
        mail.store.append([Pushed(subject=no.subject, opt_out=no.id, scope=no.scope, provenance=push), echo], at=NOW)
        mail.export_opt_outs(tmp_path / "o.csv")
        assert ["stands", "echo"] == [row["standing"] for row in rows_of(tmp_path / "o.csv")]
        returns(mail, "ada", at=NOW + DAY)
        mail.export_opt_outs(tmp_path / "o.csv")
        assert ["overridden", "overridden"] == [row["standing"] for row in rows_of(tmp_path / "o.csv")]

    def test_somebody_who_is_gone_is_read_from_the_log(self, tmp_path: Path) -> None:
        """The return of a contact who was taken out of the active records still counts."""
        mail = world("ada")
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        returns(mail, "ada", at=NOW + DAY)
        mail.store.remove([ContactId("ada")])
        mail.export_opt_outs(tmp_path / "o.csv")
        assert ["overridden"] == [row["standing"] for row in rows_of(tmp_path / "o.csv")]

    def test_noes_of_former_addresses_follow(self, tmp_path: Path) -> None:
        """A no of an address that somebody left binds them in the new registry as well."""
        mail = world("ada")
        mail.opt_out("home@example.com", scope=ALL, now=NOW)
        mail.store.put([Contact(id=ContactId("bob"), address=parse_address("home@example.com"))])
        mail.change_address("bob", "bob@example.com", by=Actor.CONTACT, now=NOW)
        other = move(mail, tmp_path)
        assert ["out-of-all", "out-of-all"] == [standing(one, "bob") for one in (mail, other)]

    def test_consent_that_ended_stays_ended(self, tmp_path: Path) -> None:
        """Implied consent keeps its end, a request is no consent, and an end to come comes (R10)."""
        mail = world("ada", "bob", "cem")
        for name, days in (("ada", 30), ("bob", 50)):
            mail.subscribe(
                name, NEWS, proof=PROOF, now=NOW, standing=Standing.IMPLIED, expires_at=NOW + days * DAY
            )  # fmt: skip
        alerts = MailingList("alerts", title="Alerts", double_opt_in=True)
        needs_confirmation(mail.subscribe("cem", alerts, proof=PROOF, now=NOW))
        other = world()
        other.programme = other.programme.with_(alerts)
        move(mail, tmp_path, into=other)
        found = [other.standing(name, NEWS, now=LATER) for name in ("ada", "bob", "cem")]
        assert ["expired", "active", "none"] == [str(one) for one in found]
        assert "expired" == str(other.standing("bob", NEWS, now=NOW + 50 * DAY))
        assert "unconfirmed" == str(mail.standing("cem", alerts, now=LATER))
        assert "unconfirmed" == str(other.standing("cem", alerts, now=LATER))
        write(tmp_path / "list.csv", "email", address("cem"))
        other.import_subscriptions(tmp_path / "list.csv", to=alerts, now=LATER)
        assert "unconfirmed" == str(other.standing("cem", alerts, now=LATER))
        assert 1 == len(entries(other, ConsentRequest))

    def test_the_consent_that_lasts_longest_is_written(self, tmp_path: Path) -> None:
        """Of several consents to one list, the one that the standing rests on."""
        mail = world("ada")
        mail.subscribe("ada", OFFERS, proof="later", now=NOW, standing=Standing.IMPLIED, expires_at=NOW + DAY)
        mail.export_subscriptions(tmp_path / "s.csv", now=NOW)
        (row,) = rows_of(tmp_path / "s.csv")
        assert ("active", "express", "", PROOF) == (row["standing"], row["consent"], row["expires_at"], row["evidence"])

    def test_profiles_come_back_whole(self, tmp_path: Path) -> None:
        """Contacts with fields, tags and engagement are equal, and so is what is decided about them."""
        mail = world("ada", "bob")
        mail.update("ada", {"spend": 250.5, "vip": True, "since": NOW}, tags=["b", "a"], now=NOW)
        mail.record([event("ada", EventKind.SENT, at=NOW), event("ada", EventKind.OPENED, at=NOW + DAY)], now=LATER)
        other = move(mail, tmp_path)
        assert list(mail.store.each()) == list(other.store.each())
        ids = [ContactId("ada"), ContactId("bob")]
        assert mail.store.profiles(ids) == other.store.profiles(ids)
        decided = [[(row.tier.outcome, row.action.outcome) for row in one.decide(now=LATER)] for one in (mail, other)]
        assert decided[0] == decided[1]


class TestExport:
    """What is written, and when."""

    def test_a_row_tells_all(self, tmp_path: Path) -> None:
        """Place, instants, who, through what, why and on what evidence (O3)."""
        mail = world("ada")
        no = mail.opt_out(
            "ada", scope=ALL, campaign="spring", through="one-click", reason=OptOutReason.OTHER, text="=too loud",
            evidence="192.0.2.1", event_id="e1", now=NOW,
        ).opt_out  # fmt: skip
        assert 1 == mail.export_opt_outs(tmp_path / "o.csv").rows
        assert {
            "seq": str(mail.store.position()), "recorded_at": "2026-03-02T09:00:00Z", "what": "opt-out",
            "scope_or_kind": "all", "address": "ada@example.com", "contact_id": "ada",
            "happened_at": "2026-03-02T09:00:00Z", "actor": "contact", "through": "one-click", "source": "app",
            "campaign": "spring", "segment": "", "reason": "other", "text": "'=too loud", "evidence": "192.0.2.1",
            "event_id": "e1", "dated": "true", "until": "", "entry_id": no.id, "standing": "stands",
            "overridden_for": "", "match_rules": "1",
        } == rows_of(tmp_path / "o.csv")[0]  # fmt: skip

    def test_the_registry_as_it_stood(self, tmp_path: Path) -> None:
        """Until an instant, later noes are not there, and who came back later has not yet (O10)."""
        mail = world("ada", "bob")
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        returns(mail, "ada", at=NOW + DAY)
        mail.opt_out("bob", scope=ALL, now=NOW + DAY)
        mail.export_opt_outs(tmp_path / "then.csv", until=NOW)
        assert [("ada", "stands")] == [(r["contact_id"], r["standing"]) for r in rows_of(tmp_path / "then.csv")]
        mail.export_opt_outs(tmp_path / "now.csv")
        assert ["overridden", "stands"] == [row["standing"] for row in rows_of(tmp_path / "now.csv")]

    def test_exports_that_go_on(self, tmp_path: Path) -> None:
        """What comes after the position of an export is the next one, and together they are the whole."""
        mail = world("ada", "bob")
        mail.opt_out("ada", scope=ALL, now=NOW)
        first = mail.export_opt_outs(tmp_path / "1.csv")
        mail.opt_out("bob", scope=ALL, now=NOW)
        second = mail.export_opt_outs(tmp_path / "2.csv", after=first.position)
        assert (1, 1, mail.store.position()) == (first.rows, second.rows, second.position)
        other = world(lists=())
        for name in ("2.csv", "1.csv"):
            other.import_opt_outs(tmp_path / name, now=NOW)
        assert {one.id for one in noes(mail)} == {one.id for one in noes(other)}

    def test_a_log_in_chunks(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """However the log is cut, the file is the same (F68)."""
        mail = world("ada", "bob", "cem")
        for name in ("ada", "bob", "cem"):
            mail.opt_out(name, scope=Scope.list("offers"), now=NOW)
        returns(mail, "bob", at=NOW + DAY)
        done: list[int] = []
        mail.export_opt_outs(tmp_path / "one.csv")
        monkeypatch.setattr("lifecycle_mail.service.reading.chunks.__defaults__", (2,))
        mail.export_opt_outs(tmp_path / "two.csv", progress=done.append)
        assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
        assert [2, 3] == done

    def test_an_empty_registry(self, tmp_path: Path) -> None:
        """Files without rows are files, and say nothing."""
        other = move(world(), tmp_path)
        assert (0, 0) == (other.store.position(), other.store.count())

    def test_as_hashes_nobody_is_named(self, tmp_path: Path) -> None:
        """No address, contact id, word or proof is in the bytes (O5)."""
        mail = world("ada-7", peppers=PEPPERS)
        mail.opt_out("ada-7", scope=ALL, text="she said", evidence="192.0.2.1", source="ada@example.com", now=NOW)
        mail.export_opt_outs(tmp_path / "o.csv", hashed="2026")
        mail.export_subscriptions(tmp_path / "s.csv", now=NOW, hashed="2026")
        for name in ("o.csv", "s.csv"):
            content = (tmp_path / name).read_text()
            assert 2 == len(content.splitlines())
            assert not [word for word in ("@", "ada-7", "she said", "192.0.2.1", PROOF) if word in content]
            assert Peppers(PEPPERS).hashed("1:ada-7@example.com") in content

    def test_a_pepper_that_is_not_given(self, tmp_path: Path) -> None:
        """Nothing is written under a secret that is not there."""
        mail = world("ada", peppers=PEPPERS)
        with pytest.raises(UnknownName, match="no pepper named '2025'"):
            mail.export_opt_outs(tmp_path / "o.csv", hashed="2025")
        with pytest.raises(UnknownName, match="no pepper named '2025'"):
            mail.export_subscriptions(tmp_path / "s.csv", now=NOW, hashed="2025")
        assert [] == list(tmp_path.iterdir())

    def test_a_store_that_fails_leaves_the_old_file(self, tmp_path: Path) -> None:
        """Whole or not at all."""
        mail = world("ada")
        mail.opt_out("ada", scope=ALL, now=NOW)
        path = write(tmp_path / "o.csv", "old")
        shelf(mail).fail("about", RegistryUnavailable("gone"))
        with pytest.raises(RegistryUnavailable):
            mail.export_opt_outs(path)
        assert ("old\n", [path]) == (path.read_text(), list(tmp_path.iterdir()))


class TestLists:
    """Lists of addresses that others keep."""

    def test_everybody_in_it_is_out(self, tmp_path: Path) -> None:
        """Contacts and strangers, whatever joins later, and the books add up."""
        mail = world("ada", "bob")
        path = write(tmp_path / "out.csv", "email", address("ada"), "not an address", "stranger@example.com")
        told = mail.import_opt_outs(path, now=NOW, rejects=tmp_path / "rejects.csv")
        assert Imported(rows=3, taken=2, rejected=1, new=2) == told
        assert "3 rows: 2 new, 0 known, 0 passed over, 1 rejected" == str(told)
        assert ["out-of-all", "active"] == [standing(mail, "ada"), standing(mail, "bob")]
        needs_confirmation(mail.subscribe("stranger@example.com", OFFERS, proof=PROOF, now=LATER))
        (row,) = rows_of(tmp_path / "rejects.csv")
        assert (str(path), "3", "row", "not an address") == (row["file"], row["line"], row["refused"], row["row"])

    def test_it_says_where_it_comes_from(self, tmp_path: Path) -> None:
        """The source is the file's name unless one is given, and the evidence is the file (O3)."""
        mail = world()
        path = write(tmp_path / "out.csv", "ada@example.com")
        mail.import_opt_outs(path, now=NOW)
        (no,) = entries(mail, OptOut)
        assert ("file:out.csv", NOW) == (no.provenance.source, no.provenance.at)
        assert no.provenance.evidence.startswith("out.csv, sha256 ")

    def test_next_week_nobody_leaves_twice(self, tmp_path: Path) -> None:
        """A source that says the same again of somebody who came back says nothing new; another source does (O4)."""
        mail = world("ada")
        mail.import_opt_outs(write(tmp_path / "1.csv", address("ada")), source="shop", now=NOW)
        returns(mail, "ada", at=NOW + DAY)
        told = mail.import_opt_outs(
            write(tmp_path / "2.csv", address("ada"), "x@example.com"), source="shop", now=LATER
        )
        assert (1, 1, "active") == (told.new, told.known, standing(mail, "ada"))
        mail.import_opt_outs(tmp_path / "2.csv", source="agency", now=LATER)
        assert "out-of-all" == standing(mail, "ada")

    def test_a_scope_for_the_whole_list(self, tmp_path: Path) -> None:
        """A list's noes reach as far as the caller says; a list that is not declared is no scope."""
        mail = world("ada", lists=(OFFERS, NEWS))
        path = write(tmp_path / "out.csv", address("ada"))
        mail.import_opt_outs(path, scope=Scope.list("offers"), now=NOW)
        assert ("out-of-list", "active") == (standing(mail, "ada"), standing(mail, "ada", NEWS))
        with pytest.raises(UnknownName, match="no list named 'offres'; did you mean offers"):
            mail.import_opt_outs(path, scope=Scope.list("offres"), now=NOW)

    def test_a_list_that_nobody_declared_is_no_scope(self, tmp_path: Path) -> None:
        """Without any declared list, a no to one would bind nothing: refused, and in a cell it is one to all."""
        mail = Lifecycle.in_memory()
        path = write(tmp_path / "out.csv", "email,scope", "ada@example.com,list:nope")
        with pytest.raises(UnknownName, match="no list named 'nope'"):
            mail.import_opt_outs(path, scope=Scope.list("nope"), now=NOW)
        mail.import_opt_outs(path, now=NOW)
        assert [ALL] == [one.scope for one in entries(mail, OptOut)]

    def test_a_list_that_was_written_to_the_store_is_declared(self, tmp_path: Path) -> None:
        """A scope cell is checked against the lists of the programme and of the store."""
        mail = world("ada")
        mail.store.put_lists([MailingList("old")])
        path = write(tmp_path / "out.csv", "email,scope", "ada@example.com,list:old", "bob@example.com,list:odd")
        mail.import_opt_outs(path, now=NOW)
        assert [Scope.list("old"), ALL] == [one.scope for one in entries(mail, OptOut)]

    def test_contacts_can_be_named(self, tmp_path: Path) -> None:
        """Where one contact has the address the no names both; shared ones and strangers are left alone."""
        mail = world("ada")
        for name in ("bob", "cem"):
            mail.store.put([Contact(id=ContactId(name), address=parse_address("home@example.com"))])
        path = write(tmp_path / "out.csv", "ADA@example.com", "home@example.com", "stranger@example.com")
        mail.import_opt_outs(path, match_contacts=True, now=NOW)
        assert ["ada", None, None] == [one.subject.contact_id for one in entries(mail, OptOut)]
        mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
        assert "out-of-all" == standing(mail, "ada")

    def test_mails_that_are_on_their_way_are_marked(self, tmp_path: Path) -> None:
        """A no that names a contact marks what was handed off before (F18)."""
        mail = world("ada", "bob")
        mail.send(mail.plan("spring", now=NOW), now=NOW)
        at = NOW + timedelta(hours=1)
        mail.import_opt_outs(write(tmp_path / "out.csv", address("ada")), match_contacts=True, now=at)
        marks = [mail.store.claims_of(ContactId(name))[0].opted_out_at for name in ("ada", "bob")]
        assert [at, None] == marks

    def test_mails_to_an_address_of_a_list_are_marked(self, tmp_path: Path) -> None:
        """A no of an address alone marks what was handed off to whoever has it, or had it, and nobody else (F18)."""
        mail = world("ada", "bob", "cem")
        mail.store.put([Contact(id=ContactId("dan"), address=parse_address(address("ada")))])
        mail.send(mail.plan("spring", now=NOW), now=NOW)
        mail.change_address("bob", "new@example.com", by=Actor.CONTACT, now=NOW)
        at = NOW + timedelta(hours=1)
        mail.import_opt_outs(write(tmp_path / "out.csv", address("ada"), address("bob")), now=at)
        marks = {name: mail.store.claims_of(ContactId(name)) for name in ("ada", "bob", "cem")}
        assert {"ada": at, "bob": at, "cem": None} == {name: one[0].opted_out_at for name, one in marks.items()}

    def test_packed_and_broken_files(self, tmp_path: Path) -> None:
        """A gzip file is read like a plain one; one that is cut off gives what it holds, and says so."""
        whole = gzip.compress(b"".join(b"user%d@example.com\n" % n for n in range(5000)), 1)
        path = tmp_path / "out.csv.gz"
        path.write_bytes(whole[: len(whole) // 2])
        told = world().import_opt_outs(path, now=NOW, rejects=tmp_path / "rejects.csv")
        assert 100 < told.taken < 5000
        assert "from here on the file cannot be read" == rows_of(tmp_path / "rejects.csv")[-1]["reason"][:36]
        path.write_bytes(whole)
        assert 5000 == world().import_opt_outs(path, now=NOW).new

    @pytest.mark.parametrize("hashed", [None, "2026"])
    def test_hashes_are_found_by_the_address(self, hashed: str | None, tmp_path: Path) -> None:
        """A no that came as a hash keeps out whoever has the address, now or later (O5)."""
        mail = world("ada", peppers=PEPPERS)
        mail.opt_out("ada", scope=ALL, now=NOW)
        if hashed is None:
            path = write(tmp_path / "o.csv", "hash", Peppers(PEPPERS).hashed("1:ada@example.com"))
        else:
            path = tmp_path / "o.csv"
            mail.export_opt_outs(path, hashed=hashed)
        other = world("bob", peppers=PEPPERS)
        assert 1 == other.import_opt_outs(path, now=NOW).new
        assert 0 == other.import_opt_outs(path, now=NOW).new
        other.store.put([Contact(id=ContactId("cem"), address=parse_address(address("ada")))])
        assert ["active", "out-of-all"] == [standing(other, name) for name in ("bob", "cem")]
        needs_confirmation(other.subscribe("cem", OFFERS, proof=PROOF, now=LATER))

    @pytest.mark.parametrize("hashed", [None, "2026"])
    def test_our_own_no_that_comes_back_is_known(self, hashed: str | None, tmp_path: Path) -> None:
        """What another registry heard from us, and tells us, is no second no: who came back meanwhile stays (O4)."""
        mail, other = world("ada", peppers=PEPPERS), world(peppers=PEPPERS)
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        mail.import_opt_outs(write(tmp_path / "list.csv", "bob@example.com", "cem@example.com"), now=NOW)
        mail.export_opt_outs(tmp_path / "ours.csv", hashed=hashed)
        assert 3 == other.import_opt_outs(tmp_path / "ours.csv", now=NOW).new
        returns(mail, "ada", at=NOW + DAY)
        other.opt_out("dan@example.com", scope=ALL, now=NOW)
        other.export_opt_outs(tmp_path / "theirs.csv", hashed=hashed)
        told = mail.import_opt_outs(tmp_path / "theirs.csv", chunk=2, now=LATER)
        assert Imported(rows=4, taken=4, new=1, known=3) == told
        assert ("active", 4) == (standing(mail, "ada"), mail.opt_out_causes().total)
        assert (0, 3) == _new_and_known(mail.import_opt_outs(tmp_path / "ours.csv", now=LATER))
        assert 0 == other.import_opt_outs(tmp_path / "theirs.csv", now=LATER).new

    def test_who_was_erased_stays_suppressed(self, tmp_path: Path) -> None:
        """A list that names somebody who was erased makes them no more readable, and no less out (F62)."""
        mail = world("ada", "bob", peppers=PEPPERS)
        mail.opt_out("ada", scope=ALL, now=NOW)
        mail.export_opt_outs(tmp_path / "o.csv")
        mail.store.erase(ContactId("ada"), [MatchKey("1:ada@example.com")])
        assert 0 == mail.import_opt_outs(tmp_path / "o.csv", now=LATER).new
        mail.import_opt_outs(write(tmp_path / "list.csv", address("ada")), now=LATER)
        assert not [one for one in mail.store.records() if "ada@" in repr(one)]
        mail.store.put([Contact(id=ContactId("cem"), address=parse_address(address("ada")))])
        assert "out-of-all" == standing(mail, "cem")


class TestSubscriptions:
    """Lists of subscribers, and exports of subscriptions."""

    def test_a_list_of_subscribers(self, tmp_path: Path) -> None:
        """Everybody in it is known and subscribed by an import, and who said no is not (O4)."""
        mail = world("ada")
        mail.opt_out("ada", scope=ALL, now=NOW)
        path = write(tmp_path / "s.csv", "email", address("ada"), "new@example.com", "nobody")
        told = mail.import_subscriptions(path, to=OFFERS, now=NOW)
        assert Imported(rows=3, taken=2, rejected=1, new=2) == told
        assert ["out-of-all", "active"] == [standing(mail, "ada"), standing(mail, "new@example.com")]
        assert {Standing.IMPORTED} == {one.standing for one in entries(mail, Consent) if one.provenance.at == NOW}

    def test_a_confirmed_consent_becomes_an_imported_one(self, tmp_path: Path) -> None:
        """With the proof that it had (R12); it cites nothing."""
        mail = world("ada")
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        returns(mail, "ada")
        (consent,) = entries(move(mail, tmp_path, lists=()), Consent)
        assert (Standing.IMPORTED, frozenset(), None) == (consent.standing, consent.cites, consent.request)
        assert "link in the mail" in consent.provenance.evidence

    @pytest.mark.parametrize("proof", ["x" * 100_000, "a\0b"])
    def test_a_proof_that_no_cell_holds_comes_back_whole(self, proof: str, tmp_path: Path) -> None:
        """What proves a consent is not cut on the way (R12)."""
        mail = world("ada")
        mail.subscribe("ada", NEWS, proof=proof, now=NOW)
        other = move(mail, tmp_path, lists=())
        assert {PROOF, proof} == {one.provenance.evidence for one in entries(other, Consent)}
        assert ["active", "active"] == [standing(other, "ada", to) for to in (OFFERS, NEWS)]

    def test_a_file_does_not_move_people(self, tmp_path: Path) -> None:
        """An export is older than what is known of somebody: their address stays."""
        mail = world("ada")
        mail.export_subscriptions(tmp_path / "s.csv", now=NOW)
        mail.opt_out("ada", scope=Scope.list("offers"), now=NOW)
        mail.export_subscriptions(tmp_path / "out.csv", now=NOW)
        mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
        for name in ("s.csv", "out.csv"):
            mail.import_subscriptions(tmp_path / name, now=LATER)
        assert "new@example.com" == mail.contact("ada").email
        assert "out-of-list" == standing(mail, "ada")

    def test_who_is_out_is_known_and_no_more(self, tmp_path: Path) -> None:
        """Subscriptions without the opt-outs make nobody active who was out."""
        mail = world("ada", "bob")
        mail.opt_out("ada", scope=ALL, now=NOW)
        mail.export_subscriptions(tmp_path / "s.csv", now=NOW)
        other = world(lists=())
        told = other.import_subscriptions(tmp_path / "s.csv", now=LATER)
        assert (1, 1, 0) == (told.new, told.passed, told.known)
        assert ["none", "active"] == [standing(other, "ada"), standing(other, "bob")]

    def test_an_address_that_two_share_is_a_reject(self, tmp_path: Path) -> None:
        """Nobody guesses which of them subscribed."""
        mail = with_two_at_home()
        path = write(tmp_path / "s.csv", "email", "home@example.com", "x@example.com", "y@example.com")
        told = mail.import_subscriptions(path, to=OFFERS, chunk=1, now=NOW, rejects=tmp_path / "rejects.csv")
        assert Imported(rows=3, taken=2, rejected=1, new=2) == told
        (row,) = rows_of(tmp_path / "rejects.csv")
        assert ("2", "home@example.com") == (row["line"], row["row"])
        assert "several contacts have this address: name the contact by its id" == row["reason"]

    def test_who_was_erased_does_not_come_back(self, tmp_path: Path) -> None:
        """Rows and lines about somebody who was erased are refused, by id or by address (O5, F62)."""
        mail = world("ada", "bob", peppers=PEPPERS)
        mail.export_subscriptions(tmp_path / "s.csv", now=NOW)
        mail.export_profiles(tmp_path / "p.jsonl")
        mail.store.erase(ContactId("ada"), [MatchKey("1:ada@example.com")])
        write(tmp_path / "list.csv", "email", address("ada"))
        options: dict[str, Any] = {"now": LATER, "rejects": tmp_path / "rejects.csv"}
        imports: list[Callable[[], Imported]] = [
            lambda: mail.import_subscriptions(tmp_path / "s.csv", **options),
            lambda: mail.import_subscriptions(tmp_path / "list.csv", to=OFFERS, **options),
            lambda: mail.import_profiles(tmp_path / "p.jsonl", **options),
            lambda: mail.import_profiles(tmp_path / "p.jsonl", replace=True, **options),
        ]
        for run in imports:
            assert 1 == run().rejected
            assert ["this person was erased"] == [row["reason"][:22] for row in rows_of(tmp_path / "rejects.csv")]
        assert ["bob"] == [one.id for one in mail.store.each()]


class TestProfiles:
    """Contacts with their engagement."""

    def test_what_is_there_stays(self, tmp_path: Path) -> None:
        """An import adds contacts and profiles that are missing, and changes neither, unless it is asked to."""
        mail = world("ada", "bob")
        mail.update("ada", {"spend": 1}, now=NOW)
        mail.record([event("ada", EventKind.SENT, at=NOW)], now=NOW)
        mail.export_profiles(tmp_path / "p.jsonl")
        other = world("ada")
        told = other.import_profiles(tmp_path / "p.jsonl", now=NOW)
        assert Imported(rows=2, taken=2, new=2) == told
        (profile,) = other.store.profiles([ContactId("ada")]).values()
        assert ({}, 1) == (dict(other.contact("ada").fields), profile.count("sent"))
        assert {"spend": 1} == dict(_replaced(other, tmp_path / "p.jsonl").contact("ada").fields)
        again = other.import_profiles(tmp_path / "p.jsonl", replace=True, now=LATER)
        assert (0, 2) == (again.new, again.known)

    def test_an_address_that_is_replaced_must_be_confirmed(self, tmp_path: Path) -> None:
        """An import that moves somebody says so in the log, and consent does not follow (O4)."""
        mail = world("ada")
        mail.export_profiles(tmp_path / "p.jsonl")
        mail.change_address("ada", "new@example.com", by=Actor.CONTACT, now=NOW)
        mail.opt_out("new@example.com", scope=Scope.list("news"), now=NOW)
        _replaced(mail, tmp_path / "p.jsonl")
        assert address("ada") == mail.contact("ada").email
        assert "out-of-list" == standing(mail, "ada", NEWS)

    def test_lines_that_are_wrong(self, tmp_path: Path) -> None:
        """Each costs itself, and is told with its line."""
        mail = world("ada")
        mail.export_profiles(tmp_path / "p.jsonl")
        line = (tmp_path / "p.jsonl").read_text().strip()
        path = write(tmp_path / "q.jsonl", "{]", line, '{"contact": {"id": "x", "address": "x"}}', "[1]")
        told = world().import_profiles(path, now=NOW, rejects=tmp_path / "rejects.csv")
        assert (4, 1, 3) == (told.rows, told.new, told.rejected)
        assert ["1", "3", "4"] == [row["line"] for row in rows_of(tmp_path / "rejects.csv")]


def _replaced(mail: Lifecycle, path: Path) -> Lifecycle:
    mail.import_profiles(path, replace=True, now=LATER)
    return mail


def made_up(folder: Path, kind: str) -> tuple[Path, Callable[[Lifecycle, Path], Imported]]:
    """Return a file of each kind with nine rows, some of them bad, and what imports it in chunks of two."""
    if kind == "list":
        rows = [f"user{n}@example.com" for n in range(5)]
        path = write(folder / "out.csv", "email", "bad one", *rows, "user0@example.com", "worse", "home@example.com")
    elif kind == "subscriptions":
        rows = [f"user{n}@example.com" for n in range(5)]
        path = write(folder / "s.csv", "email", "bad one", "home@example.com", *rows, "user0@example.com", "worse")
    else:
        mail = world(*(f"user{n}" for n in range(7)))
        mail.export_profiles(folder / "all.jsonl")
        lines = (folder / "all.jsonl").read_text().splitlines()
        path = write(folder / "p.jsonl", "{]", *lines, "3")

    def run(mail: Lifecycle, rejects: Path) -> Imported:
        options: dict[str, Any] = {"now": NOW, "chunk": 2, "rejects": rejects}
        if kind == "list":
            return mail.import_opt_outs(path, **options)
        if kind == "subscriptions":
            return mail.import_subscriptions(path, to=OFFERS, **options)
        return mail.import_profiles(path, **options)

    return path, run


def with_two_at_home() -> Lifecycle:
    """Return a registry in which two contacts share an address."""
    mail = world()
    for name in ("bob", "cem"):
        mail.store.put([Contact(id=ContactId(name), address=parse_address("home@example.com"))])
    return mail


def contents(mail: Lifecycle) -> tuple[list[Any], list[Contact], int]:
    """Return all that an import may write."""
    contacts = list(mail.store.each())
    profiles = mail.store.profiles([one.id for one in contacts])
    return [(r.seq, r.entry) for r in mail.store.records()], contacts, len(profiles)


class TestResuming:
    """Killed anywhere, an import goes on where it stopped (F6)."""

    @pytest.mark.parametrize("after", [False, True], ids=["before the work", "before the answer"])
    @pytest.mark.parametrize("kind", ["list", "subscriptions", "profiles"])
    def test_an_import_that_dies_anywhere_is_finished_by_the_next(self, kind: str, after: bool, tmp_path: Path) -> None:
        """For every call of the store: die there, start again, and log, contacts, books and rejects are as ever."""
        _, run = made_up(tmp_path, kind)
        rejects = tmp_path / "rejects.csv"
        countdown = Countdown()
        whole = with_two_at_home()
        told = run(world(store=Mortal(whole.store, countdown)), rejects)
        assert (9, 2 + (kind == "subscriptions")) == (told.rows, told.rejected)
        expected = rejects.read_bytes()
        resumed = set()
        for dies_at in range(1, countdown.calls + 1):
            rejects.unlink(missing_ok=True)
            mail = with_two_at_home()
            with pytest.raises(Crashed):
                run(world(store=Mortal(mail.store, Countdown(dies_at, after=after))), rejects)
            mended = run(mail, rejects)
            resumed.add(mended.resumed_from)
            assert told == evolve(mended, resumed_from=0), f"died in call {dies_at} of {countdown.calls}"
            assert contents(whole) == contents(mail)
            assert expected == rejects.read_bytes()
        assert {0, 2, 4, 6, 8} <= resumed

    @pytest.mark.parametrize("chunk", [1, 3, 100])
    def test_another_chunk_will_do(self, chunk: int, tmp_path: Path) -> None:
        """It goes on after the row at which it stopped, however it is cut then."""
        path, _ = made_up(tmp_path, "list")
        mail = world()
        _killed(mail.import_opt_outs, path, chunk=4, now=NOW)
        done: list[int] = []
        told = mail.import_opt_outs(path, chunk=chunk, now=NOW, progress=done.append)
        assert (4, 9, 6) == (told.resumed_from, told.rows, told.new)
        assert 9 == done[-1]
        assert sorted(done) == done

    def test_a_changed_file_is_another_file(self, tmp_path: Path) -> None:
        """One byte more, and it begins at its first row; the same bytes elsewhere go on."""
        path, run = made_up(tmp_path, "list")
        mail = with_two_at_home()
        _killed(mail.import_opt_outs, path, chunk=2, now=NOW)
        (bookmark,) = mail.store.bookmarks("import:")
        assert 2 == bookmark.place
        content = path.read_text()
        path.write_text(content + "z@example.com\n")
        assert 0 == run(mail, tmp_path / "r.csv").resumed_from
        path.write_text(content)
        assert 2 == run(mail, tmp_path / "r.csv").resumed_from

    def test_what_is_done_otherwise_is_another_import(self, tmp_path: Path) -> None:
        """Another source, scope or list does not go on where the first one stopped."""
        path = write(tmp_path / "x.csv", "email", "ada@example.com")
        mail = world(lists=(OFFERS, NEWS))
        for options in ({}, {"source": "shop"}, {"scope": Scope.list("news")}, {"match_contacts": True}):
            mail.import_opt_outs(path, now=NOW, **options)
        for to in (OFFERS, NEWS):
            mail.import_subscriptions(path, now=NOW, to=to)
        assert 6 == len(mail.store.bookmarks("import:"))

    def test_what_can_be_read_by_now_is_taken(self, tmp_path: Path) -> None:
        """Rows that were rejected before a kill are taken where their pepper is given by then: no no is lost."""
        hashes = [Peppers(PEPPERS).hashed(f"1:user{n}@example.com") for n in range(6)]
        path = write(tmp_path / "out.csv", "hash", *hashes)
        mail = world(peppers=PEPPERS)
        _killed(world(store=mail.store).import_opt_outs, path, now=NOW, chunk=2)
        told = mail.import_opt_outs(path, now=NOW, chunk=2)
        assert Imported(rows=6, taken=6, new=6) == told
        assert hashes == [one.subject.key for one in entries(mail, OptOut)]

    def test_a_list_that_is_declared_by_now_is_known(self, tmp_path: Path) -> None:
        """Subscriptions that were rejected for their list are taken once it is declared; a no reaches as it says."""
        rows = [f"user{n}@example.com,alerts" for n in range(6)]
        joined = write(tmp_path / "s.csv", "email,list", *rows)
        left = write(tmp_path / "o.csv", "email,scope", *(row.replace(",", ",list:") for row in rows))
        mail = world()
        _killed(mail.import_subscriptions, joined, now=NOW, chunk=2)
        _killed(mail.import_opt_outs, left, now=NOW, chunk=2)
        mail.programme = mail.programme.with_(MailingList("alerts"))
        assert Imported(rows=6, taken=6, new=6) == mail.import_subscriptions(joined, now=NOW, chunk=2)
        assert 0 == mail.import_opt_outs(left, now=NOW, chunk=2).resumed_from
        assert 6 == sum(one.scope == Scope.list("alerts") for one in entries(mail, OptOut))

    def test_another_encoding_is_another_import(self, tmp_path: Path) -> None:
        """What another encoding makes readable is taken, before the place of the kill as well."""
        path = tmp_path / "out.csv"
        path.write_bytes("email\nj\xf6rg@example.com\nada@example.com\nbob@example.com\n".encode("cp1252"))
        mail = world()
        _killed(mail.import_opt_outs, path, now=NOW, chunk=1)
        assert Imported(rows=3, taken=3, new=3) == mail.import_opt_outs(path, now=NOW, chunk=1, fallback="cp1252")
        assert "1:j\xf6rg@example.com" in {one.subject.key for one in entries(mail, OptOut)}

    def test_refused_rows_are_kept_on_pages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many rows the registry refuses, a transaction writes its own, and a kill forgets none (F68)."""
        monkeypatch.setattr("lifecycle_mail.service.refusals.PAGE", 10)
        rows = ["home@example.com" if n % 3 else f"user{n}@example.com" for n in range(300)]
        path = write(tmp_path / "s.csv", "email", *rows)
        whole, mail = with_two_at_home(), with_two_at_home()
        notes: list[str] = []
        told = world(store=Noting(shelf(whole), notes)).import_subscriptions(
            path, to=OFFERS, chunk=5, now=NOW, rejects=tmp_path / "1.csv"
        )
        assert Imported(rows=300, taken=100, rejected=200, new=100) == told
        assert 1_200 > max(map(len, notes))
        assert not any("several" in one.note for one in whole.store.bookmarks("import:"))
        for at in (100, 205):
            _killed(mail.import_subscriptions, path, to=OFFERS, chunk=5, now=NOW, at=at)
        assert 205 == mail.store.bookmarks("import:")[0].place
        mended = mail.import_subscriptions(path, to=OFFERS, chunk=7, now=NOW, rejects=tmp_path / "2.csv")
        assert told == evolve(mended, resumed_from=0)
        assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()

    def test_after_the_end_it_begins_anew(self, tmp_path: Path) -> None:
        """And finds that the registry holds it all; the books are those of a first run that told nothing new."""
        _, run = made_up(tmp_path, "list")
        mail = world()
        first = run(mail, tmp_path / "1.csv")
        second = run(mail, tmp_path / "2.csv")
        assert (6, 1, 0) == (first.new, first.known, first.resumed_from)
        assert evolve(first, new=0, known=7) == second
        assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()

    @pytest.mark.parametrize("operation", ["append", "mark"])
    def test_a_busy_store_is_tried_again(self, operation: str, tmp_path: Path) -> None:
        """What others kept from being written is written a moment later, and counted once (F15)."""
        path = write(tmp_path / "out.csv", "ada@example.com", "bob@example.com")
        mail = world()
        shelf(mail).fail(operation, RegistryBusy("others write"), times=2)
        assert Imported(rows=2, taken=2, new=2) == mail.import_opt_outs(path, now=NOW)
        assert 2 == len(entries(mail, OptOut))

    def test_a_commit_that_went_through_after_all_is_counted(self, tmp_path: Path) -> None:
        """Where the answer to a commit was lost, the chunk is not counted as known (F21)."""
        path = write(tmp_path / "out.csv", *(f"user{n}@example.com" for n in range(6)))
        store: Any = LosesAnswers(MemoryStore())
        told = world(store=store).import_opt_outs(path, chunk=2, now=NOW)
        assert Imported(rows=6, taken=6, new=6) == told

    def test_two_at_once_do_no_harm(self, tmp_path: Path) -> None:
        """A second import of the same file in the middle of the first: every row is there once."""
        path, run = made_up(tmp_path, "list")
        mail = world()
        other = world(store=mail.store)

        def meanwhile(done: int) -> None:
            if done == 4:
                other.import_opt_outs(path, chunk=3, now=NOW)

        told = mail.import_opt_outs(path, chunk=2, now=NOW, progress=meanwhile)
        assert (9, 2) == (told.rows, told.rejected)
        assert 6 == len(entries(mail, OptOut))
        assert 0 == run(mail, tmp_path / "r.csv").new

    def test_a_chunk_holds_no_more_than_was_asked(self, tmp_path: Path) -> None:
        """However long the file, the store is given that many entries at once, and memory holds no more (F68)."""
        path = write(tmp_path / "out.csv", *(f"user{n}@example.com" for n in range(25)))
        store = Counting(MemoryStore())
        done: list[int] = []
        world(store=store).import_opt_outs(path, chunk=10, now=NOW, progress=done.append)
        assert ([10, 10, 5], [10, 20, 25]) == (store.sizes, done)

    def test_a_chunk_of_none(self, tmp_path: Path) -> None:
        """A transaction covers a row at least."""
        with pytest.raises(InvalidInput, match="chunk=0"):
            world().import_opt_outs(write(tmp_path / "out.csv", "a@example.com"), chunk=0, now=NOW)

    def test_rejects_do_not_replace_the_file(self, tmp_path: Path) -> None:
        """The table of rejects is another file than the one that is read."""
        path = write(tmp_path / "out.csv", "a@example.com")
        with pytest.raises(InvalidInput, match="name another file"):
            world().import_opt_outs(path, now=NOW, rejects=tmp_path / "x" / ".." / "out.csv")
        assert "a@example.com\n" == path.read_text()

    def test_a_bookmark_names_nobody(self, tmp_path: Path) -> None:
        """What an import remembers holds no address."""
        _, run = made_up(tmp_path, "subscriptions")
        mail = with_two_at_home()
        run(mail, tmp_path / "r.csv")
        (bookmark,) = mail.store.bookmarks("import:")
        assert {"new", "passed", "wrong", "refused", "finished"} == set(json.loads(bookmark.note))
        assert not any(name in bookmark.note for name in ("home", "user0", "bob", "cem"))


def _new_and_known(told: Imported) -> tuple[int, int]:
    return told.new, told.known


def _killed(run: Callable[..., Imported], *told: Any, at: int = 1, **options: Any) -> None:
    """Run an import, and kill it after a row."""

    def progress(done: int) -> None:
        if done >= at:
            raise Crashed

    with pytest.raises(Crashed):
        run(*told, progress=progress, **options)


class _Through:
    """A store in front of another."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


class Counting(_Through):
    """A store that notes how much it is given at once."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.sizes: list[int] = []

    def append(self, entries: Sequence[Entry], *, at: Any) -> Sequence[Record]:
        """Append, and note how much."""
        self.sizes.append(len(entries))
        return self._store.append(entries, at=at)


class Noting(_Through):
    """A store that notes what bookmarks say."""

    def __init__(self, store: MemoryStore, notes: list[str]) -> None:
        super().__init__(store)
        self._notes = notes

    def mark(self, bookmark: Bookmark) -> None:
        """Set a bookmark."""
        self._notes.append(bookmark.note)
        self._store.mark(bookmark)


class LosesAnswers(_Through):
    """A store whose second transaction is written, while its answer is lost."""

    calls = 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one; of the second, break the connection once they are made."""
        self.calls += 1
        breaks = self.calls == 2
        with self._store.transaction():
            yield
        if breaks:
            raise RegistryBusy("the connection broke")
