"""The tables of a registry as text: what a row of opt-outs or subscriptions says, and what is refused."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidDocument, InvalidInput, UnknownName
from lifecycle_mail.files import Reject
from lifecycle_mail.files.exporting import LONGEST, OPT_OUT_COLUMNS, hashing, opt_out_rows
from lifecycle_mail.files.importing import open_opt_outs
from lifecycle_mail.files.importing_rows import Given
from lifecycle_mail.files.importing_subscriptions import Subscription, Taking, open_subscriptions
from lifecycle_mail.files.profile_lines import ContactLine, Move, as_json, from_json
from lifecycle_mail.files.writing import write_csv, write_jsonl
from lifecycle_mail.model.addresses import DEFAULT, MatchKey, MatchRules, parse_address
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.entries import OptOut, Record, Subject, Suppression, SuppressionKind
from lifecycle_mail.model.lists import Channel, Frequency, Scope
from lifecycle_mail.model.names import ContactId, ListKey
from lifecycle_mail.model.peppers import Peppers, is_hashed
from lifecycle_mail.model.profiles import EngagementProfile, fold, resolve
from lifecycle_mail.model.provenance import Actor, OptOutReason, Provenance, Through
from lifecycle_mail.model.redaction import redacted
from tests.files.samples import RECEIVED, written
from tests.strategies import CONTACTS, KEYS, START, histories, opt_outs, suppressions

PEPPERS = Peppers({"2025": "an old secret of enough bytes", "2026": "a new secret of enough bytes"})
ADA = MatchKey("1:ada@example.com")
ALL = Scope.all()

Entries = list[OptOut | Suppression | None]


def given_for(**more: Any) -> Given:
    """Return what holds for all rows, unless a test says otherwise."""
    return Given(**{"rules": MatchRules(), "peppers": PEPPERS, "now": RECEIVED, "source": "old system", **more})


def opt_outs_in(path: Path, **more: Any) -> tuple[Entries, list[Reject]]:
    """Read a file of opt-outs in one batch."""
    rejects: list[Reject] = []
    with open_opt_outs(path, given_for(**more)) as (rows, reader):
        return reader.read(list(rows), rejects.append), rejects


def noes_in(path: Path, **more: Any) -> list[OptOut]:
    """Read a file whose rows are all taken, as opt-outs."""
    taken, rejects = opt_outs_in(path, **more)
    assert [] == rejects
    return [one for one in taken if isinstance(one, OptOut)]


def keys_in(path: Path, **more: Any) -> list[str | None]:
    """Read whom the rows of a file name."""
    return [one.subject.key for one in noes_in(path, **more)]


def exported(
    path: Path, entries: Sequence[OptOut | Suppression], standing: str = "stands", rules: MatchRules = DEFAULT
) -> Path:
    """Write entries as an export does."""
    rows = (
        row
        for seq, entry in enumerate(entries, 1)
        for row in opt_out_rows(Record(seq, START, entry), entry, standing=standing, overridden_for=(), rules=rules)
    )
    write_csv(path, OPT_OUT_COLUMNS, rows)
    return path


def no(**said: Any) -> OptOut:
    """Return a no of ada's, of which everything that can be known is known."""
    provenance = Provenance(
        actor=Actor.CONTACT, through=Through.ONE_CLICK, at=START + timedelta(microseconds=7), source="app",
        campaign="spring", segment="spenders", reason=OptOutReason.OTHER, text="too loud", evidence="form 7",
    )  # fmt: skip
    subject = Subject(contact_id=ContactId("ada"), key=ADA)
    return OptOut(subject=subject, scope=ALL, event_id="click 1", provenance=evolve(provenance, **said))


