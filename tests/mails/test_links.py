"""Links: what they say, where they lead, how long they work, and that whatever is wrong is refused alike."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from time import perf_counter
from traceback import walk_tb
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, LinkRefused, Misconfigured, Refused
from lifecycle_mail.mails.links import MAX_URL, PURPOSES, SKEW, Link, LinkPurpose, Links, Tokens
from lifecycle_mail.mails.signing import MAX_TOKEN, SigningKey
from lifecycle_mail.model.contacts import Contact
from lifecycle_mail.model.lists import Channel, Scope
from lifecycle_mail.model.names import CampaignKey, ContactId

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MICROSECOND, DAY = timedelta(microseconds=1), timedelta(days=1)
BASE = "https://mail.example.com/m"
KEY = SigningKey("2026a", "a key for these tests, known to everybody")
OTHER = SigningKey("2026b", "another key, known to everybody as well")
LINKS = Links(BASE, [KEY])
OFFERS, NEWS = Scope.list("offers"), Scope.list("news")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

each_purpose = pytest.mark.parametrize("purpose", LinkPurpose)


def link(purpose: LinkPurpose = LinkPurpose.UNSUBSCRIBE, contact_id: str = "ada", **said: Any) -> Link:
    """Return a link of ada's about the list offers, signed now."""
    attributes: dict[str, Any] = {"scope": OFFERS, "signed_at": NOW} | said
    return Link(purpose=purpose, contact_id=ContactId(contact_id), **attributes)


def token(purpose: LinkPurpose = LinkPurpose.UNSUBSCRIBE, contact_id: str = "ada", **said: Any) -> str:
    """Return the token of such a link."""
    return LINKS.token(link(purpose, contact_id, **said))


def whose(made: str, purpose: LinkPurpose = LinkPurpose.UNSUBSCRIBE, links: Links = LINKS, now: datetime = NOW) -> str:
    """Return whose link a token is, where it is not refused."""
    return links.read(made, purpose=purpose, now=now).contact_id


def refusal(
    wrong: Any, purpose: LinkPurpose = LinkPurpose.UNSUBSCRIBE, links: Links = LINKS, **how: Any
) -> LinkRefused:
    """Return the error with which a token is refused, after a look at all that could tell why."""
    with pytest.raises(LinkRefused) as caught:
        links.read(wrong, purpose=purpose, **({"now": NOW} | how))
    error = caught.value
    assert type(error) is LinkRefused
    assert "this link is not valid, or not any more: ask for a fresh one" == str(error)
    assert ("this link is not valid, or not any more: ask for a fresh one",) == error.args
    assert (None, None, [], {}) == (error.__cause__, error.__context__, getattr(error, "__notes__", []), vars(error))
    return error


# --- what is wrong with a token -------------------------------------------------------------------------------------


@each_purpose
def test_what_was_signed_is_read(purpose: LinkPurpose) -> None:
    """Each purpose, with all that a link can say, and with the least (F44 the other way round)."""
    for made in (
        link(purpose, campaign=CampaignKey("spring-2026"), detail="why=too expensive"),
        link(purpose, scope=None),
        link(purpose, scope=Scope.all()),
        link(purpose, scope=Scope.channel(Channel.SMS), signed_at=NOW - 59 * DAY - MICROSECOND),
    ):
        assert made == LINKS.read(LINKS.token(made), purpose=purpose, now=NOW, scope=made.scope)
        assert made == LINKS.read(LINKS.token(made), purpose=purpose, now=NOW)


@each_purpose
def test_every_flipped_bit_is_refused(purpose: LinkPurpose) -> None:
    """Of the text, and of the bytes that it spells (F44)."""
    whole = token(purpose, campaign="spring", detail="why=other")
    for place, letter in enumerate(whole):
        for bit in range(8):
            refusal(whole[:place] + chr(ord(letter) ^ 1 << bit) + whole[place + 1 :], purpose)
    key, masked, signature = whole.split(".")
    for flipped in flips(masked):
        refusal(f"{key}.{flipped}.{signature}", purpose)
    for flipped in flips(signature):
        refusal(f"{key}.{masked}.{flipped}", purpose)
    assert "ada" == whose(whole, purpose)


def flips(text: str) -> Iterator[str]:
    """Return base64 texts of the same bytes with one bit flipped."""
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for bit in range(len(raw) * 8):
        flipped = (int.from_bytes(raw, "big") ^ 1 << bit).to_bytes(len(raw), "big")
        yield urlsafe_b64encode(flipped).rstrip(b"=").decode()


