import json
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cattrs
import pytest

import lifecycle_mail.files
from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files import Columns, FieldColumn, Format, Source
from lifecycle_mail.model.contacts import FieldType
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence, Purpose
from lifecycle_mail.model.intake import Counted, Happened, Held, Joined, Known, Left
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, Through
from tests.files.samples import RECEIVED, events_source, only, read_all, written

YAMMER = Source(
    name="yammer",
    files=("email_events.csv*",),
    columns=Columns(contact_id="user_id", at="occurred_at", kind="action"),
    kinds={
        "sent_weekly_digest": "sent",
        "sent_reengagement_email": "re-engagement",
        "email_open": "opened",
        "email_clickthrough": "clicked",
    },
    email_template="user{user_id}@example.com",
    assume_list="digest",
    assume_at="2014-01-01",
)
REES46 = Source(
    name="rees46",
    files=("client_snapshot.csv*",),
    format="snapshot",
    columns=Columns(
        contact_id="client_id", taken_at="now_ts", last_open_days="TSLO_days", mails_30d="messages_last_30d",
        unopened_streak="unopened_streak", unopened_share="unopened_share_last10",
    ),
)  # fmt: skip


def test_a_log_of_events(shared: Path) -> None:
    """Every row becomes an event, and every contact is assumed to be subscribed once."""
    path = shared / "data/yammer_email_log/email_events.csv.gz"
    statements, reading = read_all(path, sources=[YAMMER])
    happened = only(Happened, statements)
    assert (60_121, 60_121, 0) == (len(happened), reading.accepted, len(reading.rejects))
    assert {
        ("sent", "regular"): 37_911, ("sent", "re-engagement"): 2_453,
        ("opened", "regular"): 13_703, ("clicked", "regular"): 6_054,
    } == Counter((each.kind.value, each.purpose.value) for each in happened)  # fmt: skip
    first = happened[0]
    assert ("8", "user8@example.com") == (first.who.contact_id, str(first.who.address))
    assert (datetime(2014, 5, 6, 9, 30, tzinfo=UTC), "file:yammer", None) == (first.at, first.source, first.event_id)
    joined = only(Joined, statements)
    assert 4_112 == len(joined) == len({each.who.contact_id for each in joined})
    assert {("digest", Standing.IMPORTED)} == {(each.list, each.standing) for each in joined}
    provenance = joined[0].provenance
    assert (Actor.OPERATOR, Through.IMPORT, datetime(2014, 1, 1, tzinfo=UTC)) == (
        provenance.actor, provenance.through, provenance.at,
    )  # fmt: skip
    assert "assumed by the mapping 'yammer' of email_events.csv.gz" == provenance.evidence


def test_a_snapshot_in_days(shared: Path) -> None:
    """Days are counted back from the counting, an empty cell is never, and a share of unopened is turned over."""
    path = shared / "data/rees46_engagement_snapshot/client_snapshot.csv.gz"
    statements, reading = read_all(path, sources=[REES46])
    counted = only(Counted, statements)
    assert (39_983, 39_983, []) == (len(counted), reading.accepted, reading.rejects)
    snapshot = counted[3].snapshot
    assert "1515915625468069878" == counted[3].who.contact_id
    assert datetime(2023, 4, 18, 11, 23, 28, tzinfo=UTC) == snapshot.taken_at
    assert datetime(2023, 3, 22, 11, 23, 28, tzinfo=UTC) == snapshot.last_open
    assert (8, 7, 0.2) == (snapshot.mails_30d, snapshot.unopened_streak, snapshot.opened_share)
    assert any(each.snapshot.last_open is None for each in counted)


def test_contacts_with_typed_fields(shared: Path) -> None:
    """Fields have the declared types, and empty cells say nothing."""
    source = Source(
        name="users", files=("users.csv*",), format="contacts",
        columns=Columns(contact_id="user_id", signed_up_at="created_at", locale="language"),
        fields={
            "company": FieldColumn(column="company_id", type=FieldType.NUMBER),
            "activated": FieldColumn(column="activated_at", type=FieldType.INSTANT),
        },
    )  # fmt: skip
    statements, _ = read_all(shared / "data/yammer_email_log/users.csv.gz", sources=[source])
    known = only(Known, statements)
    assert 12_631 == len(known)
    assert {"company": 2800, "activated": datetime(2013, 1, 1, 18, 42, tzinfo=UTC)} == known[0].fields
    assert ("german", datetime(2013, 1, 1, 18, 40, tzinfo=UTC)) == (known[0].locale, known[0].signed_up_at)
    assert {frozenset({"company"}), frozenset({"company", "activated"})} == {frozenset(k.fields) for k in known}


