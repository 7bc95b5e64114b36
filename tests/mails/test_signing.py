"""Keys: what is taken for one, which one signs, which ones open, and that no secret is ever printed."""

from base64 import urlsafe_b64decode
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.mails.signing import MAX_TOKEN, Keyring, SigningKey, as_keys, is_token

SECRET = "a-secret-of-more-than-32-characters-kept-elsewhere"  # noqa: S105 - made up
OTHER = "another-secret-of-more-than-32-characters-kept-here"
OLD, NEW = SigningKey("2025", SECRET), SigningKey("2026", OTHER)

NO_KEY: dict[str, tuple[Any, Any, str]] = {
    "swapped": (SECRET, "2026", "the id of a signing key is 1 to 16 characters .* with the id first"),
    "swapped, and short": (SECRET.upper()[:16], SECRET, "the id of a signing key is 1 to 16 characters"),
    "a long id": ("a" * 17, SECRET, "1 to 16 characters"),
    "an empty id": ("", SECRET, "1 to 16 characters"),
    "a dot in the id": ("2026.a", SECRET, "1 to 16 characters"),
    "a line in the id": ("2026\n", SECRET, "1 to 16 characters"),
    "an id that is no text": (2026, SECRET, "1 to 16 characters"),
    "a short secret": ("2026", SECRET[:15], "signing key '2026' is shorter than 16 bytes: make one of 32"),
    "an empty secret": ("2026", b"", "shorter than 16 bytes"),
    "a number": ("2026", 123, "the secret of signing key '2026' is int: give text or bytes"),
    "nothing": ("2026", None, "the secret of signing key '2026' is NoneType: give text or bytes"),
}

NO_KEYS: dict[str, tuple[Any, str]] = {
    "one text": (SECRET, "a list of secrets, none of them empty"),
    "one secret of bytes": (SECRET.encode(), "a list of secrets"),
    "one key": (NEW, "a list of secrets"),
    "a mapping, as peppers are given": ({SECRET: SECRET}, "a list of secrets"),
    "an empty one": ([SECRET, ""], "a list of secrets, none of them empty"),
    "an environment variable that is not set": ([None], "a list of secrets, none of them empty"),
    "a short one": ([SECRET, SECRET[:15]], "the secret of signing key 2 is shorter than 16 bytes"),
    "a number": ([123], "the secret of signing key 1 is int"),
    "two of one id": ([NEW, SigningKey("2026", SECRET)], "two signing keys are called '2026'"),
    "a secret twice": ([SECRET, OTHER, SECRET.encode()], "two signing keys are called '.{8}': give each secret once"),
    "a revoked one taken up again": ([SigningKey("2026", SECRET, revoked=True), NEW], "two signing keys are called"),
    "a leaked secret under a new id": (
        [SigningKey("2025", SECRET, revoked=True), SigningKey("2026", SECRET)],
        "signing key '2026' has the secret of one that is revoked",
    ),
    "all of them revoked": ([SigningKey("2026", SECRET, revoked=True)], "every signing key is revoked: add a new one"),
}


@pytest.mark.parametrize("case", NO_KEY)
def test_what_is_no_key_is_refused_without_repeating_it(case: str) -> None:
    """It is said what to write; of the secret no part is printed."""
    name, secret, said = NO_KEY[case]
    with pytest.raises(Misconfigured, match=said) as raised:
        SigningKey(name, secret)
    for part in (SECRET[:12], SECRET[-12:], SECRET.upper()[:12]):
        assert part not in str(raised.value)


@pytest.mark.parametrize("case", NO_KEYS)
def test_what_is_no_list_of_keys_is_refused(case: str) -> None:
    """Each mistake in a list is said, with the place, and no secret is repeated."""
    keys, said = NO_KEYS[case]
    for taken_by in (as_keys, Keyring):
        with pytest.raises(Misconfigured, match=said) as raised:
            taken_by(keys)
        assert SECRET[:12] not in str(raised.value)


def test_a_key_prints_its_id_and_not_its_secret() -> None:
    """Neither alone, nor in a keyring, as text or as bytes."""
    assert "SigningKey(id='2026', revoked=False)" == repr(NEW)
    ring = Keyring([SigningKey("2025", SECRET, revoked=True), NEW], tenant="harbour")
    ring.open(ring.close(b"payload", "stay"), "stay")
    keys = "SigningKey(id='2025', revoked=True), SigningKey(id='2026', revoked=False)"
    assert f"Keyring(keys=({keys}), tenant='harbour')" == repr(ring) == str(ring)


def test_a_secret_is_text_or_bytes() -> None:
    """The same secret is the same key; 16 bytes are enough, and so are 16 bytes of fewer characters."""
    assert SigningKey("k", SECRET) == SigningKey("k", SECRET.encode())
    assert 16 == len(SigningKey("k", "é" * 8).secret)
    assert SigningKey("k", "x" * 13 + "\udcff").secret  # what an environment gives that is not UTF-8


def test_a_bare_secret_has_the_same_name_in_every_release() -> None:
    """Tokens show it: under another name they would be refused."""
    assert "6f79f046" == SigningKey.of(SECRET).id == SigningKey.of(SECRET.encode()).id
    mixed: list[SigningKey | str | bytes] = [SECRET, NEW]
    assert (SigningKey.of(SECRET), NEW) == as_keys(mixed) == as_keys(iter(mixed))


def test_the_newest_key_signs_and_all_of_them_open() -> None:
    """Rotated twice, old tokens still open (F46); a key that is left out opens nothing."""
    third = SigningKey("2027", b"3" * 32)
    tokens = [Keyring(keys).close(b"payload", "stay") for keys in ([OLD], [OLD, NEW], [OLD, NEW, third])]
    assert ["2025", "2026", "2027"] == [token.partition(".")[0] for token in tokens]
    assert [b"payload"] * 3 == [Keyring([OLD, NEW, third]).open(token, "stay") for token in tokens]
    assert [None, b"payload", b"payload"] == [Keyring([NEW, third]).open(token, "stay") for token in tokens]
    assert [b"payload", None, None] == [Keyring([OLD]).open(token, "stay") for token in tokens]