@each_purpose
def test_every_cut_is_refused(purpose: LinkPurpose) -> None:
    """From either end, and with a part left out of the middle (F44)."""
    whole = token(purpose)
    for place in range(len(whole)):
        refusal(whole[:place], purpose)
        refusal(whole[place + 1 :], purpose)
        refusal(whole[:place] + whole[place + 1 :], purpose)


@each_purpose
def test_every_other_purpose_is_refused(purpose: LinkPurpose) -> None:
    """A link to stay does not unsubscribe, and none to leave brings anybody back (F44)."""
    for other in set(LinkPurpose) - {purpose}:
        refusal(token(purpose), other)


def test_only_the_one_spelling_is_read() -> None:
    """Whatever else a lenient reader of base64 would take for the same bytes is refused (F44)."""
    whole = token(campaign="spring")
    key, masked, signature = whole.split(".")
    last = [one for one in ALPHABET if one != signature[-1]]
    assert 3 == sum(decoded(signature) == decoded(signature[:-1] + one) for one in last)  # the bits that are not used
    for wrong in (
        *(f"{key}.{masked}.{signature[:-1]}{one}" for one in last),
        *(f"{key}.{masked[:-1]}{one}.{signature}" for one in ALPHABET if one != masked[-1]),
        f"{whole}=", f"{key}.{masked}=.{signature}", f"{whole}==", f" {whole}", f"{whole} ", f"{whole}\n",
        f"{whole}\r\n", f"{whole}\0", f"\0{whole}", f"{whole[:40]}\n{whole[40:]}", f"{whole[:40]}!{whole[40:]}",
        f"{whole[:40]}%41{whole[40:]}", f"{whole}.", f".{whole}", f"{whole}.{signature}", f"{key}..{signature}",
        f"{key}.{masked}.", f"{key}.{masked}", f"{key.upper()}.{masked}.{signature}", f"{masked}.{signature}",
        f"{key}.{signature}", signature, key, "", ".", "..",
        whole.replace("-", "+").replace("_", "/") if {"-", "_"} & set(whole) else f"{whole}+",
        whole + whole, whole.swapcase(), whole[::-1], f"{whole}é", f"{whole[:-1]}é", f"\ud800{whole}", f"{whole}\u200b",
        whole.translate({ord("a"): "\uff41", ord("2"): "\u0662"}), f"{BASE}/unsubscribe/{whole}",
    ):  # fmt: skip
        assert wrong != whole
        refusal(wrong)
    assert "ada" == whose(whole, LinkPurpose.UNSUBSCRIBE)


