"""How addresses are matched is settled once for a registry: a no is found by whoever opens it later (F61)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.memory import MemoryStore
from lifecycle_mail.model.addresses import MatchKey, MatchRules, parse_address
from lifecycle_mail.model.entries import OptOut
from lifecycle_mail.model.entries import Subject as LogSubject
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor, Provenance, Through
from lifecycle_mail.ports import Bookmark, Store
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing.stores.making import PEPPERS
from tests.service.worlds import NOW, world

TAGS = MatchRules(plus_tags=True)
BOTH = MatchRules(plus_tags=True, gmail_dots=True)


def test_a_registry_keeps_its_rules() -> None:
    """Who opens it later and says nothing goes by them, and finds the no of every spelling."""
    mail = world(match=BOTH)
    mail.opt_out("a.da+offers@gmail.com", scope=Scope.all(), now=NOW)
    later = world(store=mail.store)
    assert (BOTH, BOTH) == (mail.match, later.match)
    assert ["out-of-all"] == [one.held for one in later.screen_addresses(["ada@gmail.com"], now=NOW)]
    assert BOTH == world(store=mail.store, match=BOTH).match


@pytest.mark.parametrize(("wanted", "folds"), [(TAGS, "case and plus tags"), (MatchRules(), "case")])
def test_other_rules_than_those_of_the_registry_are_refused(wanted: MatchRules, folds: str) -> None:
    """By them nobody's earlier no would be found: the defaults that are named are refused like others."""
    mail = world(match=BOTH)
    kept = f"this registry folds case, plus tags and dots at Gmail .* wanted folds {folds}: .*Leave out match="
    with pytest.raises(Misconfigured, match=kept):
        world(store=mail.store, match=wanted)
    assert BOTH == world(store=mail.store).match


def test_who_opens_a_registry_first_settles_it() -> None:
    """Before anything is written: a no that one of two writes later would else be lost on the other."""
    by_default, by_name = world(), world(match=MatchRules())
    for mail in (by_default, by_name):
        for wanted in (TAGS, BOTH):
            with pytest.raises(Misconfigured, match="registry folds case where"):
                world(store=mail.store, match=wanted)
        assert MatchRules() == world(store=mail.store).match == world(store=mail.store, match=MatchRules()).match


@pytest.mark.parametrize(
    ("first", "second", "kept"), [(None, TAGS, "1p"), (MatchRules(), TAGS, "1p"), (TAGS, None, "1")]
)
def test_who_is_overtaken_goes_by_what_another_has_settled(
    first: MatchRules | None, second: MatchRules | None, kept: str
) -> None:
    """Two open a new registry at once: one settles it, and the other takes that or is refused."""
    store = MemoryStore()
    overtaken: Any = _Overtaken(store, lambda: world(store=store, match=second))
    if first is None:
        assert kept == world(store=overtaken).match.version
    else:
        with pytest.raises(Misconfigured):
            world(store=overtaken, match=first)
    assert kept == world(store=store).match.version


class _Overtaken:
    """A store for a process that another one overtakes once it has read a bookmark."""

    def __init__(self, store: Store, meanwhile: Callable[[], object]) -> None:
        self._store = store
        self._meanwhile: list[Callable[[], object]] = [meanwhile]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def bookmark(self, name: str) -> Bookmark | None:
        """Return a bookmark as it was before the other came."""
        found = self._store.bookmark(name)
        while self._meanwhile:
            self._meanwhile.pop()()
        return found


@pytest.mark.parametrize("rules", [MatchRules(), TAGS, BOTH])
def test_a_registry_from_before_rules_were_kept_tells_them_by_its_keys(rules: MatchRules) -> None:
    """A restored backup of such a one is not taken for one that goes by the defaults (F13)."""
    store = MemoryStore(peppers=PEPPERS)
    hashed = Peppers(PEPPERS).hashed("1:eve@example.com")
    store.append([_no(hashed), _no(parse_address("ada+x@example.com").match_key(rules))], at=NOW)
    wrong = next(other for other in (BOTH, TAGS) if other != rules)
    with pytest.raises(Misconfigured):
        world(store=store, match=wrong)
    assert rules == world(store=store, peppers=PEPPERS).match
    assert ["out-of-all"] == [one.held for one in world(store=store).screen_addresses(["ada+x@example.com"], now=NOW)]