def test_every_column_of_an_event(tmp_path: Path) -> None:
    """Mail, campaign, link, event id and evidence are taken as they stand; without kinds, our own words are known."""
    columns = Columns(
        contact_id="id", email="email", at="at", kind="kind", mail="mail", campaign="campaign", link="link",
        event_id="event", evidence="by",
    )  # fmt: skip
    content = (
        "id,email,at,kind,mail,campaign,link,event,by\n"
        "1, ann@example.com ,2026-01-02 12:00,Clicked,m1,c1,http://x,e1,Machine\n"
        "1,,2026-01-02T12:00Z,last-chance,,,,,\n"
        "1,,1513299569,opened,,,,,martian\n"
    )
    source = events_source(columns=columns, timezone="Europe/Tallinn", name="log")
    statements, reading = read_all(written(tmp_path, "x.csv", content), sources=[source])
    clicked, sent = only(Happened, statements)
    assert "ann@example.com" == str(clicked.who.address)
    assert datetime(2026, 1, 2, 10, tzinfo=UTC) == clicked.at
    assert (EventKind.CLICKED, "m1", "c1", "http://x", "e1", Evidence.MACHINE) == (
        clicked.kind, clicked.mail, clicked.campaign, clicked.link, clicked.event_id, clicked.evidence,
    )  # fmt: skip
    assert (EventKind.SENT, Purpose.LAST_CHANCE, datetime(2026, 1, 2, 12, tzinfo=UTC)) == (
        sent.kind, sent.purpose, sent.at,
    )  # fmt: skip
    assert ["evidence 'martian' is not known"] == [reject.reason for reject in reading.rejects]


def test_events_about_consent(tmp_path: Path) -> None:
    """Unsubscribes leave the list, or all marketing without one; complaints and hard bounces hold."""
    content = "id,at,kind\n1,2026-01-02,unsubscribed\n2,2026-01-02,complained\n3,2026-01-02,hard-bounced\n"
    path = written(tmp_path, "x.csv", content)
    for key, scope in (("news", Scope.list("news")), (None, Scope.all())):
        statements, _ = read_all(path, sources=[events_source(list=key)])
        left, complaint, bounced, dead = statements
        assert isinstance(left, Left)
        assert (scope, datetime(2026, 1, 2, tzinfo=UTC), True) == (left.scope, left.provenance.at, left.dated)
        assert isinstance(complaint, Held)
        assert SuppressionKind.COMPLAINT is complaint.kind
        assert isinstance(bounced, Happened)
        assert isinstance(dead, Held)
        assert (SuppressionKind.BOUNCE, "x.csv:4") == (dead.kind, dead.provenance.evidence)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,2026-01-02,purchased", "kind 'purchased' is not known"),
        ("1,2026-01-02,", "kind '' is not known"),
        ("1,soon,open", "'soon' is not a date"),
        ("1,,open", "it has no instant"),
        (",2026-01-02,open", "it names nobody"),
        ("x" * 300 + ",2026-01-02,open", "give 1 to 256 printable characters"),
        ("hmac:2026:7,2026-01-02,open", "'hmac:' begins keyed hashes of who was erased"),
        ('"a\tb",2026-01-02,open', "give 1 to 256 printable characters"),
    ],
)
def test_an_untrue_row_is_refused(tmp_path: Path, row: str, reason: str) -> None:
    """A row is refused with file, line and reason, and the next one is taken."""
    path = written(tmp_path, "x.csv", f"id,at,kind\n{row}\n2,2026-01-02,open\n")
    statements, reading = read_all(path, sources=[events_source(kinds={"open": "opened", "page": "ignore"})])
    assert 1 == len(statements)
    (reject,) = reading.rejects
    assert reason in reject.reason
    assert (str(path), 2, True) == (reject.file, reject.line, reject.whole)
    assert "purchased" not in row or "known are 'open', 'page'" in reject.fix


@pytest.mark.parametrize("at", ["", "soon"])
def test_a_no_without_a_time_still_counts(tmp_path: Path, at: str) -> None:
    """What takes somebody off a list is taken as observed, and the missing time is noted."""
    rows = "".join(f"{n},{at},{kind}\n" for n, kind in enumerate(["unsubscribed", "complained", "hard-bounced"]))
    statements, reading = read_all(written(tmp_path, "x.csv", f"id,at,kind\n{rows}"), sources=[events_source()])
    assert [("Left", False), ("Held", False), ("Held", False)] == [
        (type(each).__name__, each.dated) for each in statements if isinstance(each, Left | Held)
    ]
    assert [False] * 3 == [reject.whole for reject in reading.rejects]