def decoded(text: str) -> bytes:
    """Read base64 as leniently as Python does."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@pytest.mark.parametrize("wrong", [None, 7, b"2026a.x.y", ["2026a.x.y"], object()])
def test_what_is_no_text_is_refused_alike(wrong: Any) -> None:
    """A page that hands on what it got never sees another error."""
    refusal(wrong)


def test_refusals_come_from_one_place() -> None:
    """A traceback in a log says no more than the message does, whatever is wrong (F44, R22)."""
    kept, made = Links(BASE, [KEY]), token(LinkPurpose.STAY)
    errors = [
        refusal("x", LinkPurpose.STAY, kept),
        refusal(made[:-1], LinkPurpose.STAY, kept),
        refusal(made, LinkPurpose.ANSWER, kept),
        refusal(made, LinkPurpose.STAY, kept, scope=NEWS),
        refusal(made, LinkPurpose.STAY, kept, now=NOW + 91 * DAY),
        refusal(made, LinkPurpose.STAY, Links(BASE, [OTHER])),
        refusal(made, LinkPurpose.STAY, Links(BASE, [evolve(KEY, revoked=True), OTHER])),
        refusal(kept.tokens.close(b"\x01\xff", "stay"), LinkPurpose.STAY, kept),
    ]
    places = set()
    for error in errors:
        frames = list(walk_tb(error.__traceback__))
        places.add(tuple((frame.f_code.co_name, line) for frame, line in frames[1:]))
    assert 1 == len(places)
    assert ["read", "follow"] == [name for name, _line in places.pop()]


def test_huge_and_hostile_texts_are_refused_at_once() -> None:
    """Their length is looked at first; what is short enough has nothing to go back and forth in."""
    huge = 20_000_000
    started = perf_counter()
    for wrong in ("a" * huge, "." * huge, "2026a." + "A" * huge + ".A", " " * huge, "é" * huge, "\0" * huge):
        refusal(wrong)
    for unit in ("a", ".", "a.", "a-", "-", "2026a.", "A.", "_"):
        for length in (MAX_TOKEN - 1, MAX_TOKEN, MAX_TOKEN + 1):
            refusal((unit * MAX_TOKEN)[:length])
            refusal("2026a." + (unit * MAX_TOKEN)[: length - 6])
    assert perf_counter() - started < 2


def test_a_token_of_another_secret_is_refused() -> None:
    """Of a key that is not known, and of one that is only called the same."""
    stranger = Links(BASE, [SigningKey("2026a", "a secret that somebody made up")])
    refusal(stranger.token(link()))
    refusal(Links(BASE, [OTHER]).token(link()))
    refusal(Links(BASE, [evolve(OTHER, id="2026a")]).token(link()))
    refusal(token().replace("2026a.", "2026b."), links=Links(BASE, [KEY, OTHER]))
    refusal(token().replace("2026a.", "2026b."), links=Links(BASE, [KEY, evolve(KEY, id="2026b")]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (link(), link(scope=NEWS)),
        (link(), link(contact_id="bob")),
        (link(campaign="spring"), link(campaign="autumn")),
        (link(detail="why=a"), link(detail="why=b")),
        (link(), link(signed_at=NOW + MICROSECOND)),
    ],
)
def test_parts_of_two_tokens_make_no_third(one: Link, other: Link) -> None:
    """A contact, list, campaign, answer or instant cannot be put into another token (F44, F45)."""
    (key, masked, signature), (_, other_masked, other_signature) = (LINKS.token(it).split(".") for it in (one, other))
    refusal(f"{key}.{masked}.{other_signature}")
    refusal(f"{key}.{other_masked}.{signature}")
    raw, other_raw = decoded(masked), decoded(other_masked)
    for place in range(1, min(len(raw), len(other_raw))):
        spliced = urlsafe_b64encode(raw[:place] + other_raw[place:]).rstrip(b"=").decode()
        if spliced not in (masked, other_masked):
            refusal(f"{key}.{spliced}.{signature}")


def test_a_link_of_one_list_is_refused_on_another() -> None:
    """Where a page is about one thing, a link about anything else is refused, or about nothing (F45)."""
    made = token()
    assert OFFERS == LINKS.read(made, purpose=LinkPurpose.UNSUBSCRIBE, now=NOW, scope=OFFERS).scope
    for scope in (NEWS, Scope.all(), Scope.channel(Channel.EMAIL), Scope.list("offers-2")):
        refusal(made, scope=scope)
    refusal(token(scope=None), scope=OFFERS)
    refusal(token(scope=Scope.all()), scope=OFFERS)


def test_a_link_of_one_tenant_is_refused_by_another() -> None:
    """Under the same keys too (F45)."""
    harbour, dock = Links(BASE, [KEY], tenant="harbour"), Links(BASE, [KEY], tenant="dock")
    for signed, read in ((harbour, dock), (dock, harbour), (LINKS, harbour), (harbour, LINKS)):
        made = signed.token(link())
        refusal(made, links=read)
        assert link() == signed.read(made, purpose=LinkPurpose.UNSUBSCRIBE, now=NOW)


def test_a_payload_that_this_release_does_not_know_is_refused() -> None:
    """Rightly signed, and of another format, or of limits that are others by now."""
    fields = b"\0" * 8 + b"ada\0list:offers\0spring\0"
    assert link(campaign="spring", signed_at=datetime(1970, 1, 1, tzinfo=UTC)) == LINKS.read(
        LINKS.tokens.close(b"\x01" + fields, "unsubscribe"), purpose=LinkPurpose.UNSUBSCRIBE, now=NOW
    )
    for payload in (
        b"", b"\x01", b"\x02" + fields, b"\x00" + fields, fields, b"\x01" + fields[:-1], b"\x01" + fields + b"\0",
        b"\x01" + fields.replace(b"list:", b"lists:"), b"\x01" + fields.replace(b"ada", b""),
        b"\x01" + fields.replace(b"ada", b"\xff"), b"\x01" + fields.replace(b"spring", b"Spring"),
        b"\x01" + fields.replace(b"ada", b"a\nb"), b"\x01\x7f" + fields[1:], b"\x01\x80" + fields[1:],
    ):  # fmt: skip
        refusal(LINKS.tokens.close(payload, "unsubscribe"))


# --- ages and clocks ------------------------------------------------------------------------------------------------


@each_purpose
def test_a_link_works_up_to_its_age_and_not_longer(purpose: LinkPurpose) -> None:
    """To the microsecond; one without an age works after decades."""
    rule, made = PURPOSES[purpose], token(purpose)
    if rule.age is None:
        assert "ada" == whose(made, purpose, LINKS, NOW + 20_000 * DAY)
    else:
        assert "ada" == whose(made, purpose, LINKS, NOW + rule.age)
        refusal(made, purpose, now=NOW + rule.age + MICROSECOND)


@each_purpose
def test_a_link_of_the_future_is_refused_unless_that_keeps_somebody_from_a_no_or_a_yes(purpose: LinkPurpose) -> None:
    """Ten minutes ahead is a clock; more is refused. A clock that is wrong keeps nobody from leaving or confirming."""
    made = token(purpose)
    assert "ada" == whose(made, purpose, LINKS, NOW - SKEW)
    if purpose in (LinkPurpose.UNSUBSCRIBE, LinkPurpose.CONFIRM):
        assert "ada" == whose(made, purpose, LINKS, NOW - 20_000 * DAY)
    else:
        refusal(made, purpose, now=NOW - SKEW - MICROSECOND)


def test_the_ends_of_time_are_instants_too() -> None:
    """Nothing overflows, whatever was signed and whenever it is read."""
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    for purpose in LinkPurpose:
        for signed_at in (first, last):
            made = token(purpose, signed_at=signed_at)
            assert signed_at == LINKS.read(made, purpose=purpose, now=signed_at).signed_at
        if PURPOSES[purpose].age is not None:
            refusal(token(purpose, signed_at=first), purpose, now=last)
        if PURPOSES[purpose].ahead is not None:
            refusal(token(purpose, signed_at=last), purpose, now=first)


def test_every_purpose_has_a_rule_and_a_page_of_its_own() -> None:
    """The table is whole; no default is below what may be set, and both ways to leave live for 60 days (R9, R8)."""
    assert set(LinkPurpose) == set(PURPOSES)
    assert len(PURPOSES) == len({rule.path for rule in PURPOSES.values()})
    for purpose, rule in PURPOSES.items():
        assert re.fullmatch(r"[a-z]+", rule.path)
        assert rule.age is None or rule.age >= rule.at_least
        assert rule.because
        least = 60 * DAY if purpose in ("unsubscribe", "preferences") else DAY
        assert least == rule.at_least
    assert None is PURPOSES[LinkPurpose.UNSUBSCRIBE].age
    assert None is PURPOSES[LinkPurpose.CONFIRM].age


def test_an_unsubscribe_link_that_ends_too_early_is_refused() -> None:
    """60 days may be set, and not a microsecond less; the error names the law (R9)."""
    for age in (60 * DAY - MICROSECOND, 30 * DAY, timedelta(0), -DAY):
        with pytest.raises(Misconfigured, match=r"ages: unsubscribe is .* give timedelta\(days=60\) or more.*\(R9"):
            Links(BASE, [KEY], ages={LinkPurpose.UNSUBSCRIBE: age})
    sixty = Links(BASE, [KEY], ages={LinkPurpose.UNSUBSCRIBE: 60 * DAY})
    assert "ada" == whose(token(), LinkPurpose.UNSUBSCRIBE, sixty, NOW + 60 * DAY)
    refusal(token(), links=sixty, now=NOW + 60 * DAY + MICROSECOND)


@each_purpose
def test_ages_can_be_set(purpose: LinkPurpose) -> None:
    """From what the table says at least, to no end; what is not given stays as it is."""
    least = PURPOSES[purpose].at_least
    shortest, endless = Links(BASE, [KEY], ages={purpose: least}), Links(BASE, [KEY], ages={purpose: None})
    refusal(token(purpose), purpose, shortest, now=NOW + least + MICROSECOND)
    assert "ada" == whose(token(purpose), purpose, endless, NOW + 20_000 * DAY)
    assert {one: rule.age for one, rule in PURPOSES.items()} | {purpose: least} == shortest.ages
    with pytest.raises(Misconfigured, match=f"ages: {purpose} is .* because"):
        Links(BASE, [KEY], ages={purpose: least - MICROSECOND})


def test_what_signs_follows_as_long_as_its_links() -> None:
    """Who has the tokens alone, as `Lifecycle` has, refuses what the links refuse, and nothing else."""
    short = Links(BASE, [KEY], ages={LinkPurpose.ANSWER: 30 * DAY})
    made = token(LinkPurpose.ANSWER)
    for tokens, age in ((short.tokens, 30 * DAY), (Tokens([KEY]), PURPOSES[LinkPurpose.ANSWER].age)):
        assert age is not None
        assert "ada" == tokens.follow(made, purpose=LinkPurpose.ANSWER, now=NOW + age).contact_id
        with pytest.raises(LinkRefused):
            tokens.follow(made, purpose=LinkPurpose.ANSWER, now=NOW + age + MICROSECOND)
    assert "ada" == whose(token(LinkPurpose.CONFIRM), LinkPurpose.CONFIRM, now=NOW + 9999 * DAY)


def test_ages_that_are_none_are_refused() -> None:
    """A number is no age, and nothing is set for a purpose that is none."""
    number: Any = {LinkPurpose.UNSUBSCRIBE: 90}
    with pytest.raises(Misconfigured, match="unsubscribe is 90: give timedelta"):
        Links(BASE, [KEY], ages=number)
    unknown: Any = {"unsubscribed": 90 * DAY}
    with pytest.raises(InvalidInput, match="ages='unsubscribed': one of unsubscribe"):
        Links(BASE, [KEY], ages=unknown)


# --- keys -----------------------------------------------------------------------------------------------------------


def test_links_outlive_two_rotations() -> None:
    """Old links work until their age, under whichever key they were signed (F46)."""
    third = SigningKey("2026c", b"a third key, known to everybody too")
    first = Links(BASE, [KEY]).token(link(LinkPurpose.STAY))
    second = Links(BASE, [KEY, OTHER]).token(link(LinkPurpose.STAY))
    rotated = Links(BASE, [KEY, OTHER, third])
    assert ["2026a", "2026b", "2026c"] == [
        one.partition(".")[0] for one in (first, second, rotated.token(link(LinkPurpose.STAY)))
    ]
    for made in (first, second):
        assert "ada" == whose(made, LinkPurpose.STAY, rotated, NOW + 90 * DAY)
        refusal(made, LinkPurpose.STAY, rotated, now=NOW + 90 * DAY + MICROSECOND)


def test_links_of_a_revoked_key_are_refused() -> None:
    """Like any other that is not valid: a fresh link comes by mail (F47, R22)."""
    made = Links(BASE, [KEY, OTHER]).token(link())
    revoked = Links(BASE, [KEY, evolve(OTHER, revoked=True)])
    refusal(made, links=revoked)
    fresh = revoked.token(link())
    assert fresh.startswith("2026a.")
    assert link() == revoked.read(fresh, purpose=LinkPurpose.UNSUBSCRIBE, now=NOW)


def test_bare_secrets_are_keys_too() -> None:
    """Named by a hash, so that they rotate like others, and `Lifecycle` and `Links` call them the same."""
    old, new = Links(BASE, ["k1" * 16]), Links(BASE, ["k1" * 16, b"k2" * 16])
    made = old.url(LinkPurpose.STAY, "ada", now=NOW).rpartition("/")[2]
    assert "ada" == new.read(made, purpose=LinkPurpose.STAY, now=NOW).contact_id
    assert made == Tokens(["k1" * 16]).sign(link(LinkPurpose.STAY, scope=None))


def test_links_need_a_key() -> None:
    """It is said when they are made, and not at the first mail."""
    for keys in ([], (), [""], "one text as the list of keys"):
        wrong: Any = keys
        with pytest.raises(Misconfigured):
            Links(BASE, wrong)


def test_links_print_no_secret() -> None:
    """Nor does anything that they hold, also after use."""
    links = Links(BASE, [KEY, OTHER], tenant="harbour")
    links.token(link())
    printed = f"{links!r} {links} {links.tokens!r} {links.keys!r}"
    assert "2026a" in printed
    for secret in (KEY.secret, OTHER.secret):
        assert secret.decode() not in printed
        assert secret.hex() not in printed
    assert "secret" not in printed


# --- what can be read from outside ----------------------------------------------------------------------------------

PERSONAL: dict[str, Any] = {
    "contact_id": "ada.lovelace@example.com",
    "campaign": "win-back-spring",
    "detail": "why=too-expensive",
    "scope": Scope.list("weekly-offers"),
}


@each_purpose
def test_nothing_personal_can_be_read(purpose: LinkPurpose) -> None:
    """No id, address, list, campaign or answer, whole or in part, in the text or in its bytes (F51)."""
    made = token(purpose, **PERSONAL)
    key, masked, signature = made.split(".")
    for seen in (made.encode(), decoded(masked), decoded(signature), decoded(made.replace(".", "")), key.encode()):
        for text in map(str, PERSONAL.values()):
            for place in range(len(text) - 3):
                part = text[place : place + 4].encode()
                assert part not in seen
                assert urlsafe_b64encode(part).rstrip(b"=")[:-1] not in seen


def test_two_contacts_share_nothing_that_shows() -> None:
    """Tokens of neighbours differ from the first masked byte on, and so do two of one contact."""
    for one, other in (
        (token(contact_id="ada-1"), token(contact_id="ada-2")),
        (token(), token(signed_at=NOW + MICROSECOND)),
        (token(), token(LinkPurpose.PREFERENCES)),
        (token(), Links(BASE, [KEY], tenant="harbour").token(link())),
    ):
        masked, other_masked = (decoded(it.split(".")[1]) for it in (one, other))
        assert len(masked) == len(other_masked)
        assert sum(a == b for a, b in zip(masked, other_masked, strict=True)) <= 5  # 37 / 256 by chance


# --- what a link can say --------------------------------------------------------------------------------------------

printable = st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "))
slugs = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
scopes = st.none() | st.just(Scope.all()) | st.builds(Scope.list, slugs) | st.sampled_from(Channel).map(Scope.channel)
links_made = st.builds(
    Link,
    purpose=st.sampled_from(LinkPurpose),
    contact_id=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=256).map(ContactId),
    scope=scopes,
    campaign=st.none() | slugs.map(CampaignKey),
    detail=printable.map(lambda text: text[:100]),
    signed_at=st.datetimes(timezones=st.just(UTC)),
)


@given(made=links_made, tenant=st.sampled_from(["", "harbour", "härbour"]))
def test_what_is_signed_comes_back(made: Link, tenant: str) -> None:
    """Any id and any answer in any script, at any instant; the same token each time, and safe in a URL."""
    links = Links(BASE, [OTHER, KEY], tenant=tenant)
    signed = links.token(made)
    assert made == links.read(signed, purpose=made.purpose, now=made.signed_at, scope=made.scope)
    assert made == links.tokens.read(signed, purpose=made.purpose)
    assert signed == Links(BASE, [KEY], tenant=tenant).token(made)
    assert re.fullmatch(r"2026a\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{43}", signed)


@given(text=st.text() | st.text("2026ab.-_AZ", max_size=80))
def test_what_was_not_signed_is_refused(text: str) -> None:
    """Any text at all."""
    refusal(text)


def test_every_id_that_a_contact_can_have_can_be_signed() -> None:
    """The longest as well; where it takes four bytes a character only the URL is too long (R5)."""
    for contact_id in ("a" * 256, "\U00020000" * 256, "a b", " ", "ü", "=?utf-8?q?a?=", "a:b|c,d\\e"):
        assert contact_id == Contact(id=ContactId(contact_id)).id
        made = LINKS.token(link(contact_id=contact_id, detail="0" * 32))
        assert contact_id == LINKS.read(made, purpose=LinkPurpose.UNSUBSCRIBE, now=NOW).contact_id


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"contact_id": ""}, "contact id '': give 1 to 256 printable characters"),
        ({"contact_id": "a" * 257}, "contact id 'a{70}': give"),
        ({"contact_id": "a\0b"}, "contact id"),
        ({"contact_id": "a\nb"}, "contact id"),
        ({"contact_id": "\ud800"}, "contact id"),
        ({"contact_id": None}, "contact id 'None': give"),
        ({"detail": "a" * 201}, "detail 'a{70}': give 0 to 200 printable characters"),
        ({"detail": "a\0b"}, "detail"),
        ({"detail": None}, "detail"),
        ({"campaign": "Spring 2026"}, "campaign 'Spring 2026': a key is"),
        ({"campaign": ""}, "campaign '': a key is"),
        ({"scope": "list:offers"}, r"scope 'list:offers': give Scope.list\(key\)"),
        ({"purpose": "unsubscribed"}, "purpose='unsubscribed': one of unsubscribe, preferences"),
        ({"signed_at": datetime(2026, 3, 2)}, "has no time zone"),  # noqa: DTZ001 - that is what is refused
    ],
)
def test_what_no_link_can_say_is_refused(wrong: dict[str, Any], said: str) -> None:
    """Before it is signed, with the place and what to give instead."""
    with pytest.raises(InvalidInput, match=said):
        link(**wrong)


def test_instants_are_kept_in_utc() -> None:
    """Whatever zone they were given in, it is the same link and the same token."""
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert link() == link(signed_at=there)
    assert UTC is link(signed_at=there).signed_at.tzinfo
    assert token() == token(signed_at=there)
    assert "ada" == whose(token(), LinkPurpose.UNSUBSCRIBE, LINKS, there)


def test_whoever_reads_says_when_and_what_for() -> None:
    """A naive instant or an unknown purpose is a mistake of the page, and none of the link's."""
    with pytest.raises(InvalidInput, match="has no time zone"):
        LINKS.read("", purpose=LinkPurpose.STAY, now=datetime(2026, 3, 2))  # noqa: DTZ001 - that is what is refused
    unknown: Any = "stayed"
    with pytest.raises(InvalidInput, match="purpose='stayed': one of"):
        LINKS.read(token(), purpose=unknown, now=NOW)
    word: Any = "unsubscribe"
    assert LINKS.read(token(), purpose=word, now=NOW).purpose is LinkPurpose.UNSUBSCRIBE


