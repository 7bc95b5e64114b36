"""The links of each kind of mail: what they say, and which a kind does not have."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from attrs import evolve

from lifecycle_mail.errors import InvalidInput, InvalidTemplate
from lifecycle_mail.mails.catalogues import Translator, shipped
from lifecycle_mail.mails.kinds import KINDS, Kind
from lifecycle_mail.mails.links import PURPOSES, Link, LinkPurpose, Links
from lifecycle_mail.mails.reasons import LABELS, SURVEY_REASONS, Answering, question_of
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, bare
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.mails.urls import Urls
from lifecycle_mail.model.answers import Question
from lifecycle_mail.model.lists import Scope
from tests.mails.rendered import LINKS, specifications

SPECS: Final = specifications("en")
PROGRAMME: Final = [kind for kind, row in KINDS.items() if row.marketing]
ASKING: Final = [kind for kind in Kind if question_of(kind) is not None]
CONFIRMING: Final = [Kind.CONFIRM_SUBSCRIPTION, Kind.CONFIRM_RESUBSCRIPTION]
NEWS: Final = Scope.list("harbour-news")

HAS: Final[dict[str, list[Kind]]] = {
    "unsubscribe": list(Kind),
    "preferences": list(Kind),
    "stay": PROGRAMME,
    "confirm": CONFIRMING,
    "survey": ASKING,
    "comment": ASKING,
    "answers": ASKING,
}
"""Which kinds have which link."""


def urls(spec: Specification, *, language: str = "en", links: Links = LINKS, now: datetime = NOW) -> Urls:
    """Return the links of a mail."""
    return Urls(spec, links, Translator([shipped()[language]] if language != "en" else [], html=False), now)


def read(url: str, purpose: LinkPurpose) -> Link:
    """Read a link, as the page behind it does."""
    base, path, token = url.rsplit("/", 2)
    assert (LINKS.base_url, PURPOSES[purpose].path) == (base, path)
    return LINKS.read(token, purpose=purpose, now=NOW)


def test_every_link_is_listed() -> None:
    """Those above are all that there are."""
    assert set(HAS) == {name for name in vars(Urls) if not name.startswith("_")}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in HAS for kind in Kind if kind in HAS[name]])
def test_a_kind_has_its_links(name: str, kind: Kind) -> None:
    """Each is made when it is asked for, and is the same when it is asked for again."""
    made = urls(SPECS[kind])
    found = getattr(made, name)
    assert found == getattr(made, name) == getattr(urls(SPECS[kind]), name)
    if name != "answers":
        assert found.startswith(f"{LINKS.base_url}/")


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in HAS for kind in Kind if kind not in HAS[name]])
def test_a_link_that_a_kind_has_not_is_a_mistake_of_the_template(name: str, kind: Kind) -> None:
    """It is named as it was written, with the kind and with the reason; a mail says the same, and the line."""
    with pytest.raises(InvalidTemplate, match=f"^{kind}: url.{name} is not for this kind: .+take it out") as refused:
        getattr(urls(SPECS[kind]), name)
    own = '{% extends "shipped/' + kind + '" %}{% block closing %}{% if url.' + name + " %}{% endif %}{% endblock %}"
    with pytest.raises(InvalidTemplate) as mailed:
        Renderer(BRAND, links=LINKS, templates={kind: own}).render(SPECS[kind], now=NOW)
    assert (1, str(refused.value)) == (mailed.value.line, str(mailed.value).replace(":1: ", ": ", 1))


@pytest.mark.parametrize("kind", Kind)
def test_leaving_leaves_what_the_mail_names(kind: Kind) -> None:
    """The list that is behind it, or all marketing where none is."""
    link = read(urls(SPECS[kind]).unsubscribe, LinkPurpose.UNSUBSCRIBE)
    listed = hasattr(SPECS[kind], "listed")
    assert (NEWS if listed else Scope.all()) == link.scope
    assert ("win-back" if kind in PROGRAMME else None) == link.campaign
    assert (NOW, "c-17", "") == (link.signed_at, link.contact_id, link.detail)


def test_a_fresh_link_leaves_everything_where_everything_was_asked_for() -> None:
    """A link that names no list is about all of them."""
    spec = evolve(SPECS[Kind.FRESH_LINK], listed=None)  # type: ignore[call-arg]
    assert Scope.all() == read(urls(spec).unsubscribe, LinkPurpose.UNSUBSCRIBE).scope


@pytest.mark.parametrize("kind", Kind)
def test_preferences_are_a_persons_own(kind: Kind) -> None:
    """They are about no list, and know the campaign that they came with."""
    link = read(urls(SPECS[kind]).preferences, LinkPurpose.PREFERENCES)
    assert (None, "c-17") == (link.scope, link.contact_id)
    assert ("win-back" if kind in PROGRAMME else None) == link.campaign


@pytest.mark.parametrize("kind", PROGRAMME)
def test_staying_stays_on_the_list(kind: Kind) -> None:
    """A yes is about the list that the mail asked about."""
    assert NEWS == read(urls(SPECS[kind]).stay, LinkPurpose.STAY).scope


@pytest.mark.parametrize("kind", CONFIRMING)
def test_a_confirmation_carries_the_token_that_was_given(kind: Kind) -> None:
    """It is signed elsewhere, and is not signed again."""
    spec: Any = SPECS[kind]
    assert f"{LINKS.base_url}/confirm/{spec.token}" == urls(spec).confirm


@pytest.mark.parametrize("kind", ASKING)
def test_a_question_is_opened_with_nothing_chosen(kind: Kind) -> None:
    """The link says what is asked, about which product or list, and no reason but the one that they gave already."""
    made = urls(SPECS[kind])
    link = read(made.survey, LinkPurpose.ANSWER)
    answering = Answering.of_detail(link.detail)
    given = getattr(SPECS[kind], "reason", None)
    assert (given is None) == (kind not in (Kind.CANCELLATION_CONFIRMED, Kind.CANCELLATION_NOTE))
    assert (question_of(kind), given) == (answering.question, answering.reason)
    assert getattr(SPECS[kind], "product", "") == answering.about
    assert (None if answering.question is Question.CANCELLATION else NEWS) == link.scope
    assert made.survey == made.comment


MOST: Final = {
    Kind.CANCELLATION_CONFIRMED: 3, Kind.CANCELLATION_NOTE: 0, Kind.CANCELLATION_SURVEY: 3, Kind.CANCELLATION_REASON: 1,
    Kind.TECHNICAL_FOLLOW_UP: 0, Kind.SURVEY: 1, Kind.GOODBYE: 1,
}  # fmt: skip
"""How many reasons each mail asks for."""


@pytest.mark.parametrize("kind", ASKING)
def test_each_answer_says_what_the_mail_offers(kind: Kind) -> None:
    """The reasons of the specification, in its order, and how many of them (C2)."""
    spec: Any = SPECS[kind]
    if hasattr(spec, "reason"):
        told = Answering.of_detail(read(urls(spec).survey, LinkPurpose.ANSWER).detail)
        assert (spec.reason, (), 0) == (told.reason, told.offers, told.most)  # only what else there is to say
        spec = evolve(spec, reason=None)
    if MOST[kind]:
        spec = evolve(spec, reasons=spec.reasons[::-2])
    made = urls(spec)
    for url in (made.survey, *(url for _, url in made.answers)):
        asked = Answering.of_detail(read(url, LinkPurpose.ANSWER).detail)
        assert (getattr(spec, "reasons", ()), MOST[kind]) == (asked.offers, asked.most)


def test_no_more_are_asked_for_than_are_offered() -> None:
    """A survey of two reasons takes two, and a goodbye to somebody who said why takes words alone."""
    two = evolve(SPECS[Kind.CANCELLATION_SURVEY], reasons=SURVEY_REASONS[:2])  # type: ignore[call-arg]
    none = evolve(SPECS[Kind.GOODBYE], reasons=())  # type: ignore[call-arg]
    for spec, most in ((two, 2), (none, 0)):
        assert most == Answering.of_detail(read(urls(spec).survey, LinkPurpose.ANSWER).detail).most


@pytest.mark.parametrize("kind", ASKING)
def test_each_answer_says_what_it_is_about(kind: Kind) -> None:
    """When the plan was cancelled, or the list left, whenever the mail is rendered (F48); a campaign is one send."""
    spec: Any = SPECS[kind]
    at = getattr(spec, "cancelled_at", None) or getattr(spec, "left_at", None)
    assert (at is None) == (kind is Kind.SURVEY) == hasattr(spec, "campaign")
    for now in (NOW, NOW + timedelta(minutes=5)):
        asked = Answering.of_detail(read(urls(spec, now=now).survey, LinkPurpose.ANSWER).detail)
        assert (None if at is None else at.replace(microsecond=0)) == asked.occasion


def test_a_mail_need_not_say_when_it_was_cancelled() -> None:
    """A survey that does not is about the cancellation of its own instant."""
    spec = evolve(SPECS[Kind.CANCELLATION_SURVEY], cancelled_at=None)  # type: ignore[call-arg]
    assert Answering.of_detail(read(urls(spec).survey, LinkPurpose.ANSWER).detail).occasion is None


@pytest.mark.parametrize("kind", ASKING)
@pytest.mark.parametrize("language", ["en", "et"])
def test_each_reason_is_a_link_with_its_label(kind: Kind, language: str) -> None:
    """In the order of the specification, in the reader's language."""
    spec = SPECS[kind]
    question = question_of(kind)
    assert question is not None
    answers = urls(spec, language=language).answers
    reasons = getattr(spec, "reasons", ())
    found = [Answering.of_detail(read(url, LinkPurpose.ANSWER).detail) for _, url in answers]
    assert list(reasons) == [one.reason for one in found]
    assert {question} >= {one.question for one in found}
    labels = [LABELS[question][reason] for reason in reasons]
    if language != "en":
        labels = [shipped()[language].texts[label][0] for label in labels]
    assert labels == [label for label, _ in answers]


