"""What a template is told of that is not there."""

import time
from typing import Any

import pytest

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW
from tests.mails.rendered import LINKS, specifications

KIND = Kind.CANCELLATION_NOTE
SPEC: Any = specifications("en")[KIND]


def refusal(tried: str) -> InvalidTemplate:
    """Return what is said of a template whose third line does what is tried."""
    own = '{% extends "shipped/cancellation-note" %}\n{% block closing %}\n' + tried + "\n{% endblock %}"
    with pytest.raises(InvalidTemplate) as refused:
        Renderer(BRAND, links=LINKS, templates={str(KIND): own}).render(SPEC, now=NOW)
    return refused.value


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ("{{ spec.prodct }}", "spec has no 'prodct': did you mean 'product'?"),
        ("{{ spec['prodct'] }}", "spec has no 'prodct': did you mean 'product'?"),
        ("{{ spec.to.nme }}", "spec.to has no 'nme': did you mean 'name'?"),
        ("{{ spec['to'].nme }}", "spec['to'] has no 'nme': did you mean 'name'?"),
        ("{{ spec.nothing_of_the_kind }}", "spec has no 'nothing_of_the_kind'"),
        ("{{ brand.prvacy_url }}", "brand has no 'prvacy_url': did you mean 'privacy_url'?"),
        ("{{ url.unsubscrib }}", "url has no 'unsubscrib': did you mean 'unsubscribe'?"),
        ("{{ part.signd('Ines') }}", "part has no 'signd': did you mean 'signed'?"),
        ("{% for way in spec.ways %}{{ way.lable }}{% endfor %}", "spec has no 'ways'"),
        ("{% for x in [1] %}{{ loop.lst }}{% endfor %}", "loop has no 'lst': did you mean 'last'?"),
        ("{% set names = ['a'] %}{{ names[5] }}", "names has no entry 5"),
        ("{{ (spec or brand).prodct }}", "what is asked has no 'prodct': did you mean 'product'?"),
        ("{{ greeting().product }}", "what is asked has no 'product'"),
        ("{{ brnad.name }}", "'brnad' is undefined: did you mean 'brand'?"),
        ("{{ mment(spec.cancelled_at) }}", "'mment' is undefined: did you mean 'moment'?"),
        ("{{ zzz }}", "'zzz' is undefined"),
        ("{{ spec.__class__ }}", "to read '__class__' of spec is unsafe"),
        ("{{ spec['__class__'] }}", "to read '__class__' of spec is unsafe"),
    ],
)
def test_what_is_not_there_is_told_by_name(tried: str, expected: str) -> None:
    """The template, the line, what was asked of what, and what there is that looks like it; nothing of Python's."""
    found = refusal(tried)
    assert (str(KIND), 3, expected) == (found.template, found.line, found.reason)


@pytest.mark.parametrize(
    "use",
    [
        "{{ GONE | upper }}", "{{ GONE ~ '' }}", "{{ GONE + 1 }}", "{{ 1 - GONE }}", "{{ -GONE }}", "{{ GONE.title }}",
        "{{ GONE() }}", "{{ GONE == 'x' }}", "{{ 'x' in GONE }}", "{{ GONE[0] }}", "{{ GONE[:1] }}",
        "{% if GONE %}{% endif %}", "{% if not GONE %}{% endif %}", "{% for x in GONE %}{% endfor %}",
        "{{ part.p(GONE) }}", "{{ day(GONE) }}", "{{ number(GONE) }}", "{{ money(GONE) }}", "{{ lines(GONE) }}",
        "{{ label(GONE) }}", "{{ days_until(GONE) }}", "{{ _('%(a)s', a=GONE) }}", "{{ n_('a', 'b', GONE) }}",
        "{{ range(GONE) }}", "{{ 1 if GONE is even }}", "{{ GONE | length }}",
    ],
)  # fmt: skip
def test_it_is_told_whatever_is_done_with_it(use: str) -> None:
    """Printed, filtered, compared, gone through, called or given to a function: it is missing under its name."""
    found = refusal(use.replace("GONE", "spec.prodct"))
    assert (3, "spec has no 'prodct': did you mean 'product'?") == (found.line, found.reason)


def test_to_ask_for_it_is_no_mistake() -> None:
    """`is defined` and `default` are there for what may not be there."""
    own = (
        '{% extends "shipped/cancellation-note" %}{% block closing %}'
        "{{ spec.prodct | default('else') }}{{ 'none' if spec.prodct is not defined }}{% endblock %}"
    )
    mail = Renderer(BRAND, links=LINKS, templates={str(KIND): own}).render(SPEC, now=NOW)
    assert "elsenone" in mail.text


@pytest.mark.parametrize("name", ["spec.to.name", "spec.to.name ~ '!'", "'_' ~ spec.to.name", "spec.to.contact_id"])
def test_a_name_that_was_worked_out_is_not_told(name: str) -> None:
    """It may be somebody's own, and errors are kept in logs."""
    found = str(refusal(f"{{{{ spec[{name}] }}}}"))
    assert found == f"{KIND}:3: spec has nothing of the name or number that is asked for"


def test_it_keeps_its_name_wherever_it_is_put() -> None:
    """What a list holds that is not there is told as it was asked for; a name that was worked out is told nowhere."""
    assert "spec has no 'zzz'" == refusal("{% set held = [spec.zzz] %}{{ held[0] }}").reason
    found = refusal("{% set held = [spec[spec.to.name]] %}{{ held[0] }}")
    assert "spec has nothing of the name or number that is asked for" == found.reason


@pytest.mark.parametrize("tried", ["{{ %s }}", "{{ spec.%s }}", "{{ spec['%s'] }}", "{{ %s.name }}", "{{ spec.%s.a }}"])
def test_of_a_long_name_the_beginning_is_told(tried: str) -> None:
    """And nothing is compared with it."""
    begun = time.perf_counter()
    assert len(str(refusal(tried % ("a" * 100_000)))) < 150
    assert time.perf_counter() - begun < 5


def test_a_link_of_another_kind_is_refused_with_its_line() -> None:
    """It is there, for other mails."""
    found = refusal("{{ url.stay }}")
    assert (str(KIND), 3, "url.stay is not for this kind: no list is behind it") == (
        found.template,
        found.line,
        found.reason,
    )


def test_near_misses_are_looked_for_once() -> None:
    """Whoever asks a thousand times whether it is there waits for no comparison."""
    own = '{% extends "shipped/cancellation-note" %}{% block closing %}{% for i in range(900) %}'
    own += "{{ '' if spec.prodct is defined }}" * 20 + "{% endfor %}{% endblock %}"
    begun = time.perf_counter()
    Renderer(BRAND, links=LINKS, templates={str(KIND): own}).render(SPEC, now=NOW)
    assert time.perf_counter() - begun < 5


def test_what_a_template_has_to_begin_with_is_told() -> None:
    """The parts are there for whoever extends or imports them, which is what a first template forgets."""
    with pytest.raises(
        InvalidTemplate, match=r"'part' is undefined: begin with {% extends \"mail\" %}, or with {% imp"
    ):
        Renderer(BRAND, links=LINKS, templates={str(KIND): '{{ part.p("Hi") }}'}).render(SPEC, now=NOW)