def test_a_refusal_is_no_mistake_of_the_caller() -> None:
    """It is in the branch of the tree for what is against the rules."""
    assert isinstance(refusal("x"), Refused)


# --- old links ------------------------------------------------------------------------------------------------------

GOLDEN = {
    LinkPurpose.UNSUBSCRIBE: (
        "2026a.ZEqMZK8vZdV1Vr7fuKJUzkyN5cuD2QHvs_WSIXyzzH76mYhPnPGbzYBG_oDa5_qrpIJd_UFWbvalRbHHnh4h"
        "GvI.GMZqpijVgPZgFI3203Fa2eYNPHMNiLPoTPUsFs504IE"
    ),
    LinkPurpose.PREFERENCES: (
        "2026a.0V4z24_F4L4nuomJVVeaXpe7HJKm1pt0NYTqpMnDEfbMq96O5VKVoxth363EXnDGjqzPEOUN3xhWLIagX_Ql"
        "vjw.P4lAqVQtPHwFC49xukMgnMEZiQxQl5qn7A7O3d4-RV4"
    ),
    LinkPurpose.CONFIRM: (
        "2026a.TmHa1NucGRZKSU7JsuNEAyKbLkyyqqe6NqefUohA4o1ea32a_AhPhRBcrGwSYD4tb_K8fHKGCOumILGJNIVE"
        "HBo.eOg_8l02U-sHWJ1TmpnG9LA1vMeqpWuVxhHu3wmSaNo"
    ),
    LinkPurpose.STAY: (
        "2026a.3PA0EY-yxxugpJvCQ3K0qcAVwczWzx39bGL4Tzgh5r3pTwUxw708JdPr5uMST5KvePNBMK--I6gTDWz158T6"
        "gkc.DX1pn0O0Cty4yyzaqgeOgasIL6D_nrSU1Ip1MLORVrs"
    ),
    LinkPurpose.ANSWER: (
        "2026a.R4CEuN5GEt1F37hA5LRgPh3XobT6fUh9ZQSYSgBPRFL_jmzmEvlTCyXRhgBONgfSD4GA6Jd5oOabA118ddfy"
        "qYI.OMNXu_aycSGKohZE5KwsT0FmM2edMSHszuGVcKlaTig"
    ),
}
"""Tokens as the first release made them. They are in people's mail: no release may change how they are read."""