class TestExportedOptOuts:
    """A row of an export becomes the entry that it was."""

    @given(entries=st.lists(opt_outs() | suppressions(), max_size=6))
    def test_every_entry_comes_back(self, entries: list[OptOut | Suppression], tmp_path_factory: Any) -> None:
        """Whatever the log holds of noes and suppressions is read back the same, under the same id (O3)."""
        path = exported(tmp_path_factory.mktemp("export") / "opt-outs.csv", entries)
        assert (entries, []) == opt_outs_in(path)

    @given(text=st.text(max_size=30), source=st.text(st.characters(codec="utf-8"), max_size=20))
    def test_every_text_comes_back(self, text: str, source: str, tmp_path_factory: Any) -> None:
        """Words, formulas, line ends, quotes and apostrophes come back as they were (F56)."""
        entry = no(text=text.replace("\0", ""), source=source.replace("\0", ""))
        path = exported(tmp_path_factory.mktemp("export") / "opt-outs.csv", [entry])
        assert ([entry], []) == opt_outs_in(path)

    def test_nothing_is_lost_on_the_way(self, tmp_path: Path) -> None:
        """Campaign, segment, reason, words, evidence and microseconds are all there (O3)."""
        assert ([no()], []) == opt_outs_in(exported(tmp_path / "o.csv", [no()]))

    def test_no_cell_is_a_formula(self, tmp_path: Path) -> None:
        """A spreadsheet runs nothing that somebody typed, nor a contact id (F56)."""
        entry = evolve(no(text="=1+1", evidence="@SUM(A1)"), subject=Subject(contact_id=ContactId("-ada"), key=None))
        path = exported(tmp_path / "o.csv", [entry])
        written_cells = path.read_text().splitlines()[1].split(",")
        assert {"'=1+1", "'@SUM(A1)", "'-ada"} <= set(written_cells)
        assert ([entry], []) == opt_outs_in(path)

    @pytest.mark.parametrize("text", ["x" * 1_000_000, "a\0b", "\0" * LONGEST, "half \ud83d", "=1\r" * LONGEST])
    @pytest.mark.parametrize("where", ["text", "source", "evidence", "campaign", "event_id"])
    def test_a_text_that_no_cell_holds_comes_back_whole(self, where: str, text: str, tmp_path: Path) -> None:
        """A text that is too long, or has a NUL in it, is told in pieces: nothing is lost, and the id stays (F60)."""
        entry = evolve(no(), event_id=text) if where == "event_id" else no(**{where: text})
        path = exported(tmp_path / "o.csv", [no(), entry, no(text="other")])
        taken, rejects = opt_outs_in(path)
        assert [] == rejects
        assert [no(), entry, no(text="other")] == [one for one in taken if one is not None]
        assert {entry.id, no().id} == {one.id for one in taken if one is not None}
        with path.open(newline="", encoding="utf-8") as file:
            assert all(len(cell) <= LONGEST + 1 for row in csv.reader(file) for cell in row)

    @pytest.mark.parametrize("piece", ["no JSON", "1", '"half', "[" * 100_000])
    def test_a_piece_that_is_none_is_refused(self, piece: str, tmp_path: Path) -> None:
        """What is no piece of a text, or of a cell that there is not, is a reject; the no comes back without it."""
        path = exported(tmp_path / "o.csv", [no(text="a\0b")])
        rows = path.read_text().splitlines()
        good = rows[1]
        rows[1:2] = [good.replace('"""a\\u0000b"""', json.dumps(piece).replace('\\"', '""')),
                     good.replace("text,text", "text,nothing")]  # fmt: skip
        path.write_text("\n".join(rows))
        taken, rejects = opt_outs_in(path)
        assert [no(text="a\\0b")] == taken
        assert ["is no piece of a text", "is no column"] == [
            next(part for part in ("is no piece of a text", "is no column") if part in one.reason) for one in rejects
        ]

    @pytest.mark.parametrize("standing", ["overridden", "lifted"])
    def test_what_is_over_says_nothing(self, standing: str, tmp_path: Path) -> None:
        """A no that the person overrode, and a suppression that was lifted, are no rejects and no entries (O4)."""
        assert ([None], []) == opt_outs_in(exported(tmp_path / "o.csv", [no()], standing))

    def test_an_echo_binds(self, tmp_path: Path) -> None:
        """An echo is a no like the one that it echoes."""
        assert ([no()], []) == opt_outs_in(exported(tmp_path / "o.csv", [no()], "echo"))

    def test_a_pause_keeps_its_end(self, tmp_path: Path) -> None:
        """What ends by itself still ends at the same instant (P3)."""
        pause = Suppression(
            subject=Subject(key=ADA), kind=SuppressionKind.PAUSE, event_id="p", provenance=no().provenance,
            until=START + timedelta(days=3, microseconds=1),
        )  # fmt: skip
        assert ([pause], []) == opt_outs_in(exported(tmp_path / "o.csv", [pause]))

    def test_what_an_erasure_left_comes_back_under_its_new_id(self, tmp_path: Path) -> None:
        """A redacted entry keeps the id that no parts of it make again (O5)."""
        entry = hashing(PEPPERS, "2026")(no())
        path = exported(tmp_path / "o.csv", [entry])
        assert ([entry], []) == opt_outs_in(path)
        assert entry.id != no().id

    def test_any_order_of_columns_will_do(self, tmp_path: Path) -> None:
        """A table that somebody sorted, and took columns from, is read by its names."""
        path = written(tmp_path, "o.csv", "entry_id,address,note,scope_or_kind,what\n,ada@example.com,x,all,opt-out\n")
        (taken,), rejects = opt_outs_in(path)
        assert isinstance(taken, OptOut)
        assert (Subject(key=ADA), ALL, "old system") == (taken.subject, taken.scope, taken.provenance.source)
        assert [False] == [one.whole for one in rejects]

    @pytest.mark.parametrize(
        ("column", "value", "reason"),
        [
            ("what", "consent", "'consent' is nothing that is exported"),
            ("address", "ada", "'ada' is no address that mail can be sent to: it has no at sign"),
            ("address", "hmac:1999:" + 64 * "0", "its hash was made with pepper '1999', which is not given"),
            ("address", "hmac:2026:0", "'hmac:2026:0' is no keyed hash"),
            ("contact_id", "a\x07b", "contact id 'a\\x07b': give 1 to 256 printable characters"),
        ],
    )
    def test_a_row_that_names_nobody_is_refused(self, column: str, value: str, reason: str, tmp_path: Path) -> None:
        """Whom it is about cannot be guessed; the row after it is taken."""
        (cells,) = opt_out_rows(Record(1, START, no()), no(), standing="stands", overridden_for=(), rules=DEFAULT)
        row = dict(zip(OPT_OUT_COLUMNS, cells, strict=True))
        path = tmp_path / "o.csv"
        write_csv(path, OPT_OUT_COLUMNS, [list({**row, column: value}.values()), list(row.values())])
        taken, rejects = opt_outs_in(path)
        assert [no()] == taken
        assert [(2, reason, True)] == [(one.line, one.reason, one.whole) for one in rejects]

    def test_rows_that_are_over_are_passed_whatever_their_rules(self, tmp_path: Path) -> None:
        """They say nothing, so that nothing is wrong with them."""
        hidden = hashing(PEPPERS, "2026")(no())
        path = exported(tmp_path / "o.csv", [hidden], "overridden", MatchRules(plus_tags=True))
        assert ([None], []) == opt_outs_in(path)

    def test_rules_that_nobody_knows_are_noted(self, tmp_path: Path) -> None:
        """The address stands for itself; what else it stood for, nobody can tell (F61)."""
        (cells,) = opt_out_rows(Record(1, START, no()), no(), standing="stands", overridden_for=(), rules=DEFAULT)
        path = tmp_path / "o.csv"
        write_csv(path, OPT_OUT_COLUMNS, [[*cells[:-1], "2x"]])
        taken, rejects = opt_outs_in(path)
        assert [no()] == taken
        assert [("'2x' are no match rules: it is taken for this spelling alone", False)] == [
            (one.reason, one.whole) for one in rejects
        ]

    def test_a_row_that_names_neither_is_refused(self, tmp_path: Path) -> None:
        """A row without contact and address is no no of anybody's."""
        path = written(tmp_path, "o.csv", "entry_id,address,scope_or_kind,what\n,,all,opt-out\n")
        taken, rejects = opt_outs_in(path)
        assert ([], [True]) == (taken, [one.whole for one in rejects])

    @pytest.mark.parametrize(
        ("column", "value"),
        [("actor", "nobody"), ("through", "door"), ("happened_at", "soon"), ("reason", "none"), ("scope_or_kind", "?")],
    )
    def test_a_no_is_worth_more_than_its_particulars(self, column: str, value: str, tmp_path: Path) -> None:
        """A row that says who is out is taken for that, as a no to all if need be, and the cell is noted."""
        (cells,) = opt_out_rows(Record(1, START, no()), no(), standing="stands", overridden_for=(), rules=DEFAULT)
        row = dict(zip(OPT_OUT_COLUMNS, cells, strict=True))
        path = tmp_path / "o.csv"
        write_csv(path, OPT_OUT_COLUMNS, [list({**row, column: value}.values())])
        (taken,), rejects = opt_outs_in(path)
        assert isinstance(taken, OptOut)
        assert (no().subject, ALL) == (taken.subject, taken.scope)
        assert [(2, False)] == [(one.line, one.whole) for one in rejects]

    def test_an_unknown_kind_is_refused_and_an_unreadable_end_is_none(self, tmp_path: Path) -> None:
        """Nobody guesses a reason; a pause whose end cannot be read has none until somebody lifts it."""
        header = "what,scope_or_kind,entry_id,address,until"
        rows = ["suppression,dislike,,ada@example.com,", "suppression,pause,,ada@example.com,soon"]
        taken, rejects = opt_outs_in(written(tmp_path, "o.csv", "\n".join([header, *rows])))
        assert [(SuppressionKind.PAUSE, None)] == [(e.kind, e.until) for e in taken if isinstance(e, Suppression)]
        assert [(2, True), (3, False), (3, False)] == [(one.line, one.whole) for one in rejects]