def test_no_reasons_are_no_links() -> None:
    """A goodbye to somebody who said why asks nothing."""
    assert () == urls(evolve(SPECS[Kind.GOODBYE], reasons=())).answers  # type: ignore[call-arg]


def test_who_left_everything_answers_about_everything() -> None:
    """The scope of the answer is that of the opt-out (O3)."""
    spec = evolve(SPECS[Kind.GOODBYE], left=None, stays=(), channels=())  # type: ignore[call-arg]
    assert Scope.all() == read(urls(spec).survey, LinkPurpose.ANSWER).scope


def test_links_are_made_when_they_are_asked_for() -> None:
    """A mail signs what stands in it, and nothing else."""
    made: list[str] = []

    class Counting(Links):
        def url(self, purpose: LinkPurpose | str, contact_id: str, **said: Any) -> str:
            made.append(str(purpose))
            return super().url(purpose, contact_id, **said)

    renderer = Renderer(BRAND, links=Counting(LINKS.base_url, LINKS.keys))
    renderer.render(bare(SPECS[Kind.PLAN_ENDING]), now=NOW)
    assert [] == made
    renderer.render(SPECS[Kind.LAST_CHANCE], now=NOW)
    assert ["preferences", "stay", "unsubscribe"] == sorted(made)


@pytest.mark.parametrize("name", ["unsubscribe", "preferences", "stay", "survey", "answers"])
def test_a_link_that_would_be_too_long_is_refused(name: str) -> None:
    """The mail is not made with half a link (R5)."""
    far = Links("https://mail.harbour.example/" + "m" * 820, LINKS.keys)
    with pytest.raises(InvalidInput, match="too long for the header of a mail"):
        getattr(urls(SPECS[Kind.SURVEY], links=far), name)


@pytest.mark.parametrize(
    "product", ["プ" * 200, "\U0001f600" * 200, "Harbour\N{NO-BREAK SPACE}Pro", "a:b:c", "x" * 200]
)
def test_a_long_name_of_a_product_does_not_cost_a_mail(product: str) -> None:
    """A link carries as much of it as fits, and says the rest right (F48)."""
    spec = evolve(SPECS[Kind.CANCELLATION_SURVEY], product=product)  # type: ignore[call-arg]
    made = urls(spec)
    for url in (made.survey, *(url for _, url in made.answers)):
        about = Answering.of_detail(read(url, LinkPurpose.ANSWER).detail).about
        assert about
        assert product.replace("\N{NO-BREAK SPACE}", " ").startswith(about)


def test_links_are_signed_at_the_instant_of_the_mail() -> None:
    """An instant of any zone is kept in UTC."""
    later = datetime(2026, 3, 4, 1, 5, tzinfo=UTC) + timedelta(microseconds=7)
    url = urls(SPECS[Kind.SURVEY], now=later).unsubscribe
    token = url.rsplit("/", 1)[1]
    assert later == LINKS.read(token, purpose=LinkPurpose.UNSUBSCRIBE, now=later).signed_at