@each_purpose
def test_a_token_is_the_same_in_every_release(purpose: LinkPurpose) -> None:
    """A change of the format takes a new version number, and reads the old one as well."""
    links = Links(BASE, [KEY], tenant="harbour")
    said = Link(
        purpose=purpose, contact_id=ContactId("Zoë-7"), scope=OFFERS, campaign=CampaignKey("spring-2026"),
        detail="why=other", signed_at=datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC),
    )  # fmt: skip
    assert said == links.read(GOLDEN[purpose], purpose=purpose, now=NOW + DAY)
    assert GOLDEN[purpose] == links.token(said)


# --- URLs -----------------------------------------------------------------------------------------------------------


@each_purpose
def test_a_url_leads_to_the_page_of_its_purpose(purpose: LinkPurpose) -> None:
    """Base, purpose, token; a slash at the end of the base changes nothing."""
    made = LINKS.url(purpose, "ada", now=NOW, scope=OFFERS, campaign="spring", detail="why=other")
    signed = token(purpose, campaign="spring", detail="why=other")
    assert f"{BASE}/{purpose}/{signed}" == made == LINKS.url_of(signed, purpose=purpose)
    assert made == Links(f"{BASE}/", [KEY]).url_of(signed, purpose=purpose)


def test_a_url_is_short_enough_for_a_header() -> None:
    """With a UUID, a list and a campaign it stays below 250 characters; an id of 256 ASCII characters fits (R5)."""
    uuid = "0b4f2b1e-6f7e-4c57-9d52-0f4a7a3f9a11"
    made = Links("https://mail.harbour.example/m/", [KEY]).url(
        LinkPurpose.UNSUBSCRIBE, uuid, now=NOW, scope=OFFERS, campaign="spring-2026"
    )
    assert 208 == len(made)
    assert len(LINKS.url(LinkPurpose.ANSWER, "a" * 256, now=NOW, scope=OFFERS, detail="0" * 64)) < MAX_URL
    with pytest.raises(InvalidInput, match=r"a URL of 1,\d{3} characters is too long .* takes 900 \(R5\)"):
        LINKS.url(LinkPurpose.UNSUBSCRIBE, "日" * 256, now=NOW)


