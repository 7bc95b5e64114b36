"""Rendering a mail beside bare Jinja2 and css-inline, and memory over many.

Bare means: the templates that ship, the same values, and the same functions (translations, dates, signed links), in
plain Jinja2 with escaping, and css-inline on the HTML. There is no sandbox, no budget and no check of what came out,
and no mail is made beside its two parts.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from statistics import geometric_mean
from types import MappingProxyType
from typing import Any

import css_inline
from attrs import evolve
from jinja2 import Environment, StrictUndefined
from lib.timing import take_turns, timed, verdict

from lifecycle_mail.mails import Kind, LinkPurpose, Links, Renderer, Specification
from lifecycle_mail.mails.formats import Formats, locale_of
from lifecycle_mail.mails.links import Link
from lifecycle_mail.mails.loading import Templates
from lifecycle_mail.mails.rendering import _Recorded, _Voice, _wrap
from lifecycle_mail.mails.samples import BRAND, NOW, sample_reader, samples
from lifecycle_mail.mails.sandbox import Function
from lifecycle_mail.mails.urls import Urls
from lifecycle_mail.model.names import ContactId

LINKS = Links("https://mail.example.com/m", ["a signing key of 32 random bytes"])
BAR = 1.3
OWN_BLOCK = '{% block closing %}\n{{ part.signed("Ines") }}\n{% endblock %}'


def specifications() -> Mapping[Kind, Specification]:
    """Return a made-up mail of every kind, in Estonian."""
    link = Link(purpose=LinkPurpose.CONFIRM, contact_id=ContactId("c-17"), detail="made-up", signed_at=NOW)
    return samples(sample_reader("et"), confirm=LINKS.token(link))


class Bare:
    """Jinja2 without a sandbox, on the same templates, and css-inline; the module says what it does without.

    It takes what templates read and call from the renderer's own insides, so that both sides fill in the same.
    """

    def __init__(self, renderer: Renderer, templates: Mapping[str, str] = MappingProxyType({})) -> None:
        self.renderer = renderer
        self.templates = templates
        self.inliner = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)
        self.environments = {form: self._environment(form) for form in ("text", "html")}
        self.ready: dict[Kind, tuple[dict[str, Any], dict[str, Any]]] = {}

    def _environment(self, form: str) -> Environment:
        made = Environment(
            loader=Templates(self.templates, form=form),
            autoescape=form == "html",  # noqa: S701 - plain text is not escaped
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        made.filters["wrap"] = _wrap
        return made

    def values(self, spec: Specification) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return what the templates of both parts read and call."""
        chain = self.renderer._languages(spec.to.locale)
        plain, escaping = (self.renderer._translator(chain, html=html) for html in (False, True))
        locale = locale_of(spec.to.locale)
        if locale is None:
            raise SystemExit(f"no locale {spec.to.locale}")
        formats = Formats(locale, spec.to.zone)
        urls = Urls(spec, LINKS, plain, NOW)
        voice = _Voice(spec, BRAND, formats, NOW, language=str(locale))
        recorded = _Recorded()
        text, html = voice.context(plain, urls, recorded), voice.context(escaping, urls, recorded)
        html |= {"subject": "Subject", "preheader": "Preheader"}
        return _unguarded(text), _unguarded(html)

    def render(self, spec: Specification) -> str:
        """Render both parts, everything that they fill in made anew."""
        return self.fill(spec.kind, *self.values(spec))

    def again(self, spec: Specification) -> str:
        """Render both parts from values that are ready: links are signed once and for all, answers are remembered."""
        if spec.kind not in self.ready:
            text, html = self.values(spec)
            self.ready[spec.kind] = (_remembering(text), _remembering(html))
        return self.fill(spec.kind, *self.ready[spec.kind])

    def fill(self, kind: Kind, text: dict[str, Any], html: dict[str, Any]) -> str:
        """Render both parts from these values, and inline the HTML."""
        self.environments["text"].get_template(str(kind)).render(text)
        return self.inliner.inline(self.environments["html"].get_template(str(kind)).render(html))


