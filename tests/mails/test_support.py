"""What a mail uses that clients do not know is less than with professionals, and all of it is accounted for (C5).

The judge is our own, see `support`; one from npm sits in `judged/test_clients.py`. Both ask the same of a mail.
"""

import gzip
import json
from pathlib import Path

import pytest

from lifecycle_mail.mails.kinds import Kind
from tests.mails.rendered import EVERY, mail
from tests.mails.support import Feature, Finding, Undetected, detector, findings, read, verdict
from tests.mails.yardstick import CLIENTS, LEFT, NEAREST


@pytest.fixture(scope="module")
def features(shared: Path) -> list[Feature]:
    """Return the features of Can I email."""
    found: list[Feature] = json.loads(gzip.decompress((shared / "data/caniemail/features.json.gz").read_bytes()))
    return found


def unknown(found: set[Finding]) -> int:
    """Count the findings that a client does not know at all."""
    return sum("n" == said for *_, said in found)


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_asks_less_of_clients_than_its_yardstick(kind: Kind, features: list[Feature], shared: Path) -> None:
    """Each kind has fewer findings than the nearest template of Postmark's: of those not known at all, and of all."""
    ours = findings(mail(kind).html, features, CLIENTS)
    template = shared / f"data/postmark_templates/{NEAREST[kind][0]}.html"
    theirs = findings(template.read_text(encoding="utf-8"), features, CLIENTS)
    assert 0 < unknown(ours) < unknown(theirs)
    assert len(ours) < len(theirs)


def test_what_clients_do_not_know_is_accounted_for(features: list[Feature]) -> None:
    """Each feature that some client lacks has its fallback named, and each name is needed, in all languages."""
    used = set[str]()
    for kind, language in EVERY:
        for logo in (False, True):
            used |= {title for title, *_ in findings(mail(kind, language, logo=logo).html, features, CLIENTS)}
    assert set(LEFT) == used


def test_each_kind_has_a_yardstick(shared: Path) -> None:
    """No kind is left out, and each template is one that there is."""
    assert set(Kind) == set(NEAREST)
    assert {name for name, _ in NEAREST.values()} <= {
        path.stem for path in (shared / "data/postmark_templates").glob("*.html")
    }


def test_each_feature_can_be_told(features: list[Feature]) -> None:
    """Whatever the data lists has a detector, and an empty page uses none of it."""
    assert [] == [feature["slug"] for feature in features if detector(feature)(read("Hello"))]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<p style="margin: 0; margin-top: 4px">', {"html-p", "css-margin", "css-unit-px"}),
        ('<p style="display:NONE">', {"html-p", "css-display", "css-display-none"}),
        ('<p style="background: url(&quot;a;b.png&quot;)">', {"html-p", "css-background", "image-png"}),
        ('<p style="width: calc(1px + 1em)">', {"html-p", "css-width", "css-unit-calc", "css-unit-px", "css-unit-em"}),
        ('<p style="background-color: rgba(0, 0, 0, 1)">', {"html-p", "css-background-color", "css-rgba"}),
        (
            "<style>@media (prefers-color-scheme: dark) { .a, b > i { color: #fff !important } }</style>",
            {
                "html-style", "css-at-media", "css-at-media-prefers-color-scheme", "css-selector-class",
                "css-selector-grouping", "css-selector-child", "css-selector-type", "css-important",
            },
        ),
        (
            "<style>/* a:hover {} */ @import url('https://x.example/a;b'); a:hover, p.a.b {}</style>",
            {
                "html-style", "css-comments", "css-at-import", "css-pseudo-class-hover", "css-selector-type",
                "css-selector-class", "css-selector-chaining", "css-selector-grouping",
            },
        ),
        ("<style>p { color: red; & b { color: red } }</style>", {
            "html-style", "css-nesting", "css-selector-type", "css-selector-descendant",
        }),
        ("<!doctype html><!-- a --><main lang=et>", {"html-doctype", "html-comments", "html-semantics", "html-lang"}),
        ("<a href='mailto:a@b.example'>", {"html-mailto-links"}),
        ("<a href='#top' target=x>", {"html-anchor-links", "html-target"}),
        ("<img src='https://x.example/a.jpeg?b=c.png'>", {"html-img", "image-jpg"}),
        ("<ol><h3><input type=radio>", {"html-lists", "html-h1-h6", "html-input-radio"}),
        ('<meta name="color-scheme" content="light">', {"html-meta-color-scheme"}),
    ],
)  # fmt: skip
def test_the_judge_sees_what_is_there(html: str, expected: set[str], features: list[Feature]) -> None:
    """Elements, attributes, properties, values, functions, units, at-rules and selectors are told, and no others."""
    assert expected == {feature["slug"] for feature in features if detector(feature)(read(html))}


def test_a_feature_that_no_rule_covers_is_said() -> None:
    """New data does not slip by."""
    with pytest.raises(Undetected, match="css-shiny: 'Shiny things' is a new feature"):
        detector({"slug": "css-shiny", "title": "Shiny things", "category": "css", "stats": {}})


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ({"2019-10": "n", "2022-12": "y #1"}, "y"),
        ({"2024-04": "y", "2024-01": "n"}, "y"),
        ({"2019-10": "n", "16.80": "a #1 #2"}, "a"),
        ({"9.1": "n", "10.3": "y"}, "y"),
        ({}, "u"),
    ],
)
def test_the_newest_version_of_a_client_counts(versions: dict[str, str], expected: str) -> None:
    """Dates are compared as dates; versions come in the order in which they were written down."""
    assert expected == verdict({"stats": {"outlook": {"macos": versions}}}, "outlook.macos")


def test_a_client_that_nobody_tried_is_unknown() -> None:
    """What nobody knows is no finding."""
    assert "u" == verdict({"stats": {}}, "outlook.macos")
