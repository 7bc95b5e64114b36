from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files import Columns, Source
from lifecycle_mail.files.cells import tags_in
from lifecycle_mail.files.mailchimp import read_reason
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.intake import Held, Joined, Known, Left
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import Actor, OptOutReason, Through
from tests.files.samples import RECEIVED, only, read_all, written

HEADER = "Name,Name,EMAIL ADDRESS,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,TIMEZONE,LEID,EUID,TAGS,Plan"
ROW = 'Ann,A.,ann@example.com,4,2026-01-02 03:04:05,192.0.2.1,Europe/Tallinn,1,e1,"""Tag one"",""Tag, two""",pro'
UNSUB = "UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_CAMPAIGN_ID,UNSUB_REASON,UNSUB_REASON_OTHER"


def test_the_three_files_of_an_export(shared: Path) -> None:
    """Subscribed joins, unsubscribed joins and leaves, cleaned joins and is held, a bad address is rejected."""
    folder = shared / "data" / "mailchimp_errors_and_exports"
    statements, reading = read_all(*sorted(folder.glob("*_export.csv")), audience="newsletter")
    assert ["cleaned@example.com", "subscribed@example.com", "unsubscribed@example.com"] == [
        str(known.who.address) for known in only(Known, statements)
    ]
    joined = only(Joined, statements)
    assert 3 == len(joined)
    assert {("newsletter", Standing.IMPORTED)} == {(each.list, each.standing) for each in joined}
    assert (
        "subscribed_email_audience_export.csv:2; opted in 2024-01-01 09:00:00 UTC from 192.0.2.10;"
        " confirmed 2024-01-01 09:05:00 UTC from 192.0.2.11"
    ) == joined[1].provenance.evidence.replace("  ", " ")
    (held,) = only(Held, statements)
    assert SuppressionKind.BOUNCE is held.kind
    assert ("camp-clean", datetime(2024, 3, 4, 10, tzinfo=UTC)) == (held.provenance.campaign, held.provenance.at)
    (left,) = only(Left, statements)
    assert Scope.list("newsletter") == left.scope
    assert ("mailchimp", "camp-1", datetime(2024, 2, 3, 10, tzinfo=UTC)) == (
        left.provenance.source, left.provenance.campaign, left.provenance.at,
    )  # fmt: skip
    assert (Actor.CONTACT, Through.IMPORT, True) == (left.provenance.actor, left.provenance.through, left.dated)
    (reject,) = reading.rejects
    assert reject.whole
    assert (3, "Invalid,not-an-email") == (reject.line, reject.row.rstrip(","))
    assert frozenset({"Newsletter", "VIP"}) == only(Known, statements)[1].tags


def test_the_columns_of_an_account_become_fields(tmp_path: Path) -> None:
    """Fields go by their own names, those of one name apart; empty cells say nothing; tags may be quoted."""
    path = written(tmp_path, "subscribed_x.csv", f"{HEADER}\n{ROW}\nBob,,bob@example.com,,,,,,,,\n")
    statements, reading = read_all(path)
    ann, bob = only(Known, statements)
    assert {"Name": "Ann", "Name (2)": "A.", "MEMBER_RATING": "4", "Plan": "pro"} == ann.fields
    assert frozenset({"Tag one", "Tag, two"}) == ann.tags
    assert "Europe/Tallinn" == ann.timezone
    assert datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) == ann.signed_up_at
    assert ({"Name": "Bob"}, frozenset(), None) == (bob.fields, bob.tags, bob.signed_up_at)
    assert RECEIVED == only(Joined, statements)[1].provenance.at
    assert [] == reading.rejects


@pytest.mark.parametrize(
    ("cell", "tags"),
    [
        ("", set()),
        ("  ", set()),
        ("VIP", {"VIP"}),
        ("Newsletter, VIP", {"Newsletter", "VIP"}),
        ('"Tag one","Tag, two"', {"Tag one", "Tag, two"}),
        ('"a", "b"', {"a", "b"}),
        ('broken"tag, "other', {'broken"tag', '"other'}),
        ("two\nlines,,x", {"two lines", "x"}),
    ],
)
def test_tags_are_a_list_within_a_cell(cell: str, tags: set[str]) -> None:
    """Labels stand between commas, in quotes or without."""
    assert tags == tags_in(cell)


@pytest.mark.parametrize(
    ("word", "other", "expected"),
    [
        ("", "", (None, "")),
        ("NORMAL_UNSUBSCRIBE", "", (None, "")),
        ("not_signed_up", "", (OptOutReason.NEVER_SIGNED_UP, "")),
        ("Not Signed Up", "", (OptOutReason.NEVER_SIGNED_UP, "")),
        ("SPAM", "", (None, "spam")),
        ("INAPPROPRIATE", "", (OptOutReason.OTHER, "inappropriate")),
        ("OTHER", "moved away", (OptOutReason.OTHER, "moved away")),
        ("N/A (Unsubscribed by admin)", "", (OptOutReason.OTHER, "N/A (Unsubscribed by admin)")),
    ],
)
def test_reasons_are_read_in_any_case(word: str, other: str, expected: tuple[OptOutReason | None, str]) -> None:
    """A reason becomes one of ours where there is one, and text is kept (O3)."""
    assert expected == read_reason(word, other)


