"""The tables of the page about mails."""

from collections.abc import Callable, Iterable, Sequence

from lifecycle_mail.mails import KINDS, NEXT_STEP, NOTICE, PURPOSES, SUBJECTS, Kind, Point
from lifecycle_mail.mails.placeholders import to_markdown
from lifecycle_mail.mails.subjects import Style
from lifecycle_mail.mails.vocabulary import Group

_POINTS = {
    Point.THANKS: "thanks",
    Point.CONFIRMATION: "confirmation",
    Point.FEEDBACK: "feedback",
    Point.OPEN_DOOR: "open door",
}


def mail_tables(
    part: Callable[[str, str], str], table_of: Callable[[Sequence[str], Iterable[Sequence[str]]], str]
) -> str:
    """Write them, each as a part of its own."""
    kinds = table_of(
        ["kind", "family", "what it is for", "points", ""],
        [
            [f"`{kind}`", row.family, row.doc, ", ".join(_POINTS[point] for point in row.points), f"[{row.source}]"]
            for kind, row in KINDS.items()
        ],
    )
    purposes = table_of(
        ["purpose", "works for", "at least", "because"],
        [
            [
                f"`{purpose}`",
                "ever" if rule.age is None else f"{rule.age.days} days",
                f"{rule.at_least.days} days" if rule.at_least.days != 1 else "1 day",
                rule.because,
            ]
            for purpose, rule in PURPOSES.items()
        ],
    )
    subjects = table_of(
        ["style", "kind", "key", "an example"],
        [
            [style, ", ".join(f"`{kind}`" for kind in sorted(line.kinds)), f"`{line.key}`", line.example]
            for style in Style
            for line in SUBJECTS
            if line.style is style
        ],
    )
    return "\n".join(
        [
            part("kinds", kinds),
            part("notice", NOTICE.to_markdown()),
            part("next-step", NEXT_STEP.to_markdown()),
            part("purposes", purposes),
            part("subjects", subjects),
        ]
    )


def placeholder_tables() -> str:
    """Write what templates may fill in, call and replace: what all have once, then what each kind has."""
    own = (Group.SPEC, Group.URL, Group.POINT)
    common = [group for group in Group if group not in own]
    _, _, shared = to_markdown(Kind.LAST_CHANCE, groups=common, level=2).split("\n\n", 2)
    return "\n\n".join(["## In every template", shared, *(to_markdown(kind, groups=own, level=2) for kind in Kind)])