class TestHashedExport:
    """An export as hashes shows what an erasure would leave."""

    def test_it_is_what_an_erasure_leaves(self) -> None:
        """Names are keyed hashes; words, evidence, event id and id are gone; the rest is there (O5)."""
        hidden = hashing(PEPPERS, "2025")(no())
        names = {"ada": PEPPERS.hashed("ada", "2025"), ADA: PEPPERS.hashed(ADA, "2025")}
        assert redacted(no(), names, lambda _: hidden.id) == hidden
        assert (True, True) == (is_hashed(hidden.subject.contact_id or ""), is_hashed(hidden.subject.key or ""))
        assert ("spring", OptOutReason.OTHER) == (hidden.provenance.campaign, hidden.provenance.reason)

    @given(entry=opt_outs() | suppressions())
    def test_no_name_is_in_it(self, entry: OptOut | Suppression, tmp_path_factory: Any) -> None:
        """Neither an address nor a contact id nor a word of anybody's is in the bytes, and hiding twice hides once."""
        hidden = hashing(PEPPERS, "2026")(entry)
        content = exported(tmp_path_factory.mktemp("export") / "o.csv", [hidden]).read_text()
        cells = content.splitlines()[1].split(",")
        assert {"@", entry.id, "they asked for it"}.isdisjoint(cells)
        assert "@" not in content
        assert not {*CONTACTS} & {*cells}
        assert hidden == hashing(PEPPERS, "2026")(hidden)

    def test_a_half_erased_entry_is_hidden_whole(self) -> None:
        """Where an erasure hashed the contact alone, the address is hashed too, and the id stays."""
        half = redacted(no(), {"ada": PEPPERS.hashed("ada")}, lambda one: one)
        hidden = hashing(PEPPERS, "2026")(half)
        assert (half.id, PEPPERS.hashed(ADA)) == (hidden.id, hidden.subject.key)

    def test_a_pepper_that_is_not_there(self) -> None:
        """The error says which there are."""
        with pytest.raises(UnknownName, match="no pepper named '2027'; did you mean 202"):
            hashing(PEPPERS, "2027")


