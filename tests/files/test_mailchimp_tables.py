import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lifecycle_mail.errors import InvalidDocument
from lifecycle_mail.files import Source
from lifecycle_mail.files.mailchimp_tables import list_keys
from lifecycle_mail.model.entries import Standing, SuppressionKind
from lifecycle_mail.model.events import EventKind, Evidence
from lifecycle_mail.model.intake import Happened, Held, Joined, Known, Left, Statement
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.provenance import OptOutReason
from tests.files.samples import only, read_all, written

LISTS = "id,name\nl1,Monthly News!\n"
MEMBERS = "id,list_id,email_address,status,last_changed,timestamp_opt,timezone,merge_fname"


def tables(folder: Path, **rows: str) -> list[Statement]:
    """Write tables and return what they say."""
    for name, content in {"list": LISTS, **rows}.items():
        written(folder, f"{name}.csv", content)
    return read_all(folder)[0]


def test_a_real_extract(shared: Path) -> None:
    """Members, mails, opens, clicks and the one unsubscribe come out, and what is set aside is said."""
    folder = shared / "data/mailchimp_warehouse_tables"
    statements, reading = read_all(folder, lists={"8e423a4179": "company"})
    assert 12 == len(reading.files)
    joined = Counter(each.list for each in only(Joined, statements))
    assert {"company": 8, "example-company-8e423a4180": 1} == joined
    happened = only(Happened, statements)
    assert {EventKind.SENT: 10, EventKind.OPENED: 14, EventKind.CLICKED: 11} == Counter(e.kind for e in happened)
    assert {Evidence.UNKNOWN} == {each.evidence for each in happened}
    sent = [each for each in happened if each.kind is EventKind.SENT]
    assert {(datetime(2019, 11, 27, 16, 59, 27, tzinfo=UTC), "c2b4c1c0d9")} == {(e.at, e.mail) for e in sent}
    members = {each.who.contact_id for each in only(Known, statements) if each.who.address is not None}
    gone = {each.who.contact_id for each in sent} - members
    assert 4 == len(gone)
    (left,) = only(Left, statements)
    assert ("4d1bf0aa67690a2b483771ce00cfb6a7", "dylan+testing@example.co") == (
        left.who.contact_id, str(left.who.address),
    )  # fmt: skip
    assert (Scope.list("company"), "b63e7b8aff", datetime(2020, 4, 17, 16, 32, 51, tzinfo=UTC)) == (
        left.scope, left.provenance.campaign, left.provenance.at,
    )  # fmt: skip
    assert {"employee"} == {tag for each in only(Known, statements) for tag in each.tags}
    notes = Counter(reject.file.rpartition("/")[2] for reject in reading.rejects if not reject.whole)
    assert {"member.csv": 5, "automation_recipient.csv": 1} == notes
    assert 0 == reading.rejected


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("subscribed", ["Known", "Joined"]),
        ("unsubscribed", ["Known", "Joined", "Left"]),
        ("cleaned", ["Known", "Joined", "Held"]),
        ("pending", ["Known"]),
        ("archived", ["Known"]),
        ("transactional", ["Known"]),
        ("dancing", ["Known"]),
    ],
)
def test_a_status_says_what_it_means(tmp_path: Path, status: str, expected: list[str]) -> None:
    """Only who is or was subscribed has joined; what is pending or unknown is said and joins nobody."""
    row = f"m1,l1,ann@example.com,{status},2026-02-03 10:00:00,2026-01-01 00:00:00,,Ann"
    written(tmp_path, "list.csv", LISTS)
    written(tmp_path, "member.csv", f"{MEMBERS}\n{row}\n")
    statements, reading = read_all(tmp_path)
    assert expected == [type(each).__name__ for each in statements]
    assert (status in ("pending", "dancing")) == bool(reading.rejects)
    (known,) = only(Known, statements)
    assert {"FNAME": "Ann"} == known.fields
    for joined in only(Joined, statements):
        assert ("monthly-news", Standing.IMPORTED) == (joined.list, joined.standing)
    for left in only(Left, statements):
        assert (datetime(2026, 2, 3, 10, tzinfo=UTC), True) == (left.provenance.at, left.dated)
    for held in only(Held, statements):
        assert SuppressionKind.BOUNCE is held.kind


