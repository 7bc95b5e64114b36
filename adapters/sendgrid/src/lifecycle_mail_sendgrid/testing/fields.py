"""Custom fields: their definitions, and how a value of each type is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from attrs import define

from lifecycle_mail.testing.contract import Answer
from lifecycle_mail_sendgrid.testing.account import API, instant, iso
from lifecycle_mail_sendgrid.testing.routing import Call, Handler, Part, Refusal

MOST_FIELDS: Final = 500
_PATH: Final = "/v3/marketing/field_definitions"
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_READ_ONLY: Final = frozenset({15, 16, 17, 18, 19, 20, 21, 22, 23})
_RESERVED: Final = (
    "first_name", "last_name", "email", "alternate_emails", "address_line_1", "address_line_2", "city",
    "state_province_region", "postal_code", "country", "phone_number", "whatsapp", "line", "facebook", "unique_name",
    "email_domains", "last_clicked", "last_opened", "last_emailed", "singlesend_id", "automation_id", "created_at",
    "updated_at", "contact_id",
)  # fmt: skip
_DATES: Final = frozenset({"last_clicked", "last_opened", "last_emailed", "created_at", "updated_at"})


@define(kw_only=True)
class CustomField:
    """A field that the account has defined.

    Attributes:
        id: as contacts are sent with it, for example `e1_T`.
        name: as contacts are shown with it, and as SQL calls its column.
        kind: `Text`, `Number` or `Date`.
    """

    id: str
    name: str
    kind: str

    def keep(self, value: Any) -> Any:
        """Return a value as it is kept and shown.

        Raises:
            ValueError: it is not of the field's type.
        """
        if self.kind == "Text" and isinstance(value, str):
            return value
        if self.kind == "Number" and isinstance(value, int | float) and not isinstance(value, bool):
            return value
        if self.kind == "Date" and (at := instant(value)) is not None:
            return iso(at)
        raise ValueError(f"{value!r} is not a {self.kind.lower()}")


class Fields(Part):
    """The definitions of fields."""

    def __init__(self) -> None:
        self._fields: dict[str, CustomField] = {}
        self._made = 0

    def __iter__(self) -> Iterator[CustomField]:
        return iter(self._fields.values())

    def get(self, field_id: str) -> CustomField | None:
        """Return a field by its id."""
        return self._fields.get(field_id)

    def define(self, name: str, kind: str) -> CustomField:
        """Define a field, without a request; its number follows the last one's."""
        self._made += 1
        made = CustomField(id=f"e{self._made}_{kind[0]}", name=name, kind=kind)
        self._fields[made.id] = made
        return made

    def skip(self, count: int = 1) -> None:
        """Use up numbers, as fields do that were deleted since."""
        self._made += count

    def routes(self) -> Mapping[str, Handler]:
        """Return who answers which operation."""
        return {
            f"GET {_PATH}": self._all,
            f"POST {_PATH}": self._create,
            f"PATCH {_PATH}/{{custom_field_id}}": self._rename,
            f"DELETE {_PATH}/{{custom_field_id}}": self._delete,
        }

    def _all(self, _: Call) -> Answer:
        reserved = [
            {
                "id": f"_rf{number}_{'D' if name in _DATES else 'T'}",
                "name": name,
                "field_type": "Date" if name in _DATES else "Text",
                **({"read_only": True} if number in _READ_ONLY else {}),
            }
            for number, name in enumerate(_RESERVED)
        ]
        return Answer(
            json={
                "custom_fields": [self._shown(one) for one in self],
                "reserved_fields": reserved,
                "_metadata": {"self": f"{API}{_PATH}"},
            }
        )

    def _create(self, call: Call) -> Answer:
        name, kind = self._checked(call.body.get("name")), call.body.get("field_type")
        if kind not in ("Text", "Number", "Date"):
            raise Refusal(400, ("field_type", "field_type must be Text, Number or Date"))
        if len(self._fields) >= MOST_FIELDS:
            raise Refusal(400, ("", f"you have reached the maximum of {MOST_FIELDS} custom fields"))
        return Answer(json=self._shown(self.define(name, kind)))

    def _rename(self, call: Call) -> Answer:
        kept = self._found(call)
        kept.name = self._checked(call.body.get("name"), but=kept.id)
        return Answer(json=self._shown(kept))

    def _delete(self, call: Call) -> Answer:
        del self._fields[self._found(call).id]
        return Answer(status=204)

    def _found(self, call: Call) -> CustomField:
        kept = self._fields.get(call["custom_field_id"])
        if kept is None:
            raise Refusal(404, ("custom_field_id", "custom field was not found"))
        return kept

    def _checked(self, name: Any, *, but: str = "") -> str:
        """Return a name that a field may have: names are unique whatever their case."""
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise Refusal(400, ("name", "name may hold letters, digits and underscores, and begins with no digit"))
        taken = {one.name.lower() for one in self if one.id != but} | set(_RESERVED)
        if name.lower() in taken:
            raise Refusal(400, ("name", f"a field named {name!r} already exists"))
        return name

    @staticmethod
    def _shown(one: CustomField) -> dict[str, Any]:
        path = f"{API}{_PATH}/{one.id}"
        return {"id": one.id, "name": one.name, "field_type": one.kind, "_metadata": {"self": path}}