class TestLists:
    """A list of addresses, as anybody may have one."""

    @pytest.mark.parametrize(
        "content",
        [
            "email\nada@example.com\n",
            "ada@example.com\n",
            "\ufeffada@example.com",
            "\n\n Ada@Example.com \r\n",
            "E-Mail Address;Name\r\nADA@example.com;Ada\r\n",
            "name\taddress\nAda\tada@example.com\n",
            'address,email\n"12 Elm Street",ada@example.com\n',
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    def test_it_is_found_who_is_out(self, content: str, encoding: str, tmp_path: Path) -> None:
        """With a header or without, with a mark or without, between commas, semicolons or tabs."""
        content = content.removeprefix("\ufeff") if encoding == "utf-16" else content
        assert [ADA] == keys_in(written(tmp_path, "out.csv", content.encode(encoding)))

    def test_what_a_bare_row_says(self, tmp_path: Path) -> None:
        """A no to all marketing, of the address alone, observed now, told by the source, proved by the file (O3)."""
        (taken,) = noes_in(written(tmp_path, "out.csv", "ada@example.com"), evidence="out.csv, sha256 1")
        said = Provenance(
            actor=Actor.CONTACT, through=Through.IMPORT, at=RECEIVED, source="old system", evidence="out.csv, sha256 1"
        )
        expected = OptOut(
            subject=Subject(key=ADA), scope=ALL, event_id="observed:1:ada@example.com", provenance=said, dated=False
        )
        assert expected == taken

    def test_what_stands_beside_an_address(self, tmp_path: Path) -> None:
        """Scope, reason, date and campaign are taken; a reason in other words is kept as words (O3)."""
        path = written(
            tmp_path, "out.csv",
            "email,Scope,Reason,Date,Campaign\n"
            "ada@example.com,list:offers,too-many,2026-01-05T10:00:00+02:00,spring\n"
            "bob@example.com,offers,asked by phone,1767600000,\n"
            "cem@example.com,,,,\n",
        )  # fmt: skip
        ada, bob, cem = noes_in(path, lists={"offers"})
        at = datetime(2026, 1, 5, 8, tzinfo=UTC)
        assert (Scope.list("offers"), at, True) == (ada.scope, ada.provenance.at, ada.dated)
        assert (OptOutReason.TOO_MANY, "", "spring") == (
            ada.provenance.reason, ada.provenance.text, ada.provenance.campaign,
        )  # fmt: skip
        assert (Scope.list("offers"), at, None, "asked by phone") == (
            bob.scope, bob.provenance.at, bob.provenance.reason, bob.provenance.text,
        )  # fmt: skip
        assert (ALL, RECEIVED, False, None) == (cem.scope, cem.provenance.at, cem.dated, cem.provenance.campaign)

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("list:offres,", "no list 'offres' is declared: the no is taken for one to all"),
            ("sometimes,", "scope 'sometimes': write 'all', 'list:KEY' or 'channel:NAME'"),
            (",soon", "'soon' is not a date"),
        ],
    )
    def test_a_no_is_taken_whatever_stands_beside_it(self, row: str, reason: str, tmp_path: Path) -> None:
        """A scope that would bind nothing reaches all marketing, a date that is none is left out; both are noted."""
        path = written(tmp_path, "out.csv", f"email,scope,date\nada@example.com,{row}\n")
        taken, rejects = opt_outs_in(path, lists={"offers"})
        assert [(ALL, False)] == [(one.scope, one.dated) for one in taken if isinstance(one, OptOut)]
        assert [(2, False)] == [(one.line, one.whole) for one in rejects]
        assert rejects[0].reason.startswith(reason)

    def test_the_scope_of_a_list_that_does_not_say(self, tmp_path: Path) -> None:
        """It is what the caller says."""
        path = written(tmp_path, "out.csv", "ada@example.com")
        assert [Scope.channel(Channel.EMAIL)] == [
            one.scope for one in noes_in(path, scope=Scope.channel(Channel.EMAIL))
        ]

    def test_the_same_row_next_week_is_the_same_no(self, tmp_path: Path) -> None:
        """From one source one state of one address has one id; another source, date or scope another (F33)."""
        path = written(tmp_path, "out.csv", "ada@example.com")
        (now,), (later,) = noes_in(path), noes_in(path, now=RECEIVED + timedelta(days=7))
        assert now.id == later.id
        assert {now.id}.isdisjoint(one.id for one in noes_in(path, source="other"))
        dated = written(tmp_path, "dated.csv", "email,date\nada@example.com,2026-01-01\nada@example.com,2026-01-02\n")
        assert 3 == len({now.id, *(one.id for one in noes_in(dated))})

    def test_hashes(self, tmp_path: Path) -> None:
        """A hash made with any pepper that is given stands for the address, in a column of its own or not (O5)."""
        old, new = PEPPERS.forms(ADA)
        path = written(tmp_path, "out.csv", f"email,hash\n,{old}\nbob@example.com,\n{new},\n")
        assert [old, "1:bob@example.com", new] == keys_in(path)
        assert [old] == keys_in(written(tmp_path, "bare.csv", f"{old}\n"))

    def test_spellings_that_the_rules_take_for_one(self, tmp_path: Path) -> None:
        """The match key is that of the registry's rules (F61)."""
        path = written(tmp_path, "out.csv", "a.da+news@gmail.com\nada@gmail.com\n")
        rules = MatchRules(gmail_dots=True, plus_tags=True)
        assert 2 * ["1dp:ada@gmail.com"] == keys_in(path, rules=rules)

    @pytest.mark.parametrize(
        ("cell", "reason"),
        [
            ("ada", "'ada' is no address"),
            ("ada@example.com bob@example.com", "'ada@example.com bob@example.com' is no address"),
            ("\u212aim@example.com", "'\u212aim@example.com' is no address that mail can be sent to: characters that"),
            ("ad\u200ba@example.com", "'ad\\u200ba@example.com' is no address"),
            ("=cmd|' /C calc'!A0", "\"=cmd|' /C calc'!A0\" is no address"),
            ("x" * 1000 + "@example.com", "'" + "x" * 64 + "…' is no address"),
            ("x" * 140_000, "a cell has more than 131,072 characters"),
            ("x" * 1_500_000, "the line has more than 1,048,576 characters"),
            ("hmac:2026:" + 64 * "z", "'hmac:2026:zz"),
            ("a\0da@example.com", "it contains a NUL character"),
            ('"never closed', "a quote is opened and never closed"),
            ("ada@example.com,bob@example.com", "1 cells expected, 2 found"),
        ],
    )
    def test_a_bad_row_costs_itself(self, cell: str, reason: str, tmp_path: Path) -> None:
        """What is no address is refused with its line and what to do; the rows around it are taken (F59, F60)."""
        path = written(tmp_path, "out.csv", f"email\nada@example.com\n{cell}\nbob@example.com\n")
        taken, rejects = opt_outs_in(path)
        assert 2 == len(taken)
        assert [(3, True, str(path))] == [(one.line, one.whole, one.file) for one in rejects]
        assert rejects[0].reason.startswith(reason)
        assert len(rejects[0].row) <= 500

    def test_text_that_is_not_utf_8(self, tmp_path: Path) -> None:
        """It costs its row, unless the encoding is allowed."""
        path = written(
            tmp_path, "out.csv", "email,name\nada@example.com,Ad\xe9le\nbob@example.com,Bob\n".encode("cp1252")
        )
        taken, rejects = opt_outs_in(path)
        assert (1, [2]) == (len(taken), [one.line for one in rejects])
        assert 2 == len(noes_in(path, fallback="cp1252"))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "it is empty"),
            ("name,phone\nAda,1\n", "no column says who is out: it has name, phone"),
            ("ada@example.com,Ada\n", "no column says who is out"),
        ],
    )
    def test_a_file_that_says_nothing_of_anybody(self, content: str, message: str, tmp_path: Path) -> None:
        """It is refused as a whole, and the error says what to call the column (F67)."""
        with pytest.raises(InvalidDocument, match=message):
            opt_outs_in(written(tmp_path, "out.csv", content))

    def test_contacts_are_named_where_that_is_asked(self, tmp_path: Path) -> None:
        """The one contact with an address is named beside it; a hash names nobody."""
        path = written(tmp_path, "out.csv", f"Ada@example.com\nbob@example.com\n{PEPPERS.hashed(ADA)}\n")
        taken = noes_in(path, who_has={ADA: ContactId("ada")}.get)
        assert ["ada", None, None] == [one.subject.contact_id for one in taken]


