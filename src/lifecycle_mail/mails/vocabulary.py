"""The words of templates: what each function, macro, block, filter and link is for (C5).

Written down once, here. A test holds each table against what the renderer, the layouts, the sandbox and `Urls` really
have, so that nothing new goes without a description. What a specification and the brand hold is described by their
classes; `placeholders` puts both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import fields_dict, frozen

from lifecycle_mail.mails.kinds import KINDS, Kind, Point, class_of
from lifecycle_mail.mails.reasons import question_of


class Group(StrEnum):
    """What a placeholder is."""

    SPEC = "spec"
    BRAND = "brand"
    URL = "url"
    POINT = "point"
    BLOCK = "block"
    MACRO = "macro"
    FUNCTION = "function"
    FILTER = "filter"
    TEST = "test"
    SETTING = "setting"


HEADINGS: Final[Mapping[Group, str]] = MappingProxyType(
    {
        Group.SPEC: "What this mail says",
        Group.BRAND: "Who sends it",
        Group.URL: "Its links",
        Group.POINT: "Points that it has to make",
        Group.BLOCK: "Blocks that can be replaced",
        Group.MACRO: "What it is built from",
        Group.FUNCTION: "Functions",
        Group.FILTER: "Filters",
        Group.TEST: "Tests",
        Group.SETTING: "What layouts read",
    }
)
"""The heading of each group."""


@frozen(kw_only=True)
class Placeholder:
    """One thing that a template may read, call or replace.

    Attributes:
        name: how it is written, arguments included.
        group: what it is.
        type: what it gives, in words; empty where that says nothing.
        required: whether it is always there, so that no `if` has to ask for it. Of a point or a block: whether the
            template has to have it.
        doc: what it is for, in a sentence.
    """

    name: str
    group: Group
    type: str = ""
    required: bool = True
    doc: str


def _table(group: Group, *rows: tuple[str, str, str], written: str = "{}") -> Mapping[str, Placeholder]:
    return MappingProxyType(
        {
            name.partition("(")[0]: Placeholder(name=written.format(name), group=group, type=gives, doc=doc)
            for name, gives, doc in rows
        }
    )


FUNCTIONS: Final = _table(
    Group.FUNCTION,
    ("_(sentence, name=value, ...)", "text",
     "Translates a sentence that is written out, and fills in each `%(name)s` once."),
    ("n_(one, many, count, name=value, ...)", "text",
     "Translates the form of a sentence that a number takes, and fills it in."),
    ("day(value)", "text", "Writes a day, such as 31 March 2026; of an instant the day in the reader's zone."),
    ("moment(value)", "text", "Writes an instant with its clock and zone."),
    ("money(value)", "text", "Writes a sum with its currency."),
    ("number(value)", "text", "Writes a number with its groups of digits."),
    ("days_until(day)", "whole number", "Counts the days from today, in the reader's zone, to a day."),
    ("days_since(day)", "whole number", "Counts the days from a day to today, in the reader's zone."),
    ("lines(text)", "several texts", "Splits a text into its lines, for a loop."),
    ("label(reason)", "text", "Writes a reason in the words in which it is chosen."),
    ("greeting()", "text", "Says hello, by name where there is one."),
    ("why()", "text", "Says why the reader gets this mail."),
    ("subject_line()", "text", "Writes the subject line of the style that was asked for (S8)."),
    ("point(name)", "block", "Marks a point of C1: `{% call point(\"thanks\") %}...{% endcall %}`."),
    ("primary()", "nothing",
     "Counts a primary call to action, right before its link; `part.button()` calls it, and so does one of your own."),
    ("keep(name)", "block",
     "Keeps what stands in it as the `subject` or the `preheader`; for a `mail.text` of your own."),
    ("range(stop)", "several whole numbers", "Counts from 0, for a loop; up to 1,000."),
)  # fmt: skip
"""What a template may call, by name."""

MACROS: Final = _table(
    Group.MACRO,
    ("p(text)", "", "A paragraph."),
    ("quote(text)", "", "A text of several lines in somebody's own words."),
    ("bullets(entries)", "", "A list of texts."),
    ("facts(rows)", "", "A small table: pairs of name and value."),
    ("link(label, url)", "", "A link, beside the primary call to action."),
    ("links(rows)", "", "A list of links: pairs of label and link."),
    ("items(entries)", "", "Items, each with its title, link and summary."),
    ("topics(lists)", "", "Lists, each with its title and what to expect."),
    ("button(label, url)", "", "The primary call to action; a mail has one at most (S7)."),
    ("signed(name)", "", "Who signs."),
    ("footer()", "", "Why the reader gets it, the way out of a marketing mail, and who sends it from where."),
    written="part.{}",
)
"""What mails are built from, by name, once for HTML and once for plain text."""

BLOCKS: Final = _table(
    Group.BLOCK,
    ("subject", "", "The subject: a text of one line."),
    ("preheader", "", "What a mailbox shows beside the subject: a text of one line."),
    ("head", "", "The logo or the name above the mail; in HTML only."),
    ("body", "", "What the mail says, between greeting and signature."),
    ("closing", "", "The signature."),
    ("footer", "", "What stands below the mail."),
    written="{{% block {} %}}",
)
"""What a template that extends `mail` or `shipped/NAME` may replace, by name."""

FILTERS: Final = _table(
    Group.FILTER,
    ("capitalize", "text", "The first letter as a capital, all others small."),
    ("count", "whole number", "How many there are; the same as `length`."),
    ("d", "", "The same as `default`."),
    ("default", "", "Something else where a name is not there."),
    ("e", "text", "The same as `escape`."),
    ("escape", "text", "Escapes for HTML, which what is printed there is anyway."),
    ("first", "", "The first of several."),
    ("last", "", "The last of several."),
    ("length", "whole number", "How many there are."),
    ("lower", "text", "In small letters."),
    ("title", "text", "Each word with a capital."),
    ("trim", "text", "Without the spaces around it."),
    ("upper", "text", "In capitals."),
    ("wrap", "text", "In lines of 72 columns at most, for plain text."),
)
"""What a value may be passed through, by name."""

TESTS: Final = _table(
    Group.TEST,
    ("boolean", "", "Whether it is a yes or a no."),
    ("defined", "", "Whether there is something of that name."),
    ("divisibleby(number)", "", "Whether a whole number can be divided by another one."),
    ("even", "", "Whether a whole number is even."),
    ("false", "", "Whether it is a no."),
    ("integer", "", "Whether it is a whole number."),
    ("none", "", "Whether it is None; `if` alone asks for empty texts and lists as well."),
    ("number", "", "Whether it is a number."),
    ("odd", "", "Whether a whole number is odd."),
    ("string", "", "Whether it is a text."),
    ("true", "", "Whether it is a yes."),
    ("undefined", "", "Whether there is nothing of that name."),
    written="is {}",
)
"""What `if` may ask, by name."""

SETTINGS: Final = _table(
    Group.SETTING,
    ("language", "text", "The language tag of the mail."),
    ("direction", "text", "`ltr` or `rtl`: how its language is read."),
    ("side", "text", "`left` or `right`: where its lines begin."),
    ("marketing", "yes or no", "Whether it is marketing."),
    ("subject", "text", "The subject; in HTML only."),
    ("preheader", "text", "The preheader; in HTML only."),
)
"""What else a layout reads, by name."""

POINTS: Final[Mapping[Point, str]] = MappingProxyType(
    {
        Point.THANKS: "Thanks the customer.",
        Point.CONFIRMATION: "Confirms that the cancellation is processed.",
        Point.FEEDBACK: "Asks for feedback.",
        Point.OPEN_DOOR: "Says that the door stays open.",
    }
)
"""What each point of C1 says."""


def _asks(kind: Kind) -> bool:
    return question_of(kind) is not None


URLS: Final[Mapping[str, tuple[str, Callable[[Kind], bool]]]] = MappingProxyType(
    {
        "unsubscribe": ("link", lambda _: True),
        "preferences": ("link", lambda _: True),
        "stay": ("link", lambda kind: KINDS[kind].marketing),
        "confirm": ("link", lambda kind: "token" in fields_dict(class_of(kind))),
        "survey": ("link", _asks),
        "comment": ("link", _asks),
        "answers": (
            "several pairs of label and link", lambda kind: _asks(kind) and "reasons" in fields_dict(class_of(kind)),
        ),
    }
)  # fmt: skip
"""Each link, what it gives, and which kinds have it."""