def test_who_left_once_is_out_whatever_the_status_says(tmp_path: Path) -> None:
    """A member who is subscribed again at Mailchimp still left: a state never overrides a no (O4)."""
    statements = tables(
        tmp_path,
        member=f"{MEMBERS}\nm1,l1,ann@example.com,subscribed,2026-03-01 00:00:00,,,\n",
        unsubscribe="campaign_id,member_id,list_id,reason,timestamp\nc1,m1,l1,NOT_SIGNED_UP,2026-02-01 00:00:00\n",
    )
    (left,) = only(Left, statements)
    assert ("c1", OptOutReason.NEVER_SIGNED_UP) == (left.provenance.campaign, left.provenance.reason)


def test_a_no_with_a_broken_time_still_counts(tmp_path: Path) -> None:
    """Whoever is in `unsubscribe` leaves, whatever stands in the cell of the time; the cell is noted."""
    written(tmp_path, "list.csv", LISTS)
    written(tmp_path, "member.csv", f"{MEMBERS}\nm1,l1,ann@example.com,unsubscribed,soon,,,\n")
    written(tmp_path, "unsubscribe.csv", "campaign_id,member_id,list_id,reason,timestamp\nc1,m1,l1,,soon\nc1,m2,,,\n")
    statements, reading = read_all(tmp_path)
    (left,) = only(Left, statements)
    assert ("ann@example.com", False) == (str(left.who.address), left.dated)
    assert [("member.csv", False), ("unsubscribe.csv", False), ("unsubscribe.csv", True)] == [
        (Path(reject.file).name, reject.whole) for reject in reading.rejects
    ]


def test_a_campaign_without_a_send_time_is_refused(tmp_path: Path) -> None:
    """No instant is made up for a mail."""
    written(tmp_path, "member.csv", f"{MEMBERS}\n")
    written(tmp_path, "campaign.csv", "id,send_time,title\nc1,,Draft\n")
    written(tmp_path, "campaign_recipient.csv", "campaign_id,member_id,list_id\nc1,m1,l1\nc2,m1,l1\n")
    _, reading = read_all(tmp_path)
    assert ["the campaign 'c1' has no send time", "the campaign 'c2' has no send time"] == [
        reject.reason for reject in reading.rejects
    ]


def test_activity_of_each_kind(tmp_path: Path) -> None:
    """Bounces are hard or soft, what is unknown is noted, and what lacks a time or a member is refused."""
    written(tmp_path, "list.csv", LISTS)
    written(tmp_path, "member.csv", f"{MEMBERS}\n")
    at = "2026-01-02 03:04:05"
    rows = [f"open,c1,m1,{at},,", f"click,c1,m1,{at},,http://x", f"bounce,c1,m1,{at},hard,",
            f"bounce,c1,m2,{at},soft,", f"forward,c1,m1,{at},,", "open,c1,m1,,,", f"open,c1,,{at},,"]  # fmt: skip
    header = "action,campaign_id,member_id,timestamp,bounce_type,url"
    written(tmp_path, "campaign_recipient_activity.csv", "\n".join([header, *rows]))
    statements, reading = read_all(tmp_path)
    assert ["opened", "clicked", "hard-bounced", "soft-bounced"] == [e.kind for e in only(Happened, statements)]
    assert ["m1"] == [held.who.contact_id for held in only(Held, statements)]
    assert [("forward", False), ("timestamp", True), ("member_id", True)] == [
        (next(w for w in ("forward", "timestamp", "member_id") if w in r.reason), r.whole) for r in reading.rejects
    ]


def test_lists_of_one_name_are_kept_apart() -> None:
    """Shared names get the list's id, in any order; a name without letters is replaced by the id."""
    assert {"a1": "news-a1", "b2": "news-b2", "c3": "tips", "d4": "d4"} == list_keys(
        {"a1": "News", "b2": "news!", "c3": "Tips", "d4": "???"}
    )
    long = list_keys({"a1": "x" * 80, "b2": "x" * 80})
    assert all(len(key) <= 64 for key in long.values())
    assert 2 == len(set(long.values()))


def test_the_folder_is_what_is_given(shared: Path, tmp_path: Path) -> None:
    """A table by itself is refused with the folder to give; a source may name a folder; a folder without is refused."""
    folder = shared / "data/mailchimp_warehouse_tables"
    with pytest.raises(InvalidDocument, match="give the folder"):
        read_all(folder / "member.csv")
    copy = Path(shutil.copytree(folder, tmp_path / "extract"))
    source = Source(files=("extract",), format="mailchimp-tables", lists={"8e423a4179": "ours"})
    assert "ours" in {each.list for each in only(Joined, read_all(copy, sources=[source])[0])}
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidDocument, match="holds no Mailchimp tables"):
        read_all(tmp_path / "other", sources=[Source(files=("other",), format="mailchimp-tables")])
