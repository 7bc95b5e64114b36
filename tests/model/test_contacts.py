"""Contacts, and the types of their fields."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.model.addresses import parse_address
from lifecycle_mail.model.contacts import Contact, FieldType, FieldValue, read_field
from lifecycle_mail.model.names import ContactId

ANN = ContactId("ann")
TALLINN = timezone(timedelta(hours=2))
NAIVE = datetime(2026, 2, 3, 10)  # noqa: DTZ001 - this is what is refused

EXAMPLES = {
    FieldType.NUMBER: "a number such as 250 or 99.90",
    FieldType.FLAG: "true or false",
    FieldType.INSTANT: "a date such as 2026-02-03 or 2026-02-03T10:00:00Z",
}


class TestFields:
    """A cell becomes a value of the declared type, or an error that says how to write one."""

    @pytest.mark.parametrize(
        ("value", "kind", "expected"),
        [
            ("250", FieldType.NUMBER, 250),
            (" 99.90 ", FieldType.NUMBER, 99.9),
            ("-1e3", FieldType.NUMBER, -1000.0),
            (7, FieldType.NUMBER, 7),
            (0.5, FieldType.NUMBER, 0.5),
            (Decimal("12.5"), FieldType.NUMBER, 12.5),
            (" Yes ", FieldType.FLAG, True),
            ("ON", FieldType.FLAG, True),
            ("1", FieldType.FLAG, True),
            (1, FieldType.FLAG, True),
            ("no", FieldType.FLAG, False),
            ("0", FieldType.FLAG, False),
            (False, FieldType.FLAG, False),
            ("250", FieldType.TEXT, "250"),
            (250, FieldType.TEXT, "250"),
            ("", FieldType.TEXT, ""),
            ("2026-02-03", FieldType.INSTANT, datetime(2026, 2, 3, tzinfo=UTC)),
            (date(2026, 2, 3), FieldType.INSTANT, datetime(2026, 2, 3, tzinfo=UTC)),
            (datetime(2026, 2, 3, 12, tzinfo=TALLINN), FieldType.INSTANT, datetime(2026, 2, 3, 10, tzinfo=UTC)),
        ],
        ids=repr,
    )
    def test_reads(self, value: object, kind: FieldType, expected: FieldValue) -> None:
        """Each type reads what exports write for it, and what is of that type already (L4)."""
        found = read_field("2020_spend", value, kind)
        assert (found, type(found)) == (expected, type(expected))

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            ("", FieldType.NUMBER),
            ("many", FieldType.NUMBER),
            ("1,5", FieldType.NUMBER),
            ("nan", FieldType.NUMBER),
            ("inf", FieldType.NUMBER),
            ("1e999", FieldType.NUMBER),
            (float("nan"), FieldType.NUMBER),
            (float("-inf"), FieldType.NUMBER),
            (True, FieldType.NUMBER),
            (None, FieldType.NUMBER),
            ("9" * 5000, FieldType.NUMBER),
            ("", FieldType.FLAG),
            ("maybe", FieldType.FLAG),
            (2, FieldType.FLAG),
            ("", FieldType.INSTANT),
            ("tomorrow", FieldType.INSTANT),
            (NAIVE, FieldType.INSTANT),
            (None, FieldType.INSTANT),
        ],
        ids=lambda value: repr(value)[:30],
    )
    def test_refuses(self, value: object, kind: FieldType) -> None:
        """What is not of the type is refused; the error names the field, the value cut short, and an example."""
        with pytest.raises(InvalidInput) as refused:
            read_field("2020_spend", value, kind)
        assert str(refused.value) == f"field '2020_spend': {str(value)[:40]!r} is not {EXAMPLES[kind]}"

    @given(st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False))
    def test_numbers_come_back(self, number: float) -> None:
        """A number that is written out is read back, whole ones as whole ones: text sorts '100' before '20'."""
        found = read_field("spend", str(number), FieldType.NUMBER)
        assert (found, type(found)) == (number, type(number))

    @given(st.text(max_size=20), st.sampled_from(FieldType))
    def test_any_text_is_a_value_or_an_error(self, text: str, kind: FieldType) -> None:
        """No text makes anything but a value of the type or an `InvalidInput`."""
        types: dict[FieldType, tuple[type, ...]] = {
            FieldType.TEXT: (str,),
            FieldType.NUMBER: (int, float),
            FieldType.FLAG: (bool,),
            FieldType.INSTANT: (datetime,),
        }
        try:
            found = read_field("x", text, kind)
        except InvalidInput:
            found = None
        event(f"{kind}: {found is not None}")
        assert isinstance(found, types[kind]) or (found is None and kind is not FieldType.TEXT)


class TestContact:
    """A person the application knows."""

    @pytest.mark.parametrize("contact_id", ["", "a\nb", "a\x00", "x" * 257, "zero\u200bwidth"])
    def test_odd_ids_are_refused(self, contact_id: str) -> None:
        """An id is 1 to 256 characters that can be printed."""
        with pytest.raises(InvalidInput, match="give 1 to 256 printable characters") as refused:
            Contact(id=ContactId(contact_id))
        assert len(str(refused.value)) < 200

    @pytest.mark.parametrize("contact_id", ["hmac:", "hmac:2026:7", "hmac:2026:" + "0" * 64])
    def test_an_id_is_no_keyed_hash(self, contact_id: str) -> None:
        """Whoever had such an id would be taken for somebody who was erased, and could not be (O5)."""
        with pytest.raises(InvalidInput, match="begins keyed hashes of who was erased: give another"):
            Contact(id=ContactId(contact_id))

    @pytest.mark.parametrize("contact_id", ["7", "hmac", "x" * 256, "ann@example.com", "Ülle 5"])
    def test_ids_are_the_applications(self, contact_id: str) -> None:
        """Any other id is taken as it is."""
        assert Contact(id=ContactId(contact_id)).id == contact_id

    @pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "Europe", "a\x00b", "é" * 99])
    def test_unknown_zones_are_refused(self, zone: str) -> None:
        """A time zone is one that exists; the error gives an example."""
        with pytest.raises(InvalidInput, match="give an IANA name such as Europe/Tallinn"):
            Contact(id=ANN, timezone=zone)

    def test_known_zones_are_kept(self) -> None:
        """An IANA name, or none, is fine."""
        assert Contact(id=ANN, timezone="America/Argentina/Ushuaia").timezone == "America/Argentina/Ushuaia"
        assert Contact(id=ANN).timezone is None

    @pytest.mark.parametrize("value", [None, [1], {"a": 1}, b"bytes", date(2026, 2, 3), Decimal(1)])
    def test_odd_fields_are_refused(self, value: object) -> None:
        """A field holds text, a number, a flag or an instant; the error names the field and the type."""
        with pytest.raises(InvalidInput, match=f"field 'plan': {type(value).__name__} is not a field type"):
            Contact(id=ANN, fields={"plan": value})  # type: ignore[dict-item]

    def test_instants_are_kept_in_utc(self) -> None:
        """Instants in fields and of the sign-up are turned into UTC, and refused without a zone."""
        noon = datetime(2026, 2, 3, 12, tzinfo=TALLINN)
        contact = Contact(id=ANN, fields={"renewal": noon}, signed_up_at=noon)
        renewal = contact.fields["renewal"]
        assert isinstance(renewal, datetime)
        assert (renewal, renewal.tzinfo) == (noon, UTC)
        assert (contact.signed_up_at, noon) == (noon, contact.fields["renewal"])
        with pytest.raises(InvalidInput, match="no time zone"):
            Contact(id=ANN, fields={"renewal": NAIVE})
        with pytest.raises(InvalidInput, match="no time zone"):
            Contact(id=ANN, signed_up_at=NAIVE)

    def test_fields_cannot_be_changed_from_outside(self) -> None:
        """A contact keeps its own copy of the fields and shows it read-only."""
        fields: dict[str, FieldValue] = {"plan": "pro", "2020_spend": 250}
        contact = Contact(id=ANN, fields=fields)
        fields["plan"] = "free"
        assert contact.fields == {"2020_spend": 250, "plan": "pro"}
        assert list(contact.fields) == ["2020_spend", "plan"]
        with pytest.raises(TypeError):
            contact.fields["plan"] = "free"  # type: ignore[index]

    def test_update_sets_and_removes(self) -> None:
        """An update sets the fields given, removes those given as None, and leaves the rest, tags too."""
        before = Contact(id=ANN, fields={"plan": "pro", "spend": 1}, tags={"vip"}, source="organic")
        after = before.updated({"plan": None, "spend": 2, "city": "Tartu", "never there": None})
        assert after.fields == {"spend": 2, "city": "Tartu"}
        assert (after.tags, after.source) == (frozenset({"vip"}), "organic")
        assert before.fields == {"plan": "pro", "spend": 1}
        assert before.updated({}, tags=["late"]).tags == {"late"}
        assert before.updated({}, tags=[]).tags == frozenset()

    def test_equal_contacts_hash_alike(self) -> None:
        """A contact can be kept in a set although its fields are a mapping; other fields make another contact."""
        address = parse_address("ann@example.com")
        one, same = (Contact(id=ANN, address=address, fields={"a": 1}) for _ in range(2))
        assert len({one, same, Contact(id=ANN, address=address, fields={"a": 2})}) == 2