def test_ignored_kinds_are_counted(tmp_path: Path) -> None:
    """A kind declared as ignored gives nothing, and the books say so."""
    path = written(tmp_path, "x.csv", "id,at,kind\n1,2026-01-02,page\n")
    statements, reading = read_all(path, sources=[events_source(kinds={"Page": "ignore"})])
    report = reading.files[str(path)]
    assert ([], 1, 1, 0) == (statements, report.accepted, report.ignored, len(reading.rejects))


def test_a_template_makes_addresses_of_columns_only(tmp_path: Path) -> None:
    """Each column of the template is put in; an empty one refuses the row; a given address comes first."""
    columns = Columns(contact_id="id", email="email", at="at", kind="kind")
    source = events_source(columns=columns, email_template="{id}.{at}@example.com")
    content = "id,email,at,kind\n1,,2026-01-02,sent\n2,bob@example.com,2026-01-02,sent\n3,,,sent\n"
    statements, reading = read_all(written(tmp_path, "x.csv", content), sources=[source])
    assert ["1.2026-01-02@example.com", "bob@example.com"] == [
        str(each.who.address) for each in only(Happened, statements)
    ]
    assert "the column 'at' of the address template is empty" in reading.rejects[0].reason


def test_an_assumed_subscription_is_dated_as_well_as_can_be(tmp_path: Path) -> None:
    """By a column, by an instant, by the sign-up, or else by the time of reading; once a contact."""
    path = written(tmp_path, "x.csv", "id,at,kind,since\n1,2026-01-02,sent,2020-05-06\n1,2026-01-03,sent,\n")
    signed = Columns(contact_id="id", at="at", kind="kind", signed_up_at="since")
    for source, at in (
        (events_source(assume_list="news", assume_at="since"), datetime(2020, 5, 6, tzinfo=UTC)),
        (events_source(assume_list="news", assume_at="2019-01-01"), datetime(2019, 1, 1, tzinfo=UTC)),
        (events_source(assume_list="news", columns=signed), datetime(2020, 5, 6, tzinfo=UTC)),
        (events_source(assume_list="news"), RECEIVED),
    ):
        statements, _ = read_all(path, sources=[source])
        (joined,) = only(Joined, statements)
        assert at == joined.provenance.at


def test_contacts_with_a_status(tmp_path: Path) -> None:
    """A status joins, or joins and takes off; cells beside the point are set aside and the contact is taken."""
    source = Source(
        files=("*.csv",), format="contacts", list="news", kinds={"a": "subscribed", "u": "unsubscribed",
        "b": "bounced", "c": "complained", "x": "ignore"}, fields={"age": FieldColumn(column="age", type="number")},
        columns=Columns(email="email", status="status", tags="tags", timezone="tz", source="src", locale="lang"),
    )  # fmt: skip
    rows = [
        'ann@example.com,a,"VIP, new",Europe/Riga,organic,lv,41',
        "bob@example.com,U,,,,,",
        "cat@example.com,b,,Mars/One,,,old",
        "dan@example.com,c,,,,,",
        "eve@example.com,x,,,,,",
        "fay@example.com,?,,,,,",
    ]
    path = written(tmp_path, "x.csv", "\n".join(["email,status,tags,tz,src,lang,age", *rows]))
    statements, reading = read_all(path, sources=[source])
    ann = only(Known, statements)[0]
    assert (frozenset({"VIP", "new"}), "Europe/Riga", "organic", "lv", {"age": 41}) == (
        ann.tags, ann.timezone, ann.source, ann.locale, ann.fields,
    )  # fmt: skip
    assert 4 == len(only(Joined, statements))
    (left,) = only(Left, statements)
    assert (Scope.list("news"), False) == (left.scope, left.dated)
    assert [SuppressionKind.BOUNCE, SuppressionKind.COMPLAINT] == [held.kind for held in only(Held, statements)]
    assert [(4, False), (4, False), (7, True)] == [(each.line, each.whole) for each in reading.rejects]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ("-1,,", "last_open_days is -1"),
        ("1e12,,", "before time began"),
        ("nan,,", "'nan' is not a number"),
        ("soon,,", "'soon' is not a number"),
        (",1.2,", "a share of 1.2"),
        (",-0.1,", "a share of -0.1"),
        (",,-3", "mails is -3"),
        (",,2.5", "mails is 2.5"),
    ],
)
def test_an_impossible_count_is_refused(tmp_path: Path, cells: str, reason: str) -> None:
    """Negative days, shares outside 0 to 1 and broken numbers are rejects."""
    columns = Columns(contact_id="id", last_open_days="days", opened_share="share", mails="mails")
    source = events_source(format="snapshot", columns=columns, taken_at="2026-02-01")
    path = written(tmp_path, "x.csv", f"id,days,share,mails\n1,{cells}\n2,3,0.5,7.0\n")
    statements, reading = read_all(path, sources=[source])
    assert [(0.5, 7)] == [(c.snapshot.opened_share, c.snapshot.mails) for c in only(Counted, statements)]
    assert reason in reading.rejects[0].reason