def test_where_no_key_can_be_read_the_rules_are_what_is_wanted() -> None:
    """A log that names people by id or by hashes alone contradicts nothing."""
    for wanted in (None, TAGS):
        store = MemoryStore(peppers=PEPPERS)
        store.append([_no(Peppers(PEPPERS).hashed("1p:eve@example.com")), _no(None)], at=NOW)
        assert (wanted or MatchRules()) == world(store=store, match=wanted).match


def test_rules_of_a_later_version_are_refused() -> None:
    """Taken for the defaults they would find nobody's no: it fails closed."""
    mail = world()
    (mark,) = mail.store.bookmarks("matching")
    mail.store.mark(evolve(mark, note="2"))
    for wanted in (None, MatchRules()):
        with pytest.raises(Misconfigured, match="the registry goes by match rules '2': install the version"):
            world(store=mail.store, match=wanted)


def test_a_store_that_was_opened_for_nothing_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is refused has no object by which to close it."""
    closed: list[str] = []
    monkeypatch.setattr(MemoryStore, "bookmark", lambda *_: Bookmark(name="matching", place=0, at=NOW, note="2"))
    monkeypatch.setattr(MemoryStore, "close", lambda _: closed.append("closed"))
    with pytest.raises(Misconfigured):
        Lifecycle("memory", "memory:")
    assert ["closed"] == closed
    given = MemoryStore()
    with pytest.raises(Misconfigured):
        Lifecycle("memory", given)
    assert ["closed"] == closed


def test_a_registry_that_several_rules_have_written_asks_which_one_it_is() -> None:
    """Before rules were kept, commands went by the defaults beside an application with rules of its own."""
    keys = [parse_address("bob@example.com").match_key(), parse_address("ada@example.com").match_key(TAGS)]
    for wanted in (None, BOTH):
        store = MemoryStore()
        store.append([_no(key) for key in keys], at=NOW)
        with pytest.raises(Misconfigured, match=r"several match rules .*plus_tags=True.*name one as match="):
            world(store=store, match=wanted)
        assert TAGS == world(store=store, match=TAGS).match


def test_keys_of_rules_that_nobody_knows_are_refused() -> None:
    """A registry that a later version wrote fails closed, and shows nobody."""
    store = MemoryStore()
    store.append([_no(MatchKey("2:ada@example.com"))], at=NOW)
    with pytest.raises(Misconfigured, match="match rules '2': install") as refused:
        world(store=store)
    assert "ada" not in str(refused.value)


@pytest.mark.parametrize("theirs", [MatchRules(), TAGS])
@pytest.mark.parametrize("ours", [MatchRules(), TAGS, BOTH])
def test_an_export_is_taken_by_other_rules_as_far_as_they_go(
    ours: MatchRules, theirs: MatchRules, tmp_path: Path
) -> None:
    """A no is worth more than its other spellings, and where they are no longer held, that is noted."""
    mail, other = world(match=theirs), world(match=ours)
    mail.opt_out("ada+x@example.com", scope=Scope.all(), now=NOW)
    mail.export_opt_outs(tmp_path / "noes.csv")
    rejects = tmp_path / "rejects.csv"
    done = other.import_opt_outs(tmp_path / "noes.csv", rejects=rejects, now=NOW)
    assert (1, 0) == (done.new, done.rejected)
    kept = "ada@example.com" if theirs == TAGS else "ada+x@example.com"
    assert ["out-of-all"] == [one.held for one in other.screen_addresses([kept], now=NOW)]
    noted = rejects.read_text() if rejects.exists() else ""
    alone = "a no folds case and plus tags, and in this registry case: it is taken for this spelling alone"
    assert (theirs == TAGS and ours == MatchRules()) == (alone in noted)


@pytest.mark.parametrize(("theirs", "ours"), [(MatchRules(), TAGS), (TAGS, MatchRules()), (TAGS, BOTH), (TAGS, TAGS)])
def test_a_hash_that_nobody_would_be_found_by_is_refused(theirs: MatchRules, ours: MatchRules, tmp_path: Path) -> None:
    """It names nobody else, so it is rejected; of who is named by an id as well, the no is taken for that."""
    mail, other = world("ada", match=theirs, peppers=PEPPERS), world("ada", match=ours, peppers=PEPPERS)
    fits = ours == theirs
    for who, taken in (("eve@example.com", (1, 0) if fits else (0, 1)), ("ada", (1, 0))):
        before = mail.store.position()
        mail.opt_out(who, scope=Scope.all(), now=NOW)
        mail.export_opt_outs(tmp_path / f"{who}.csv", hashed="2025", after=before)
        rejects = tmp_path / f"{who}-rejects.csv"
        done = other.import_opt_outs(tmp_path / f"{who}.csv", rejects=rejects, now=NOW)
        assert taken == (done.new, done.rejected)
        assert fits != (rejects.exists() and f"rules {ours.version!r} of this registry" in rejects.read_text())
    held = other.screen_addresses(["eve@example.com"], now=NOW)
    assert fits == (["out-of-all"] == [one.held for one in held])
    assert "out-of-all" == str(other.standing("ada", "offers", now=NOW))


@pytest.mark.parametrize("rules", [MatchRules(), TAGS])
@pytest.mark.parametrize("says", ["", "1", "1p"])
def test_a_list_of_hashes_says_by_which_rules_they_were_made(rules: MatchRules, says: str, tmp_path: Path) -> None:
    """Where it says nothing, by the defaults: what cannot be found here is rejected, not taken for a no."""
    mail = world(match=rules, peppers=PEPPERS)
    made = parse_address("eve@example.com").match_key(MatchRules.of_version(says or "1"))
    path = tmp_path / "hashes.csv"
    path.write_text(f"hash,match_rules\n{Peppers(PEPPERS).hashed(made)},{says}\n", encoding="utf-8")
    done = mail.import_opt_outs(path, rejects=tmp_path / "rejects.csv", now=NOW)
    fits = (says or "1") == rules.version
    assert ((1, 0) if fits else (0, 1)) == (done.new, done.rejected)
    assert fits == (["out-of-all"] == [one.held for one in mail.screen_addresses(["eve@example.com"], now=NOW)])


def _no(key: MatchKey | None) -> OptOut:
    subject = LogSubject(contact_id=ContactId("cy") if key is None else None, key=key)
    said = Provenance(actor=Actor.CONTACT, through=Through.REPLY, at=NOW, source="old")
    return OptOut(subject=subject, scope=Scope.all(), event_id=f"e{key}", provenance=said)


@pytest.mark.parametrize(
    ("rules", "folds", "covers"),
    [
        (MatchRules(), "case", "1"),
        (TAGS, "case and plus tags", "1 1p"),
        (MatchRules(gmail_dots=True), "case and dots at Gmail", "1 1d"),
        (BOTH, "case, plus tags and dots at Gmail", "1 1d 1p 1dp"),
    ],
)
def test_rules_in_words(rules: MatchRules, folds: str, covers: str) -> None:
    """What they fold, and from which others their keys can be made."""
    every = (MatchRules(), MatchRules(gmail_dots=True), TAGS, BOTH)
    assert folds == rules.folds
    assert covers == " ".join(one.version for one in every if rules.cover(one))


def test_a_version_of_rules_is_read_back() -> None:
    """Each is told by its version, and one that nobody knows is refused."""
    for rules in (MatchRules(), TAGS, MatchRules(gmail_dots=True), BOTH):
        assert rules == MatchRules.of_version(rules.version)
    for unknown in ("", "2", "1pd", "1x"):
        with pytest.raises(InvalidInput, match="1, 1d, 1p, 1dp"):
            MatchRules.of_version(unknown)