def test_a_url_may_be_as_long_as_a_header_line_and_not_longer() -> None:
    """Exactly `MAX_URL` characters are taken."""
    signed = token()
    room = MAX_URL - len(f"https://a.example//unsubscribe/{signed}")
    assert MAX_URL == len(
        Links("https://a.example/" + "x" * room, [KEY]).url_of(signed, purpose=LinkPurpose.UNSUBSCRIBE)
    )
    with pytest.raises(InvalidInput, match="a URL of 901 characters"):
        Links("https://a.example/" + "x" * (room + 1), [KEY]).url_of(signed, purpose=LinkPurpose.UNSUBSCRIBE)


@pytest.mark.parametrize("wrong", ["", "x", "a.b", "a.b.c\r\nBcc: x@example.com", "a.b.c>", "../a.b.c", None])
def test_only_tokens_are_put_into_urls(wrong: Any) -> None:
    """Nothing that could leave the header, or lead elsewhere (F55)."""
    with pytest.raises(InvalidInput, match="this is no token"):
        LINKS.url_of(wrong, purpose=LinkPurpose.CONFIRM)


@pytest.mark.parametrize(
    "base",
    [
        "https://mail.example.com", "https://mail.example.com/", "https://mail.example.com:8443/m/x.y_z~1-2/",
        "https://xn--hfen-5qa.example/m", "https://Mail.Example.com", "https://192.0.2.7/m", "http://localhost:8000/m",
        "http://127.0.0.1", "http://localhost",
    ],
)  # fmt: skip
def test_links_lead_to_https(base: str) -> None:
    """Anywhere; without it only to the machine on which somebody tries it (R4)."""
    links = Links(base, [KEY])
    assert base.rstrip("/") == links.base_url
    assert links.url(LinkPurpose.STAY, "ada", now=NOW).startswith(f"{base.rstrip('/')}/stay/")


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("http://mail.example.com", r"is not https.*\(R4\)"),
        ("http://localhost.example.com", "is not https"),
        ("http://127.0.0.1.example.com", "is not https"),
        ("http://127.0.0.10", "is not https"),
        ("ftp://mail.example.com", "does not begin with https://"),
        ("HTTPS://mail.example.com", "does not begin with https://"),
        (" https://mail.example.com", "does not begin with https://"),
        ("mail.example.com", "does not begin with https://"),
        ("//mail.example.com", "does not begin with https://"),
        ("javascript:alert(1)", "does not begin with https://"),
        ("", "does not begin with https://"),
        (None, "does not begin with https://"),
        (b"https://mail.example.com", "does not begin with https://"),
        ("https://höfen.example", "is not ASCII: write the host as IDNA does"),
        ("https://mail.example.com/höfe", "is not ASCII"),
        ("https://mail.example.com\u2028", "is not ASCII"),
        ("https://ada:hunter2@mail.example.com", "holds a user name"),
        ("https://mail.example.com@evil.example", "holds a user name"),
        ("https://mail.example.com/m?token=", "holds a query or a fragment"),
        ("https://mail.example.com/m#", "holds a query or a fragment"),
        ("https://", "is not a host"),
        ("https:///m", "is not a host"),
        ("https://.example.com", "is not a host"),
        ("https://mail..example.com", "is not a host"),
        ("https://-mail.example.com", "is not a host"),
        ("https://mail_1.example.com", "is not a host"),
        ("https://mail.example.com:", "is not a host"),
        ("https://mail.example.com:0/m", "is not a host"),
        ("https://mail.example.com:65536/m", "is not a host"),
        ("https://mail.example.com:port/m", "is not a host"),
        ("https://mail.example.com//m", "is not a host"),
        ("https://mail.example.com/a b", "is not a host"),
        ("https://mail.example.com/m\n", "is not a host"),
        ("https://mail.example.com/\r\nBcc:", "is not a host"),
        ("https://mail.example.com/\0", "is not a host"),
        ("https://mail.example.com/\x7f", "is not a host"),
        ("https://mail.example.com/<m>", "is not a host"),
        ("https://mail.example.com\\m", "is not a host"),
        ("https://mail.example.com/%0d%0a", "is not a host"),
    ],
)
def test_what_no_mail_can_carry_is_no_base(base: Any, said: str) -> None:
    """With the reason and an example, and without the base itself, which may hold a password (F55)."""
    with pytest.raises(Misconfigured, match=f"base_url {said}.*https://mail.example.com/m$") as raised:
        Links(base, [KEY])
    assert "hunter2" not in str(raised.value)


def test_a_long_host_is_looked_at_in_good_time() -> None:
    """Nothing in the pattern goes back and forth."""
    started = perf_counter()
    for unit in ("a", "a-", "a.", "-", ".", "a/", "/"):
        with pytest.raises(Misconfigured):
            Links("https://" + unit * 100_000 + "!", [KEY])
    assert perf_counter() - started < 2