@pytest.mark.parametrize(
    ("taken", "opened", "reason"),
    [
        ("2026-02-01", "2026-02-02", "last_open is 2026-02-02T00:00:00+00:00, after the counting"),
        ("2027-02-01", "2026-02-02", "it was counted in the future"),
        ("", "2026-02-02", "it does not say when it was counted"),
        ("2026-02-01", "soon", "last_open: 'soon' is not a date"),
    ],
)
def test_a_snapshot_of_the_future_is_refused(tmp_path: Path, taken: str, opened: str, reason: str) -> None:
    """Nothing can have happened after it was counted, nor be counted after it was received."""
    columns = Columns(contact_id="id", taken_at="taken", last_open="opened")
    path = written(tmp_path, "x.csv", f"id,taken,opened\n1,{taken},{opened}\n")
    statements, reading = read_all(path, sources=[events_source(format="snapshot", columns=columns)])
    assert [] == statements
    assert reason in reading.rejects[0].reason


def test_json_lines_by_a_mapping(tmp_path: Path) -> None:
    """Keys and paths of keys are columns; values of any type are cells; what is no object is refused."""
    columns = Columns(contact_id="user.id", email="user.email", at="at", kind="kind", tags="tags")
    source = events_source(columns=columns, fields={"vip": FieldColumn(column="vip", type="flag")})
    rows: list[Any] = [
        {
            "user": {"id": 7, "email": "ann@example.com"},
            "at": 1513299569,
            "kind": "opened",
            "tags": ["a, b", "c"],
            "vip": True,
        },
        {"user.id": "8", "at": "2026-01-02", "kind": "sent", "tags": None},
        {"user": "x", "at": "2026-01-02", "kind": "sent"},
        5,
    ]
    path = written(tmp_path, "x.jsonl", "\n".join(json.dumps(row) for row in rows))
    statements, reading = read_all(path, sources=[source])
    assert ["7", "8"] == [each.who.contact_id for each in only(Happened, statements)]
    first = only(Known, statements)[0]
    assert ({"vip": True}, frozenset({"a, b", "c"})) == (first.fields, first.tags)
    assert ["it names nobody", "it is not an object"] == [reject.reason.partition(":")[0] for reject in reading.rejects]


def test_a_source_is_plain_data() -> None:
    """A document becomes a source, its words become members, and a single pattern needs no array."""
    document = """
        name = "log"
        files = "*.csv"
        format = "contacts"
        email_template = "{id}@example.com"
        [columns]
        contact_id = "id"
        [fields]
        2020_spend = { column = "spend", type = "number" }
    """
    converter = cattrs.Converter(forbid_extra_keys=True, prefer_attrib_converters=True)
    source = converter.structure(tomllib.loads(document), Source)
    assert source == Source(
        name="log", files=("*.csv",), format=Format.CONTACTS, email_template="{id}@example.com",
        columns=Columns(contact_id="id"), fields={"2020_spend": FieldColumn(column="spend", type=FieldType.NUMBER)},
    )  # fmt: skip
    assert ("id", "spend") == source.needed


def test_keys_that_never_occur_are_remarked_upon(tmp_path: Path) -> None:
    """JSON may leave keys out, so a mistyped one is no error; it is said all the same."""
    source = events_source(columns=Columns(contact_id="id", at="at", kind="kind", mail="mial"))
    path = written(tmp_path, "x.jsonl", '{"id": 1, "at": "2026-01-02", "kind": "sent", "mail": "m"}\n' * 2)
    statements, reading = read_all(path, sources=[source])
    assert 2 == len(statements)
    assert ["the first 2 objects have nothing for 'mial'"] == [reject.reason for reject in reading.rejects]


