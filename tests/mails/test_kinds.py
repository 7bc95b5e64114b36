"""The table of kinds, and the classes that it refuses (C1, C2, C7, S7, R15)."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import NOTHING, field, fields_dict, frozen
from attrs.exceptions import FrozenInstanceError

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.mails.kinds import KINDS, Family, Kind, KindRow, Point, class_of, specification
from lifecycle_mail.mails.specs import ProgrammeSpecification, Specification
from lifecycle_mail.mails.specs.cancellation import CancellationSpecification
from lifecycle_mail.mails.specs.consent import ConsentSpecification

BASES = {
    Family.CANCELLATION: CancellationSpecification,
    Family.PROGRAMME: ProgrammeSpecification,
    Family.CONSENT: ConsentSpecification,
}
EVERY_KIND = pytest.mark.parametrize("kind", Kind)
CARRIED = [(kind, point, name) for kind, row in KINDS.items() for point, names in row.points.items() for name in names]
"""Each field that carries a point of its kind."""


def a_class(kind: Kind, *, without: str = "", given: Callable[[], Any] = field) -> type[Any]:
    """A class with the fields that carry the points of a kind but one, which is left out or made by `given`."""
    names = {name for names in KINDS[kind].points.values() for name in names}
    body: dict[str, Any] = {name: field() for name in names if name != without}
    if given is not field:
        body[without] = given()
    body["__annotations__"] = dict.fromkeys(body, Any)
    return frozen(kw_only=True)(type("Own", (Specification,), body))


class TestTheTable:
    """What holds for all rows."""

    def test_each_kind_has_a_row_and_a_class(self) -> None:
        """No kind is without one, and the class knows its kind."""
        assert list(Kind) == list(KINDS)
        assert list(Kind) == [class_of(kind).kind for kind in Kind]
        assert len(Kind) == len({class_of(kind) for kind in Kind})

    def test_the_families_are_as_large_as_the_requirements_say(self) -> None:
        """Nine mails of a cancellation (C2), seven of the programme (S7), and the rest about consent."""
        sizes = {family: [row.family for row in KINDS.values()].count(family) for family in Family}
        assert {Family.CANCELLATION: 9, Family.PROGRAMME: 7, Family.CONSENT: 5} == sizes

    @EVERY_KIND
    def test_what_is_cancelled_left_or_sunset_is_a_class_of_its_own_family(self, kind: Kind) -> None:
        """The three stay apart in the model (C7)."""
        of = [family for family, base in BASES.items() if issubclass(class_of(kind), base)]
        assert [KINDS[kind].family] == of

    @EVERY_KIND
    def test_only_mails_of_the_programme_are_marketing(self, kind: Kind) -> None:
        """The others reach those who opted out (C6)."""
        assert (KINDS[kind].family is Family.PROGRAMME) is KINDS[kind].marketing

    @EVERY_KIND
    def test_a_cancellation_makes_some_of_four_points_and_no_other_mail_makes_any(self, kind: Kind) -> None:
        """Thanks, confirmation, feedback, and an open door (C1)."""
        points = set(KINDS[kind].points)
        assert points <= set(Point)
        assert (KINDS[kind].family is Family.CANCELLATION) is bool(points)

    def test_each_point_is_made_by_a_mail_of_a_cancellation(self) -> None:
        """C1 lists four points, and all of them are there."""
        assert set(Point) == {point for row in KINDS.values() for point in row.points}
        assert 4 == len(Point)

    @EVERY_KIND
    def test_what_confirms_says_what_and_when(self, kind: Kind) -> None:
        """A notice states what was cancelled, and when (R15)."""
        carried = KINDS[kind].points.get(Point.CONFIRMATION)
        assert carried is None or ("product" in carried and {"cancelled_at", "ended_on"} & set(carried))

    @EVERY_KIND
    def test_each_row_says_what_it_is_for(self, kind: Kind) -> None:
        """One sentence, and the requirement that it comes from; the docs print both."""
        row = KINDS[kind]
        assert row.doc.endswith(".")
        assert row.source in {"C2", "S7", "O7", "O4", "P4", "F47"}

    def test_the_table_cannot_be_changed(self) -> None:
        """A kind is what it is for everybody in the process."""
        row = KINDS[Kind.CANCELLATION_NOTE]
        with pytest.raises(TypeError):
            KINDS[Kind.CANCELLATION_NOTE] = row  # type: ignore[index]
        with pytest.raises(TypeError):
            row.points[Point.THANKS] = ("product",)  # type: ignore[index]
        with pytest.raises(FrozenInstanceError):
            row.doc = "Anything."  # type: ignore[misc]

    def test_a_row_keeps_its_points_when_what_they_came_from_changes(self) -> None:
        """It holds a copy."""
        points = {Point.THANKS: ("product",)}
        row = KindRow(family=Family.CANCELLATION, points=points, doc="A mail.", source="C2")
        points.clear()
        assert {Point.THANKS: ("product",)} == dict(row.points)


class TestTheClasses:
    """A class has to have what its kind says."""

    @pytest.fixture(autouse=True)
    def _apart(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("lifecycle_mail.mails.kinds._CLASSES", {kind: class_of(kind) for kind in Kind})

    @pytest.mark.parametrize(("kind", "point", "name"), CARRIED)
    def test_a_field_that_carries_a_point_is_required(self, kind: Kind, point: Point, name: str) -> None:
        """The class that ships has it, and it cannot be left out."""
        assert point in KINDS[kind].points
        carrying = fields_dict(class_of(kind))[name]
        assert carrying.default is NOTHING
        assert carrying.init

    @pytest.mark.parametrize(("kind", "point", "name"), CARRIED)
    @pytest.mark.parametrize(
        "given",
        [
            field,
            lambda: field(default=None),
            lambda: field(factory=str),
            lambda: field(init=False),
            lambda: field(init=False, default=""),
        ],
        ids=["none", "default", "factory", "never-given", "never-given-default"],
    )
    def test_a_class_without_it_is_refused(self, kind: Kind, point: Point, name: str, given: Callable[[], Any]) -> None:
        """Whether it is missing, may be left out, or cannot be given; the message names class, point and field."""
        before = class_of(kind)
        own = a_class(kind, without=name, given=given)
        with pytest.raises(Misconfigured) as refused:
            specification(kind)(own)
        said = str(refused.value)
        assert said.startswith(f"Own: {kind} makes the point ")
        assert f"so the field '{name}' is required" in said
        assert any(f"the point '{one}'" in said for one, names in KINDS[kind].points.items() if name in names), point
        assert before is class_of(kind)

    def test_a_class_with_all_of_it_is_taken(self) -> None:
        """The helper of these tests makes a class that lacks nothing, so the refusals are about what it leaves out."""
        own = a_class(Kind.PAYMENT_FAILED)
        assert own is specification(Kind.PAYMENT_FAILED)(own)
        assert own is class_of(Kind.PAYMENT_FAILED)
        assert Kind.PAYMENT_FAILED is own.kind

    def test_a_class_that_only_inherits_its_fields_is_refused(self) -> None:
        """The decorator stands above `@frozen`: below it the fields are not there yet."""

        class Own(Specification):
            product: str = field()

        with pytest.raises(Misconfigured, match="Own: cancellation-note makes the point"):
            specification(Kind.CANCELLATION_NOTE)(Own)