def subscriptions_in(path: Path, **more: Any) -> tuple[list[Subscription], list[Reject]]:
    """Read a file of subscriptions in one batch."""
    rejects: list[Reject] = []
    taking = Taking(**{"now": RECEIVED, "source": "old system", **more})
    with open_subscriptions(path, taking) as (rows, read):
        return [one for _, one in read(list(rows), rejects.append)], rejects


class TestSubscriptions:
    """A table of subscribers."""

    def test_what_a_row_of_a_list_says(self, tmp_path: Path) -> None:
        """An operator's import to the list that was named, with date, source and proof where there are any (R12)."""
        path = written(
            tmp_path, "s.csv", "email,list,since,proof\nada@example.com,,,\nbob@example.com,offers,2026-01-05,form 7\n"
        )
        (ada, bob), rejects = subscriptions_in(path, to=ListKey("news"), evidence="s.csv")
        assert [] == rejects
        assert ("news", RECEIVED, "s.csv") == (ada.list, ada.provenance.at, ada.provenance.evidence)
        assert ("offers", "form 7", "old system") == (bob.list, bob.provenance.evidence, bob.provenance.source)
        assert {(Actor.OPERATOR, Through.IMPORT)} == {(s.provenance.actor, s.provenance.through) for s in (ada, bob)}

    @pytest.mark.parametrize("column", ["status", "Unsubscribed", "UNSUB_TIME", "opted-out", "MEMBER_STATUS"])
    def test_a_table_that_tells_who_left_is_not_read(self, column: str, tmp_path: Path) -> None:
        """Nobody who left is taken for a subscriber because a column was not looked at."""
        path = written(tmp_path, "s.csv", f"email,{column}\nada@example.com,x\n")
        with pytest.raises(InvalidDocument, match="says that some may be out"):
            subscriptions_in(path, to=ListKey("news"))

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", "it is empty"),
            ("name\nAda\n", "no column says who is subscribed: it has name"),
            ("email\nada@example.com\n", "nothing says to what list"),
        ],
    )
    def test_a_table_that_does_not_say_enough(self, content: str, message: str, tmp_path: Path) -> None:
        """It is refused as a whole, with what is missing."""
        with pytest.raises(InvalidDocument, match=message):
            subscriptions_in(written(tmp_path, "s.csv", content))

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("ada@example.com,offres", "no list named 'offres'; did you mean offers?"),
            ("ada@example.com,Not A List", "list 'Not A List': a key is"),
            ("ada@example.com,", "it names no list"),
            (",offers", "it names nobody"),
            ("ada,offers", "'ada' is no address"),
            (f"{PEPPERS.hashed(ADA)},offers", "nobody can be mailed at a hash"),
        ],
    )
    def test_a_row_that_cannot_be_taken(self, row: str, reason: str, tmp_path: Path) -> None:
        """It is refused with what to do, and the next one is taken."""
        path = written(tmp_path, "s.csv", f"email,list\n{row}\nbob@example.com,offers\n")
        taken, rejects = subscriptions_in(path, lists={"offers"})
        assert 1 == len(taken)
        assert [2] == [one.line for one in rejects]
        assert rejects[0].reason.startswith(reason)

    @pytest.mark.parametrize(
        ("cells", "reason"),
        [
            ("perhaps,contact,sign-up", "'perhaps' is no standing"),
            ("active,nobody,sign-up", "'nobody' is not a valid Actor"),
            ("active,contact,door", "'door' is not a valid Through"),
        ],
    )
    def test_an_export_that_was_tampered_with(self, cells: str, reason: str, tmp_path: Path) -> None:
        """A yes needs more than a no: what is unreadable is refused."""
        header = "contact_id,address,list,consent,since,expires_at,source,evidence,standing,actor,through"
        row = f"ada,ada@example.com,offers,express,2026-01-01,,app,form 7,{cells}"
        path = written(tmp_path, "s.csv", f"{header}\n{row}\n")
        taken, rejects = subscriptions_in(path)
        assert ([], [reason]) == (taken, [one.reason[: len(reason)] for one in rejects])


