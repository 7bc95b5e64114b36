"""What the renderer refuses, all of it at once (C1, S7, O2, R8)."""

import pytest

from lifecycle_mail.errors import InvalidTemplate, MailRefused
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.links import Links
from lifecycle_mail.mails.loading import shipped_source
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.mails.signing import SigningKey

LINKS = Links("https://mail.harbour.example/m", [SigningKey("2026a", b"x" * 32)])
SPECS = samples(sample_reader())
EMPTY = (
    '{% block subject %}Hello{% endblock %}{% block preheader %}Hello{% endblock %}'
    "{% block body %}{% endblock %}{% block footer %}{% endblock %}"
)  # fmt: skip


def renderer(**templates: str) -> Renderer:
    """A renderer with somebody's own templates, underscores for what a name of Python's cannot have."""
    own = {name.replace("__", ".").replace("_", "-"): source for name, source in templates.items()}
    return Renderer(BRAND, links=LINKS, templates=own)


def lacks(kind: Kind, made_by: Renderer) -> list[tuple[str, str, str]]:
    """What a draft of a kind lacks."""
    return [(one.rule, one.form, one.what) for one in made_by.draft(SPECS[kind], now=NOW).lacks]


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_that_ships_lacks_nothing(kind: Kind) -> None:
    """The draft of each kind is a mail that may go."""
    draft = renderer().draft(SPECS[kind], now=NOW)
    assert ((), {}) == (draft.lacks, draft.errors)
    assert draft.mail is not None


def test_a_marketing_mail_that_says_nothing_lacks_everything() -> None:
    """Each lack is told apart, for each of the two parts."""
    expected = [
        (rule, form, what)
        for form in ("text", "html")
        for rule, what in [
            ("no-primary-call", "0"),
            ("missing-unsubscribe", "url.unsubscribe"),
            ("missing-preferences", "url.preferences"),
            ("missing-postal-address", "brand.postal_address"),
        ]
    ]
    assert expected == lacks(Kind.SURVEY, renderer(survey='{% extends "mail" %}' + EMPTY))


def test_a_cancellation_mail_that_says_nothing_lacks_its_points() -> None:
    """It has no list behind it, and needs no way out; it promises points (C1)."""
    found = lacks(Kind.CANCELLATION_NOTE, renderer(cancellation_note='{% extends "mail" %}' + EMPTY))
    points = ["confirmation", "feedback", "thanks"]
    assert [("missing-point", form, point) for form in ("text", "html") for point in points] == found


def test_what_one_part_lacks_is_not_found_in_the_other() -> None:
    """A footer that only the HTML has lost is missed there alone."""
    lost = renderer(mail__html=shipped_source("mail.html").replace("{{ part.footer() }}", ""))
    assert {"html"} == {form for _, form, _ in lacks(Kind.SURVEY, lost)}
    assert 3 == len(lacks(Kind.SURVEY, lost))


def test_a_half_of_the_postal_address_is_none() -> None:
    """Each of its lines has to be there (R8)."""
    half = renderer(parts__text=shipped_source("parts.text").replace("in brand.postal_address", "in ['Sadama 1']"))
    assert [("missing-postal-address", "text", "brand.postal_address")] == lacks(Kind.SURVEY, half)


def test_the_refusal_names_all_of_it() -> None:
    """Whoever mends the template reads once what is wrong with it."""
    with pytest.raises(MailRefused) as refused:
        renderer(survey='{% extends "mail" %}' + EMPTY).render(SPECS[Kind.SURVEY], now=NOW)
    message = str(refused.value)
    assert message.startswith("survey: the text has 0 primary calls to action, and exactly one is clear (S7): ")
    for form in ("text", "html"):
        assert f"the {form} has 0 primary calls to action" in message
        assert f"the {form} lacks url.unsubscribe, url.preferences, brand.postal_address, and a marketing" in message


def test_the_refusal_names_every_point() -> None:
    """A cancellation mail says which points it does not make."""
    with pytest.raises(MailRefused) as refused:
        renderer(cancellation_note='{% extends "mail" %}' + EMPTY).render(SPECS[Kind.CANCELLATION_NOTE], now=NOW)
    assert "the html does not make the point confirmation, feedback, thanks (C1)" in str(refused.value)


def test_two_calls_are_too_many_in_any_mail() -> None:
    """A transactional mail may have one primary call to action or none (S7)."""
    twice = "{{ part.button('One', brand.website) }}{{ part.button('Two', brand.website) }}"
    source = shipped_source("goodbye").replace("{% block body %}", "{% block body %}" + twice)
    assert [("two-primary-calls", form, "2") for form in ("text", "html")] == lacks(
        Kind.GOODBYE, renderer(goodbye=source)
    )
    with pytest.raises(MailRefused, match="at most one is clear"):
        renderer(goodbye=source).render(SPECS[Kind.GOODBYE], now=NOW)


def test_an_empty_subject_is_refused() -> None:
    """A subject that is left empty is found in what came out."""
    source = '{% extends "shipped/survey" %}{% block subject %} {% endblock %}'
    assert [("empty-subject", "text", "subject")] == lacks(Kind.SURVEY, renderer(survey=source))
    with pytest.raises(MailRefused, match="the subject is empty"):
        renderer(survey=source).render(SPECS[Kind.SURVEY], now=NOW)


def test_a_layout_that_keeps_no_subject_is_told_so() -> None:
    """A `mail.text` of somebody's own has to keep what the HTML is given."""
    with pytest.raises(InvalidTemplate, match="the text keeps no preheader and no subject"):
        renderer(mail__text="Hello").render(SPECS[Kind.SURVEY], now=NOW)


def test_both_parts_are_tried() -> None:
    """A mistake in the plain text hides none in the HTML."""
    draft = renderer(parts__text="{{ spec.nope }}", mail__html="{{ spec.nor_this }}").draft(SPECS[Kind.SURVEY], now=NOW)
    assert draft.mail is None
    assert {"text": "parts.text", "html": "mail.html"} == {
        form: error.template for form, error in draft.errors.items() if isinstance(error, InvalidTemplate)
    }


def test_css_that_cannot_be_read_is_a_mistake_of_the_template() -> None:
    """It is no error of the library that moves CSS."""
    broken = shipped_source("mail.html").replace('class="mail"', 'class="mail" style="color: ;;x"')
    with pytest.raises(InvalidTemplate, match=r"mail\.html: its CSS cannot be read"):
        renderer(mail__html=broken.replace("</style>", "table { width: ;;; }</style>")).render(
            SPECS[Kind.SURVEY], now=NOW
        )