def test_spam_is_a_complaint_too(tmp_path: Path) -> None:
    """Who left because of spam is out of the audience and held for a complaint."""
    row = f"{ROW},2026-02-01 10:00:00,Spring,c1,SPAM,"
    statements, _ = read_all(written(tmp_path, "unsubscribed_x.csv", f"{HEADER},{UNSUB}\n{row}\n"))
    assert ["Known", "Joined", "Left", "Held"] == [type(each).__name__ for each in statements]
    (held,) = only(Held, statements)
    assert (SuppressionKind.COMPLAINT, Through.COMPLAINT) == (held.kind, held.provenance.through)


def test_an_unsubscribe_without_a_time_still_counts(tmp_path: Path) -> None:
    """Without a time, and with one that is none, the no is taken as observed; the bad cell is noted."""
    content = f"{HEADER},{UNSUB}\n{ROW},,,,,\n{ROW},soon,Spring,,,\n"
    statements, reading = read_all(written(tmp_path, "unsubscribed_x.csv", content))
    first, second = only(Left, statements)
    assert (False, RECEIVED) == (first.dated, first.provenance.at)
    assert (False, "Spring") == (second.dated, second.provenance.campaign)
    (note,) = reading.rejects
    assert not note.whole
    assert note.reason.startswith("UNSUB_TIME: 'soon' is not a date")


def test_a_time_zone_that_is_none_is_set_aside(tmp_path: Path) -> None:
    """The member is taken without it."""
    path = written(tmp_path, "subscribed_x.csv", f"{HEADER}\n{ROW.replace('Europe/Tallinn', '212/332/646/917')}\n")
    statements, reading = read_all(path)
    assert [None] == [known.timezone for known in only(Known, statements)]
    (note,) = reading.rejects
    assert (False, 2) == (note.whole, note.line)
    assert 1 == reading.accepted


def test_the_nonsubscribed_are_known_and_no_more(tmp_path: Path) -> None:
    """Nobody joins by a file of people who never subscribed."""
    statements, _ = read_all(written(tmp_path, "nonsubscribed_x.csv", f"{HEADER}\n{ROW}\n"))
    assert ["Known"] == [type(each).__name__ for each in statements]


@pytest.mark.parametrize(
    ("name", "more", "message"),
    [
        ("subscribed.csv", "UNSUB_TIME", "its name says subscribed, its columns say unsubscribed"),
        ("unsubscribed.csv", "CLEAN_TIME", "its name says unsubscribed, its columns say cleaned"),
        ("unsubscribed.csv", "LAST_CHANGED", "the column that comes with it is missing"),
        ("export.csv", "LAST_CHANGED", "neither its name nor its columns tell"),
    ],
)
def test_a_doubtful_export_is_not_read(tmp_path: Path, name: str, more: str, message: str) -> None:
    """Where name and columns disagree, or do not tell, nothing is read until somebody says what it is."""
    path = written(tmp_path, name, f"{HEADER},{more}\n{ROW},\n")
    with pytest.raises(InvalidDocument, match=message):
        read_all(path)
    source = Source(files=("*.csv",), format="mailchimp", state="cleaned", list="news")
    statements, _ = read_all(path, sources=[source])
    assert ["news"] == [joined.list for joined in only(Joined, statements)]
    assert 1 == len(only(Held, statements))


def test_columns_alone_tell_the_state(tmp_path: Path) -> None:
    """A renamed file of the unsubscribed is still one."""
    statements, _ = read_all(written(tmp_path, "x.csv", f"{HEADER},{UNSUB}\n{ROW},,,,,\n"))
    assert 1 == len(only(Left, statements))


def test_a_state_that_is_none_is_refused(tmp_path: Path) -> None:
    """The error lists the states there are."""
    path = written(tmp_path, "x.csv", f"{HEADER}\n{ROW}\n")
    with pytest.raises(InvalidDocument, match=r"'gone' is no state .*one of subscribed, unsubscribed"):
        read_all(path, sources=[Source(files=("x.csv",), format="mailchimp", state="gone")])


def test_a_column_may_hold_the_contact_id(tmp_path: Path) -> None:
    """With a contact id, the address may even be bad: it is set aside."""
    path = written(tmp_path, "subscribed.csv", f"{HEADER}\n{ROW}\n{ROW.replace('ann@', 'ann')}\n")
    source = Source(files=("*.csv",), format="mailchimp", columns=Columns(contact_id="Plan"))
    statements, reading = read_all(path, sources=[source])
    first, second = only(Known, statements)
    assert ("pro", "ann@example.com") == (first.who.contact_id, str(first.who.address))
    assert ("pro", None) == (second.who.contact_id, second.who.address)
    assert [False] == [reject.whole for reject in reading.rejects]
    missing = Source(files=("*.csv",), format="mailchimp", columns=Columns(contact_id="ID"))
    with pytest.raises(InvalidDocument, match="without the column ID"):
        read_all(path, sources=[missing])