def test_a_bad_address_beside_an_id_is_set_aside_on_each_row(tmp_path: Path) -> None:
    """The contact is taken by its id, and every row that carries the bad address says so."""
    columns = Columns(contact_id="id", email="email", at="at", kind="kind")
    content = "id,email,at,kind\n" + "1,nobody,2026-01-02,sent\n" * 3
    statements, reading = read_all(written(tmp_path, "x.csv", content), sources=[events_source(columns=columns)])
    assert [None] * 3 == [each.who.address for each in only(Happened, statements)]
    assert [False] * 3 == [reject.whole for reject in reading.rejects]


def test_all_that_is_wrong_with_a_mapping_is_said_at_once() -> None:
    """Each problem has its place and its fix."""
    source = Source(
        format="events", timezone="Mars/One", delimiter=",,", columns=Columns(status="s"), list="My List",
        lists={"9": "no slug"}, kinds={"open": "openned"}, email_template="{user", taken_at="soon",
    )  # fmt: skip
    with pytest.raises(InvalidDocument) as caught:
        read_all(sources=[source])
    assert [
        "sources[0].files", "sources[0].timezone", "sources[0].delimiter", "sources[0].list", "sources[0].lists.9",
        "sources[0].taken_at", "sources[0].columns.at", "sources[0].columns.kind",
        "sources[0].columns.status", "sources[0].kinds.open", "sources[0].email_template",
    ] == [problem.path for problem in caught.value.problems]  # fmt: skip
    assert "did you mean 'opened'?" in str(caught.value)
    twice = Columns(last_open="a", last_open_days="b", opened_share="c", unopened_share="d")
    with pytest.raises(InvalidDocument) as caught:
        read_all(sources=[Source(name="s", files=("*",), format="snapshot", columns=twice)])
    assert 4 == len(caught.value.problems)


def test_columns_that_are_not_there_have_near_misses(tmp_path: Path) -> None:
    """All missing columns are named, with what was perhaps meant."""
    path = written(tmp_path, "x.csv", "User_ID,happened,kind\n1,2026-01-02,sent\n")
    source = events_source(
        columns=Columns(contact_id="user_id", at="when", kind="kind"), email_template="{uid}@example.com",
        assume_list="news", assume_at="since",
    )  # fmt: skip
    with pytest.raises(InvalidDocument) as caught:
        read_all(path, sources=[source])
    text = str(caught.value)
    assert 4 == len(caught.value.problems)
    assert "no column 'user_id' for contact_id (did you mean 'User_ID'?)" in text
    assert "no column 'when' for at (it has User_ID, happened, kind)" in text
    assert "no column 'uid' for email_template {uid}" in text
    assert "no column 'since' for assume_at" in text


@pytest.mark.parametrize(
    ("extra", "cell"), [("signed_up_at", "not a date"), ("timezone", "x" * 300)], ids=["date", "zone"]
)
def test_a_bad_cell_does_not_take_the_no_with_it(tmp_path: Path, extra: str, cell: str) -> None:
    """A row that says somebody is out is heard, whatever else is wrong with it (O4)."""
    path = tmp_path / "people.csv"
    path.write_text(f"id,email,status,{extra}\n1,ada@example.com,unsubscribed,{cell}\n", encoding="utf-8")
    columns = Columns(contact_id="id", email="email", status="status", **{extra: extra})
    source = Source(files=("*.csv",), format=Format.CONTACTS, columns=columns, list="offers")
    reading = lifecycle_mail.files.read([path], received_at=datetime(2026, 1, 1, tzinfo=UTC), sources=[source])
    assert any(isinstance(one, Left) for one in reading)
    assert [(False, 2)] == [(reject.whole, reject.line) for reject in reading.rejects]


@pytest.mark.parametrize("kind", ["unsubscribed", "hard-bounced", "complained"])
def test_a_bad_cell_of_an_event_does_not_take_the_no_with_it(tmp_path: Path, kind: str) -> None:
    """An event that says somebody is out is heard, though its evidence or another cell cannot be read (O4)."""
    path = tmp_path / "events.csv"
    path.write_text(
        f"email,at,kind,evidence,since\nada@example.com,2026-01-01,{kind},maybe,garbage\n", encoding="utf-8"
    )
    columns = Columns(email="email", at="at", kind="kind", evidence="evidence", signed_up_at="since")
    source = Source(files=("*.csv",), columns=columns)
    reading = lifecycle_mail.files.read([path], received_at=datetime(2026, 1, 2, tzinfo=UTC), sources=[source])
    assert [True] == [isinstance(one, Left | Held) for one in reading]
    assert [(False, 2)] == [(reject.whole, reject.line) for reject in reading.rejects]
