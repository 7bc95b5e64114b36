"""axe-core looks at every mail: contrast, names, order, landmarks, sizes of what is touched (WCAG 2.2 and beyond)."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from lifecycle_mail.mails.kinds import Kind
from tests.mails.judged.conftest import PackageFinder, Scheme, Screen
from tests.mails.rendered import EVERY, mail

LEFT_OUT: Mapping[str, str] = {
    "color-contrast-enhanced": "level AAA: colours are the brand's, and its theme is held to level AA when it is made",
}
"""Rules that are not asked, with the reason; all others are, those that axe calls experimental too."""

NOT_DECIDED: Mapping[str, str] = {
    "hidden-content": "the preheader is hidden on purpose: it is read in the list of mails, before the mail is opened",
}
"""Rules of which axe says that a person has to look, with what the person saw."""

SIZES: tuple[tuple[int, Scheme], ...] = ((375, "light"), (375, "dark"), (900, "light"), (900, "dark"))

RUN = """async left => {
    const rules = Object.fromEntries(axe.getRules().map(({ruleId}) => [ruleId, {enabled: !left.includes(ruleId)}]));
    const found = await axe.run(document, {rules, resultTypes: ['violations', 'incomplete']});
    const said = (all) => all.map(({id, help, nodes}) => ({id, help, where: nodes.map(({html}) => html)}));
    return {violations: said(found.violations), incomplete: said(found.incomplete)};
}"""


@pytest.fixture(scope="module")
def source(package: PackageFinder) -> str:
    """Return the code of axe."""
    return package("axe-core/axe.min.js").read_text(encoding="utf-8")


def problems(screen: Screen, source: str) -> list[str]:
    """Return what axe has against the page that is shown."""
    if not screen.ask("() => 'axe' in window"):
        screen.ask(f"() => {{ {source} }}")
    found: dict[str, list[dict[str, Any]]] = screen.ask(RUN, list(LEFT_OUT))
    said = found["violations"] + [one for one in found["incomplete"] if one["id"] not in NOT_DECIDED]
    return [f"{one['id']}: {one['help']}: {json.dumps(one['where'])}" for one in said]


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_everybody_can_read_a_mail(kind: Kind, language: str, screen: Screen, source: str) -> None:
    """No rule is broken, on a phone and on a desk, by day and by night."""
    for width, scheme in SIZES:
        screen.show(mail(kind, language).html, width=width, scheme=scheme)
        assert [] == problems(screen, source), (width, scheme)


@pytest.mark.parametrize("images", [True, False])
@pytest.mark.parametrize("language", ["en", "he"])
def test_everybody_can_read_a_mail_with_a_logo(images: bool, language: str, screen: Screen, source: str) -> None:
    """The same holds for a logo, shown or blocked, and from right to left."""
    for width, scheme in SIZES:
        screen.show(mail(Kind.GOODBYE, language, logo=True).html, width=width, scheme=scheme, images=images)
        assert [] == problems(screen, source), (width, scheme)


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_without_its_rules_can_be_read(kind: Kind, screen: Screen, source: str) -> None:
    """A client that drops `<style>`, roles and round corners leaves a mail that can be read, at night too."""
    html = re.sub(r"<style>.*?</style>|border-radius: \d+px;", "", mail(kind).html, flags=re.DOTALL)
    html = html.replace(' role="presentation"', "")
    assert "@media" not in html
    for scheme in ("light", "dark"):
        screen.show(html, width=375, scheme=scheme)
        assert [] == [one for one in problems(screen, source) if one.startswith("color-contrast")], scheme


def test_axe_finds_what_is_wrong(screen: Screen, source: str) -> None:
    """Faint words, at night alone, and links that are too near are found."""
    html = mail(Kind.SURVEY).html.replace("#e8e9ea !important", "#333333 !important")
    screen.show(html, width=375)
    assert [] == problems(screen, source)
    screen.show(html, width=375, scheme="dark")
    assert {"color-contrast"} == {one.split(":")[0] for one in problems(screen, source)}
    screen.show(mail(Kind.SURVEY).html.replace("0 0 8px", "0 0 -8px").replace("1.5;", "1;"), width=375)
    assert "target-size" in {one.split(":")[0] for one in problems(screen, source)}