class TestProfileLines:
    """A contact with their engagement as one line of JSON."""

    @given(history=histories(), data=st.data())
    def test_every_contact_comes_back(self, history: list[Any], data: st.DataObject, tmp_path_factory: Any) -> None:
        """Fields of each type, tags, zone, profile and moves come back as they were."""
        value = st.one_of(
            st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(st.characters(codec="utf-8")),
            st.datetimes(timezones=st.just(UTC)),
        )  # fmt: skip
        fields = data.draw(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=4), value, max_size=4))
        contact = Contact(
            id=CONTACTS[0], address=parse_address("Ann@b\u00fccher.example.com"), fields=fields, tags={"b", "a"},
            source="contest", signed_up_at=START, timezone="Europe/Tallinn", locale="et", frequency=Frequency.WEEKLY,
        )  # fmt: skip
        move = Move(old=KEYS[0], key=KEYS[1], provenance=no().provenance)
        line = ContactLine(contact=contact, profile=fold(contact.id, resolve(history)), moves=(move,))
        path = tmp_path_factory.mktemp("export") / "profiles.jsonl"
        write_jsonl(path, [as_json(line)])
        assert line == from_json(json.loads(path.read_text()))

    def test_numbers_keep_their_type(self) -> None:
        """A whole number stays one, and what JSON has no number for is written out."""
        contact = Contact(id=CONTACTS[0], fields={"a": 1, "b": 1.0, "c": True, "d": float("inf"), "e": "1"})
        back = from_json(as_json(ContactLine(contact=contact))).contact.fields
        assert [int, float, bool, float, str] == [type(value) for value in back.values()]
        assert float("inf") == back["d"]

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ([], "it is no contact of an export"),
            ({"contact": {}}, r"\$.contact.id: required, and missing"),
            ({"contact": {"id": "a", "address": "x"}}, r"\$.contact.address: 'x': it has no at sign"),
            ({"contact": {"id": "a", "timezone": "Mars"}}, r"time zone 'Mars'"),
            ({"contact": {"id": "a", "fields": {"x": [1]}}}, "expected a text, a number, a flag or an instant"),
            ({"contact": {"id": "a", "fields": {"x": {"instant": 1}}}}, "expected a text"),
            ({"contact": {"id": "a", "extra": 1}}, r"\$\.contact\.extra: unknown field 'extra'"),
            ({"contact": {"id": "a"}, "profile": {"contact_id": "b"}}, "the profile is that of another contact"),
        ],
    )
    def test_a_line_that_is_wrong_says_where(self, line: object, message: str) -> None:
        """The error names the place within the line."""
        with pytest.raises(InvalidInput, match=message):
            from_json(line)

    def test_an_empty_profile(self) -> None:
        """A contact of whom nothing is counted has none."""
        line = ContactLine(contact=Contact(id=CONTACTS[0]), profile=EngagementProfile(contact_id=CONTACTS[0]))
        assert line == from_json(as_json(line))
        assert from_json({"contact": {"id": "ann"}}).profile is None