def _unguarded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the functions themselves instead of what the sandbox lets templates call."""
    return {name: value._function if isinstance(value, Function) else value for name, value in values.items()}


def _remembering(values: Mapping[str, Any]) -> dict[str, Any]:
    def remember(function: Callable[..., Any]) -> Callable[..., Any]:
        known: dict[Any, Any] = {}

        def answer(*args: Any, **kwargs: Any) -> Any:
            if "caller" in kwargs:
                return function(*args, **kwargs)
            key = (args, tuple(kwargs.items()))
            if key not in known:
                known[key] = function(*args, **kwargs)
            return known[key]

        return answer

    return {name: remember(value) if callable(value) else value for name, value in values.items()}


def ratios(repeats: int, calls: int) -> None:
    """Measure every kind."""
    renderer = Renderer(BRAND, links=LINKS)
    bare = Bare(renderer)
    whole, ready = [], []
    print(f"{'kind':<24} {'ours':>9} {'bare':>9} {'ratio':>6}   {'all values ready':>16} {'ratio':>6}")
    for kind, spec in specifications().items():
        found = take_turns(
            {
                "ours": timed(lambda spec=spec: [renderer.render(spec, now=NOW) for _ in range(calls)]),  # type: ignore[misc]
                "bare": timed(lambda spec=spec: [bare.render(spec) for _ in range(calls)]),  # type: ignore[misc]
                "ready": timed(lambda spec=spec: [bare.again(spec) for _ in range(calls)]),  # type: ignore[misc]
            },
            repeats=repeats,
        )
        ours, same, least = (found[name].median / calls * 1e6 for name in ("ours", "bare", "ready"))
        whole.append(found["ours"].over(found["bare"]))
        ready.append(found["ours"].over(found["ready"]))
        print(f"{kind:<24} {ours:6.0f} us {same:6.0f} us {whole[-1]:5.2f}x   {least:13.0f} us {ready[-1]:5.2f}x")
    print(
        f"\nrendered and inlined / bare, the worst kind: {verdict(max(whole), BAR)}, mean {geometric_mean(whole):.2f}x"
    )
    print(f"... beside values that are ready, which bare does not make: mean {geometric_mean(ready):.2f}x")


def own_templates(repeats: int, calls: int) -> None:
    """Measure every kind with a block of one's own: what comes out is held against all that its reader is owed."""
    own = {str(kind): f'{{% extends "shipped/{kind}" %}}\n{OWN_BLOCK}' for kind in Kind}
    renderer = Renderer(BRAND, links=LINKS, templates=own)
    bare = Bare(renderer, own)
    found = []
    for spec in specifications().values():
        runs = {
            "ours": timed(lambda spec=spec: [renderer.render(spec, now=NOW) for _ in range(calls)]),  # type: ignore[misc]
            "bare": timed(lambda spec=spec: [bare.render(spec) for _ in range(calls)]),  # type: ignore[misc]
        }
        seen = take_turns(runs, repeats=repeats)
        found.append(seen["ours"].over(seen["bare"]))
    print(
        f"with a block of one's own, and judged in whole: the worst kind {max(found):.2f}x, "
        f"mean {geometric_mean(found):.2f}x"
    )


def memory(count: int) -> None:
    """Render so many mails one after the other, in a process of its own, and print its peak."""
    renderer = Renderer(BRAND, links=LINKS)
    spec = specifications()[Kind.LAST_CHANCE]
    people = (evolve(spec, to=evolve(spec.to, contact_id=ContactId(f"c{number}"))) for number in range(count))
    size = sum(len(mail.html) + len(mail.text) for mail in renderer.render_all(people, now=NOW))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count:>8,} mails, {size / 1e6:8.1f} MB of text: peak {peak:.1f} MiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=45)
    parser.add_argument(
        "--calls", type=int, default=8, help="mails a repeat; few, so that both sides of a turn meet the same machine"
    )
    parser.add_argument("--mails", type=int, default=10_000, help="mails of the measurement of memory")
    parser.add_argument("--only-memory", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only_memory:
        memory(given.only_memory)
        return
    ratios(given.repeats, given.calls)
    own_templates(max(3, given.repeats // 3), given.calls)
    print()
    for count in (given.mails // 10, given.mails):
        subprocess.run([sys.executable, __file__, "--only-memory", str(count)], check=True)


if __name__ == "__main__":
    main()