def test_a_revoked_key_signs_nothing_and_opens_nothing() -> None:
    """The last one that is not revoked signs, wherever it stands (F47)."""
    token, old = Keyring([NEW]).close(b"payload", "stay"), Keyring([OLD]).close(b"payload", "stay")
    ring = Keyring([OLD, SigningKey("2026", OTHER, revoked=True)])
    assert OLD == ring.newest
    assert old == ring.close(b"payload", "stay")
    assert None is ring.open(token, "stay")
    assert b"payload" == ring.open(old, "stay")


def test_a_keyring_may_be_empty_until_it_is_needed() -> None:
    """What needs no link needs no key; then it is said where to give one."""
    ring = Keyring([])
    for use in (lambda: ring.close(b"payload", "stay"), lambda: ring.open("x.y.z", "stay"), lambda: ring.newest):
        with pytest.raises(Misconfigured, match=r"no signing keys: give Lifecycle\(signing_keys=\[...\]\)"):
            use()


@pytest.mark.parametrize("tenant", [None, 7, "a\0b", "\ud800", "line\n"])
def test_a_tenant_is_printable_text(tenant: Any) -> None:
    """Nothing in it can be taken for the end of a label."""
    with pytest.raises(Misconfigured, match="tenant"):
        Keyring([NEW], tenant=tenant)


@given(payload=st.binary(max_size=300), purpose=st.sampled_from(["stay", "answer"]), tenant=st.sampled_from(["", "é"]))
def test_what_is_closed_opens_again(payload: bytes, purpose: str, tenant: str) -> None:
    """Any bytes, zeros in front too; not for another purpose, tenant or secret of the same id; the same each time."""
    ring = Keyring([OLD, NEW], tenant=tenant)
    token = ring.close(payload, purpose)
    assert is_token(token)
    assert payload == ring.open(token, purpose)
    assert token == Keyring([NEW], tenant=tenant).close(payload, purpose)
    assert None is ring.open(token, f"{purpose}s")
    assert None is Keyring([OLD, NEW], tenant=f"{tenant}-").open(token, purpose)
    assert None is Keyring([SigningKey("2026", SECRET)], tenant=tenant).open(token, purpose)


def test_a_label_cannot_be_read_in_two_ways() -> None:
    """What ends a purpose and what begins a tenant stay apart."""
    token = Keyring([NEW], tenant="b").close(b"payload", "a")
    assert None is Keyring([NEW], tenant="").open(token, "ab")
    assert None is Keyring([NEW], tenant="ab").open(token, "")


def test_masked_payloads_look_like_chance() -> None:
    """Alike payloads share no more bytes than chance has it, and about half of their bits are set."""
    ring = Keyring([NEW])
    masked = [
        urlsafe_b64decode(ring.close(f"contact-{number:04}".encode(), "stay").split(".")[1] + "==")
        for number in range(200)
    ]
    assert {28} == {len(one) for one in masked}
    alike = sum(
        one == other for first, second in pairwise(masked)
        for one, other in zip(first, second, strict=True)
    )  # fmt: skip
    assert alike <= 60  # 199 * 28 / 256 = 22 by chance
    ones = sum(byte.bit_count() for one in masked for byte in one)
    assert 0.47 < ones / (200 * 28 * 8) < 0.53
    for place in range(28):  # no byte says the same of many
        assert 60 < len({one[place] for one in masked})


def test_the_same_payload_looks_different_for_another_purpose() -> None:
    """Nobody can tell that two links of a mail say the same of the same person."""
    ring = Keyring([NEW])
    assert 3 == len({ring.close(b"ada", purpose).split(".")[1][:22] for purpose in ("stay", "answer", "confirm")})


def test_a_token_of_the_same_secret_under_another_id_is_refused() -> None:
    """Who is not listed opens nothing, whatever the secret: the id is signed too."""
    token = Keyring([SigningKey("2027", OTHER)]).close(b"payload", "stay")
    assert None is Keyring([NEW]).open(token, "stay")
    assert None is Keyring([NEW]).open(token.replace("2027", "2026"), "stay")


def test_subkeys_are_made_once() -> None:
    """Links are made by the ten thousand: each key's are kept, apart by purpose."""
    ring = Keyring([OLD, NEW])
    assert ring._seal(NEW, "stay") is ring._seal(NEW, "stay")
    assert 3 == len({id(ring._seal(key, purpose)) for key, purpose in ((NEW, "stay"), (OLD, "stay"), (NEW, "answer"))})


def test_a_text_that_is_too_long_has_not_the_form_of_a_token() -> None:
    """However well it is spelled: what is sent may be of any size (F43)."""
    assert is_token("2026." + "A" * (MAX_TOKEN - 7) + ".A")
    assert not is_token("2026." + "A" * (MAX_TOKEN - 6) + ".A")


def test_a_token_that_nobody_could_read_is_not_made() -> None:
    """The longest that is made is the longest that is read."""
    ring = Keyring([NEW])
    longest = (MAX_TOKEN - len("2026..") - 43) * 6 // 8 - 16
    token = ring.close(b"x" * longest, "stay")
    assert MAX_TOKEN - 2 <= len(token) <= MAX_TOKEN
    assert b"x" * longest == ring.open(token, "stay")
    with pytest.raises(InvalidInput, match="longer than the 2,000 that are read"):
        ring.close(b"x" * (longest + 2), "stay")
