"""Templates reach nothing outside, and come to an end (F53, F54)."""

import re
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from types import CodeType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jinja2 import DictLoader

from lifecycle_mail.errors import InvalidTemplate, MailRefused
from lifecycle_mail.mails.budget import MAX_CHARACTERS, MAX_STEPS, Budget, charge
from lifecycle_mail.mails.kinds import Kind
from lifecycle_mail.mails.limits import MAX_BRANCHES, MAX_DEPTH, MAX_TOKENS
from lifecycle_mail.mails.loading import NAMES, Templates, shipped_source
from lifecycle_mail.mails.rendering import Renderer
from lifecycle_mail.mails.samples import BRAND, NOW
from lifecycle_mail.mails.sandbox import MAX_RANGE, MAX_SOURCE, Function, MailEnvironment, limited
from tests.mails.confined import Confinement, confinement
from tests.mails.rendered import LINKS, specifications

LINE = 3
"""The line on which what is tried begins."""


def around(tried: str) -> str:
    """Return a template that is fine but for what is tried."""
    return '{% extends "shipped/last-chance" %}\n{% block closing %}\n' + tried + "\n{% endblock %}\n"


def doubled(times: int, *names: str, of: str = "[0]") -> str:
    """Return lists that each hold the one before twice: in a few lines more entries than memory has bytes."""
    begun = "".join(f"{{% set {name} = {of} %}}" for name in names)
    return begun + "".join(f"{{% set {name} = [{name}, {name}] %}}" for name in names) * times


def long(name: str, length: int = 150_000, char: str = "a") -> str:
    """Return a long text under a name."""
    return f"{{% set {name} %}}{char * length}{{% endset %}}"


TOO_MANY = r"reads and makes more than 1,000,000 characters"
TOO_OFTEN = r"goes through more than 10,000 loops"
TOO_DEEP = r"nested too deeply"
TOO_LONG = r"10,000 names, numbers, signs and pieces of text fit"
FOR_EVER = r"calls itself without end"
LISTS = r"lists are not compared"
NO_CALL = r"is not to be called"
UNSAFE = r"is unsafe"

# What is tried, and what the refusal says of it.
OUTSIDE: dict[str, tuple[str, str]] = {
    "class": ("{{ ''.__class__ }}", UNSAFE),
    "class of a specification": ("{{ spec.__class__.__mro__ }}", UNSAFE),
    "class as an item": ("{{ spec['__class__'] }}", UNSAFE),
    "class as an item put together": ("{{ spec['__cl' ~ 'ass__'] }}", UNSAFE),
    "class as an item of a constant": ("{{ ''['__class__'] }}", UNSAFE),
    "slots of a specification": ("{{ spec.__slots__ }}", UNSAFE),
    "attr filter": ("{{ spec | attr('__class__') }}", "no filter 'attr'"),
    "map filter": ("{{ [spec] | map(attribute='__class__') | first }}", "no filter 'map'"),
    "format": ("{{ '{0.__class__}'.format(spec) }}", NO_CALL),
    "format by name": ("{{ '{a.__class__}'.format(a=spec) }}", NO_CALL),
    "format_map": ("{{ '{a.__class__}'.format_map(spec) }}", NO_CALL),
    "format filter": ("{{ '%s' | format(spec) }}", "no filter 'format'"),
    "percent": ("{{ '%s' % spec }}", "% is for whole numbers"),
    "format of Markup": ("{{ ('{0.__class__}' | e).format(spec) }}", NO_CALL),
    "format kept as a value": ("{% set f = '{0.__class__}'.format %}{{ f(spec) }}", NO_CALL),
    "format called back": ("{{ keep('x', caller='{0}'.format) }}", r"write \{% call"),
    "method called back": ("{{ point('thanks', caller='abc'.upper) }}", r"write \{% call"),
    "join": ("{{ ''.join(['a']) }}", NO_CALL),
    "join of a long text": (long("x") + "{{ x.join(x) }}", NO_CALL),
    "ljust": ("{{ 'a'.ljust(10 * 10000) }}", NO_CALL),
    "replace": ("{{ 'aa'.replace('a', 'aa') }}", NO_CALL),
    "encode": ("{{ 'a'.encode() }}", NO_CALL),
    "self": ("{{ self }}", "TemplateReference is not printed"),
    "inside of self": ("{{ self._TemplateReference__context }}", UNSAFE),
    "context of a block": ("{{ self.body._context }}", UNSAFE),
    "stack of a block": ("{{ self.body._stack }}", UNSAFE),
    "loop": ("{% for x in [1] %}{{ loop }}{% endfor %}", "LoopContext is not printed"),
    "inside of a loop": ("{% for x in [1] %}{{ loop._iterable }}{% endfor %}", UNSAFE),
    "step of a loop": ("{% for x in [1] %}{{ loop.__next__() }}{% endfor %}", UNSAFE),
    "caller": ("{% macro m() %}{{ caller.__init__ }}{% endmacro %}{% call m() %}{% endcall %}", UNSAFE),
    "caller that nobody gave": ("{{ caller() }}", "'caller' is undefined"),
    "globals of a macro": ("{% macro m() %}{% endmacro %}{{ m._func.__globals__ }}", UNSAFE),
    "environment of a macro": ("{% macro m() %}{% endmacro %}{{ m._environment }}", UNSAFE),
    "super without a block above": ("{% block own %}{{ super() }}{% endblock %}", "no parent block"),
    "inside of super": ("{{ super._context }}", UNSAFE),
    "cycler": ("{{ cycler('a', 'b').next() }}", "'cycler' is undefined"),
    "joiner": ("{{ joiner(', ')() }}", "'joiner' is undefined"),
    "namespace": ("{% set n = namespace(x=1) %}", "'namespace' is undefined"),
    "dict": ("{{ dict(a=1) }}", "'dict' is undefined"),
    "lipsum": ("{{ lipsum(n=1000) }}", "'lipsum' is undefined"),
    "literal dict": ("{{ {'a': 1}.a }}", "has no dict"),
    "a set attribute": ("{% set spec.kind = 1 %}", "namespace"),
    "context": ("{{ context }}", "'context' is undefined"),
    "environment": ("{{ environment }}", "'environment' is undefined"),
    "what a function hides": ("{{ greeting._function }}", UNSAFE),
    "what a function is": ("{% set g = greeting %}{{ g.function }}", "g has no 'function'"),
    "function as a text": ("{{ greeting | upper }}", "a Function is not printed"),
    "specification as a text": ("{{ spec | lower }}", "a LastChance is not printed"),
    "specification escaped": ("{{ spec | e }}", "a LastChance is not printed"),
    "specification put together": ("{{ '' ~ spec }}", "a LastChance is not printed"),
    "method": ("{{ brand.theme.of }}", "a method is not printed"),
    "method called": ("{{ brand.theme.of('#000000') }}", NO_CALL),
    "links": ("{{ url._links }}", UNSAFE),
    "keys": ("{{ url._links.tokens.keys }}", UNSAFE),
    "zone": ("{{ spec.to.zone.from_file }}", "is not printed"),
    "import of nothing": ("{% import 'os' as os %}", "no template 'os'"),
    "import of a file": ("{% import '../sandbox.py' as s %}", "no template '../sandbox.py'"),
    "include of a file": ("{% include '/etc/passwd' %}", "no template '/etc/passwd'"),
    "include of a number": ("{% include 5 %}", ""),
    "include of one of several": ("{% include ['x', 'mail'] %}", "written out"),
    "include of a name": ("{% include spec.to.name %}", "written out"),
    "from import": ("{% from 'x' import y %}", "no template 'x'"),
    "extends twice": ("{% extends 'mail' %}", ""),
    "autoescape off": ("{% autoescape false %}<b>{% endautoescape %}", "no autoescape switch"),
    "safe": ("{{ '<b>' | safe }}", "no filter 'safe'"),
    "Markup": ("{{ Markup('<b>') }}", "'Markup' is undefined"),
    "unescape": ("{{ ('<b>' | e).unescape() }}", NO_CALL),
    "striptags": ("{{ ('<b>' | e).striptags() }}", NO_CALL),
    "varargs": ("{% macro m() %}{{ varargs }}{% endmacro %}{{ m(1) }}", "varargs is not there"),
    "kwargs": ("{% macro m() %}{{ kwargs }}{% endmacro %}{{ m(a=1) }}", "kwargs is not there"),
    "arguments by star": ("{{ range(*[1, 2]) }}", r"without \* and \*\*"),
    "arguments by two stars": ("{{ _('a', **spec) }}", r"without \* and \*\*"),
    "an argument twice": ("{{ _('a', b='1', b='2') }}", "given twice"),
    "an argument of the compiler": ("{% for x in [1] %}{{ greeting(_loop_vars=1) }}{% endfor %}", "begins with _"),
    "a translated name": ("{{ _(spec.to.name) }}", r"_\(\) translates a sentence that is written out"),
    "a translated sum": ("{{ n_('a', spec.to.name, 1) }}", r"n_\(\) translates a sentence"),
    "the translator as a value": ("{% set t = _ %}{{ t(spec.to.name) }}", "for nothing else"),
    "the translator in a list": ("{{ [_, n_][0](spec.to.name) }}", "for nothing else"),
    "another translator": ("{% set _ = greeting %}", "for nothing else"),
    "debug": ("{% debug %}", "unknown tag 'debug'"),
    "do": ("{% do x %}", "unknown tag 'do'"),
    "trans": ("{% trans %}a{% endtrans %}", "unknown tag 'trans'"),
    "break": ("{% for x in [1] %}{% break %}{% endfor %}", "unknown tag 'break'"),
    "half a character": ("\ud800", "surrogates|U\\+D800"),
    "half a character spelt": (r"{{ '\ud800' }}", "surrogates|U\\+D800"),
    "NUL": ("\0", "U\\+0000"),
    "NUL spelt": (r"{{ '\x00' }}", "U\\+0000"),
    "NUL in a name": ("{{ a\0b }}", "unexpected char"),
    "escape": (r"{{ '\x1b[2J' }}", "U\\+001B"),
    "a number without end": ("{% set x = 1e999 %}{{ x }}", "numbers go up to"),
    "a fraction": ("{{ 1.5 }}", "numbers are whole"),
    "a share": ("{{ 1 / 2 }}", "a float is not printed"),
    "a flag": ("{{ true }}", "a bool is not printed"),
    "nothing": ("{{ none }}", "nothing is there"),
    "a list": ("{{ [1] }}", "a list is not printed"),
    "a module": ("{{ part }}", "a TemplateModule is not printed"),
    "a module as a text": ("{{ part | upper }}", "a TemplateModule is not printed"),
    "an unknown name": ("{{ unknown }}", "'unknown' is undefined"),
    "an unknown test": ("{{ 1 if 1 is eq(1) }}", "no test 'eq'"),
    "a sum of texts": ("{{ 'a' + 'b' }}", r"\+ is for whole numbers"),
    "a text times a number": ("{{ 'a' * 100000000 }}", r"\* is for whole numbers"),
    "a list times a number": ("{{ [1] * 100000000 }}", r"\* is for whole numbers"),
    "a power": ("{{ 10 ** 10 ** 10 }}", "no pow"),
    "a day plus a number": ("{{ spec.deadline + 1 }}", r"\+ is for whole numbers"),
    "divided by nothing": ("{{ 1 // 0 }}", "//"),
    "a number that is a text": ("{{ number('1e9999999') }}", ""),
    "a number that is too long": ("{{ number(0x" + "f" * 5000 + ") }}", "numbers go up to"),
    "a number below all": ("{{ -0x" + "f" * 5000 + " }}", "numbers go up to"),
    "a day that is none": ("{{ day('2026') }}", "is not a day"),
    "an instant that is none": ("{{ moment(spec.deadline) }}", "is not an instant"),
    "money that is none": ("{{ money('4.03') }}", ""),
    "a sentence without its value": ("{{ _('Hello %(name)s') }}", "no value for name"),
    "a sentence with a list": ("{{ _('Hello %(name)s', name=spec.deadline) }}", "name is a date"),
    "a number that is none": ("{{ n_('one', 'many', 'x') }}", "the number decides the form"),
    "a text out of its range": ("{{ 'abc'[5] }}", ""),
    "a bad cut": ("{{ spec[1:2] }}", "cannot be cut"),
    "a cut without a step": ("{{ 'abc'[::0] }}", "slice step"),
    "even of a text": ("{{ 1 if '%0999999999d' is even }}", "whole numbers are even"),
    "odd of a text": ("{{ 1 if '%0999999999d' is odd }}", "whole numbers are even"),
    "divisibleby of a text": ("{{ 1 if '%0999999999d' is divisibleby 3 }}", "whole numbers are even"),
    "divisible by nothing": ("{{ 1 if 1 is divisibleby 0 }}", ""),
}

ENDLESS: dict[str, tuple[str, str]] = {
    "a range": ("{% for i in range(10 * 10 * 10 * 1000) %}{% endfor %}", "range of 1,000,000"),
    "a range beyond numbers": ("{% for i in range(0x" + "f" * 100 + ") %}{% endfor %}", "numbers go up to"),
    "numbers that grow": ("{% set a = 10 * 10 %}" + "{% set a = a * a %}" * 8, "grows beyond"),
    "two loops": ("{% for i in range(1000) %}{% for j in range(1000) %}{% endfor %}{% endfor %}", TOO_OFTEN),
    "a loop over a text": (long("x") + "{% for c in x %}{% endfor %}", TOO_OFTEN),
    "a loop over nothing that it keeps": (long("x") + "{% for c in x if false %}{% endfor %}", TOO_OFTEN),
    "a loop that prints": ("{% for i in range(1000) %}" + "a" * 2000 + "{% endfor %}", TOO_MANY),
    "a loop that prints a constant": ("{% for i in range(1000) %}{{ '" + "a" * 2000 + "' }}{% endfor %}", TOO_MANY),
    "a loop that prints a number": (
        "{% for i in range(1000) %}" + "{{ 999999999999999 }}" * 200 + "{% endfor %}",
        TOO_MANY,
    ),
    "a loop that prints a name": (long("x", 2000) + "{% for i in range(1000) %}{{ x }}{% endfor %}", TOO_MANY),
    "a loop that asks": (
        "{% for i in range(1000) %}" + "{% if spec.to.name %}{% endif %}" * 900 + "{% endfor %}",
        TOO_MANY,
    ),
    "a loop that calls": (
        "{% for i in range(1000) %}" + "{% if greeting() %}{% endif %}" * 30 + "{% endfor %}",
        TOO_MANY,
    ),
    "a loop whose else is long": (
        "{% for i in range(1000) %}{% for j in [] %}{% else %}" + "a" * 2000 + "{% endfor %}{% endfor %}",
        TOO_MANY,
    ),
    "a loop that loops": ("{% for x in [1] recursive %}{{ loop([1, 1]) }}{% endfor %}", f"{FOR_EVER}|{TOO_OFTEN}"),
    "a macro": ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", FOR_EVER),
    "two macros": (
        "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{{ a() }}",
        f"{FOR_EVER}|undefined",
    ),
    "a macro twice": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(30) }}",
        TOO_OFTEN,
    ),
    "a macro that is given more": (
        "{% macro m(x) %}{{ m(x | e | title) }}{% endmacro %}{{ m('" + "&" * 100_000 + "') }}",
        TOO_MANY,
    ),
    "a macro that puts together": ("{% macro m(x) %}{{ m(x ~ x) }}{% endmacro %}{{ m('ab') }}", TOO_MANY),
    "a macro with a long default": (
        "{% macro m(x='" + "a" * 2000 + "') %}{{ x }}{% endmacro %}" + "{{ m() }}" * 1000,
        TOO_MANY,
    ),
    "a call block": (
        "{% macro m() %}{{ caller() }}{% call m() %}{% endcall %}{% endmacro %}{% call m() %}{% endcall %}",
        FOR_EVER,
    ),
    "a block": ("{% block more %}{{ self.more() }}{% endblock %}", FOR_EVER),
    "the block that it is in": ("{{ self.closing() }}", FOR_EVER),
    "itself included": ("{% include 'last-chance' %}", f"{FOR_EVER}|{TOO_MANY}"),
    "itself imported": ("{% import 'last-chance' as x with context %}", FOR_EVER),
    "~": ("{% set a = 'ab' %}" + "{% set a = a ~ a %}" * 40, TOO_MANY),
    "~ of escaped": ("{% set a = 'ab' | e %}" + "{% set a = a ~ a %}" * 40, TOO_MANY),
    "block sets": ("{% set a = 'ab' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40, TOO_MANY),
    "block sets through a filter": ("{% set a = 'ab' %}" + "{% set a | e %}{{ a }}{{ a }}{% endset %}" * 40, TOO_MANY),
    "filter blocks": (long("x", 100_000) + "{% filter upper %}{{ x }}{% endfilter %}" * 100, TOO_MANY),
    "filters": (long("x", 100_000) + "{% if x | upper | lower | title %}{% endif %}" * 100, TOO_MANY),
    "filters of constants": (
        "{% for i in range(1000) %}{{ '" + "&" * 200 + "'" + " | e | title" * 20 + " }}{% endfor %}",
        TOO_MANY,
    ),
    "trim of much": (long("x", 100_000) + "{{ x | trim(x) }}", TOO_MANY),
    "wrap": (long("x", 50_000, "a ") + "{% if x | wrap %}{% endif %}" * 100, TOO_MANY),
    "cuts": (long("x", 100_000) + "{% set l = [" + "x[1:]," * 1000 + "] %}", TOO_MANY),
    "lines": (long("x", 100_000, "\n") + "{% set l = [" + "lines(x)," * 1000 + "] %}", TOO_MANY),
    "a name filled in often": (
        long("x", 1_000) + "{{ _('" + "%(a)s" * 10_000 + "', a=x) }}",
        TOO_MANY,
    ),
    "a name filled in often in a plural": (
        long("x", 1_000) + "{{ n_('" + "%(a)s" * 10_000 + "', 'b', 1, a=x) }}",
        TOO_MANY,
    ),
    "what stands in what": (
        long("x", 100_000) + long("y", 50_000) + "{% if (y ~ 'b') in x %}{% endif %}" * 100,
        TOO_MANY,
    ),
    "long texts compared": (
        long("x", 90_000) + long("y", 90_000) + "{% if x == y %}{% endif %}" * 100,
        TOO_MANY,
    ),
    "deep lists compared": (doubled(60, "a", "b") + "{% if a == b %}{% endif %}", LISTS),
    "deep lists in order": (doubled(60, "a", "b") + "{% if a < b %}{% endif %}", LISTS),
    "a deep list in a list": (doubled(60, "a", "b") + "{% if a in [b] %}{% endif %}", LISTS),
    "a deep list not in a list": (doubled(60, "a", "b") + "{% if a not in [b] %}{% endif %}", LISTS),
    "a deep list in between": (
        doubled(60, "a", "b") + "{% if 1 in [1, a] in [[1, b]] %}{% endif %}",
        "one `in` at a time",
    ),
    "a deep list that changed": (
        doubled(60, "a", "b") + "{% for x in [a, b] %}{% if loop.changed(x) %}{% endif %}{% endfor %}",
        LISTS,
    ),
    "a deep tuple as a key": (
        doubled(60, "a", of="(0, 0)").replace("[a, a]", "(a, a)") + "{{ spec.row.points[a] }}",
        "not by a tuple",
    ),
    "a deep tuple as a block": (
        doubled(60, "a", of="(0, 0)").replace("[a, a]", "(a, a)") + "{{ self[a] }}",
        "not by a tuple",
    ),
    "a deep list shown in a mistake": (doubled(60, "a") + "{{ 'abc'[a] }}", "not by a list"),
    "a deep list as a text": (doubled(60, "a") + "{{ a | upper }}", "a list is not printed"),
    "a deep list escaped": (doubled(60, "a") + "{{ a | e }}", "a list is not printed"),
    "a deep list put together": (doubled(60, "a") + "{{ a ~ '' }}", "a list is not printed"),
    "a deep list wrapped": (doubled(60, "a") + "{{ a | wrap }}", "a list is not printed"),
    "a deep list filled in": (doubled(60, "a") + "{{ _('%(a)s', a=a) }}", "no list"),
    "a deep list as a name": (doubled(60, "a") + "{% call keep(a) %}{% endcall %}", "no list"),
    "a deep list as a point": (doubled(60, "a") + "{% call point(a) %}{% endcall %}", "no list"),
    "a deep list as a day": (doubled(60, "a") + "{{ day(a) }}", "no list"),
    "a deep list as a number": (doubled(60, "a") + "{{ number(a) }}", "no list"),
    "a deep list as a count": (doubled(60, "a") + "{{ n_('a', 'b', a) }}", "no list"),
    "parentheses": ("{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", TOO_DEEP),
    "parentheses that end early": ("{{ " + "(" * 3000, TOO_DEEP),
    "lists in lists": ("{{ " + "[" * 3000 + "]" * 3000 + " }}", TOO_DEEP),
    "signs": ("{{ " + "-" * 3000 + "1 }}", TOO_DEEP),
    "not": ("{{ " + "not " * 3000 + "1 }}", TOO_DEEP),
    "a long sum": ("{{ 1" + " + 1" * 4_000 + " }}", TOO_DEEP),
    "a long chain of filters": ("{{ 'a'" + " | upper" * 4_000 + " }}", TOO_DEEP),
    "a long chain of attributes": ("{{ a" + ".a" * 4_000 + " }}", TOO_DEEP),
    "a long chain of calls": ("{{ a" + "()" * 4_000 + " }}", TOO_DEEP),
    "a long chain of and": ("{{ 1" + " and 1" * 4_000 + " }}", TOO_DEEP),
    "a long chain of if": ("{{ 1" + " if 1 else 1" * 2_000 + " }}", TOO_DEEP),
    "many branches": ("{% if 0 %}" + "{% elif 0 %}" * 1_200 + "{% endif %}", "1,200 branches"),
    "if in if": ("{% if 1 %}" * 3000 + "{% endif %}" * 3000, TOO_DEEP),
    "if in if as deep as Python indents": ("{% if 1 %}" * 120 + "{% endif %}" * 120, TOO_DEEP),
    "for in for": ("{% for x in [1] %}" * 25 + "{% endfor %}" * 25, TOO_DEEP),
    "with in with": ("{% with a = 1 %}" * 500 + "{% endwith %}" * 500, TOO_DEEP),
    "filter in filter": ("{% filter upper %}" * 500 + "{% endfilter %}" * 500, TOO_DEEP),
    "call in call": ("{% call point('thanks') %}" * 500 + "{% endcall %}" * 500, TOO_DEEP),
    "macro in macro": (
        "".join(f"{{% macro m{i}() %}}" for i in range(500)) + "{% endmacro %}" * 500,
        TOO_DEEP,
    ),
    "block in block": ("".join(f"{{% block b{i} %}}" for i in range(500)) + "{% endblock %}" * 500, TOO_DEEP),
    "many comparisons": ("{{ 1" + " < 1" * 40_000 + " }}", TOO_LONG),
    "many numbers": ("{% set l = [" + "1," * 90_000 + "] %}", TOO_LONG),
    "many parts put together": ("{{ 'a'" + "~'a'" * 40_000 + " }}", TOO_LONG),
    "many filters": ("{% set l = [" + "a|e," * 40_000 + "] %}", TOO_LONG),
    "many blocks": ("".join(f"{{%block b{i}%}}{{%endblock%}}" for i in range(6_000)), TOO_LONG),
    "many macros": ("{%macro m()%}{%endmacro%}" * 7_000, TOO_LONG),
    "many comments": ("{##}" * 45_000 + "{{ unknown }}", "'unknown' is undefined"),
    "a huge source": ("a" * MAX_SOURCE, "characters are too long"),
    "a huge comment": ("{#" + "a" * MAX_SOURCE + "#}", "characters are too long"),
    "an open comment": ("{#" * 50_000, "comment"),
    "an open text": ("{{ '" + "\\'" * 50_000, "unexpected char"),
    "an open tag": ("{{ " * 30_000, ""),
    "open tags": ("{% if " * 30_000, ""),
    "a number as long as a file": ("{{ " + "1" * 100_000 + " }}", ""),
    "a number with signs in it": ("{{ " + "1_" * 50_000 + "1 }}", ""),
    "a number that cannot be written": ("{{ 0x" + "f" * 100_000 + " }}", "numbers go up to"),
    "a name as long as a file": ("{{ " + "a" * 100_000 + " }}", "is undefined"),
    "a macro given its name twice": ("{% macro m(a, a) %}{% endmacro %}", ""),
    "a block twice": ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "defined twice"),
    "elements in elements": ("<div>" * 20_000, "elements are open"),
    "elements out of order": ("<p>" + "<b a=1>" * 50 + "</p><p>" * 5_000, "does not close"),
    "elements opened again": ("<b>" * 90 + "<br>" * 3_000, "are too many"),
    "rules in elements": (
        "<style>" + "b{--a:1}" * 10_000 + "</style>" + "<b>x</b>" * 5_000,
        "rules for .* tags are too many",
    ),
    "elements behind an open comment": ("<!--><div>" * 10_000 + "-->", "is no tag"),
    "elements behind half a quote": ("<b a=x\"y><div title='>" * 5_000, "is no tag"),
    "elements behind a script": ("<script>'</script>" + "<div>" * 10_000, "mailboxes drop <script>"),
}
WITHOUT_LINE = re.compile(
    TOO_DEEP + "|cannot be read|U\\+|characters are too long|elements are|does not close|are too many|is no tag|drop"
)
"""Refusals of what no one line does."""

TRIED = {
    **{f"outside: {name}": row for name, row in OUTSIDE.items()},
    **{f"endless: {n}": r for n, r in ENDLESS.items()},
}


@pytest.fixture(scope="module")
def confined() -> Iterator[Confinement]:
    """Return what renders templates in processes of their own."""
    with confinement() as program:
        yield program


@pytest.mark.parametrize("name", TRIED)
def test_a_hostile_template_is_refused(name: str, confined: Confinement) -> None:
    """Whatever is tried, it is an `InvalidTemplate` with the template, its line, and why, in little memory and time."""
    found = confined.outcome({"kind": "last-chance", "templates": {"last-chance": around(TRIED[name][0])}})
    assert "InvalidTemplate" == found["error"], found
    assert re.search(TRIED[name][1], found["reason"], re.DOTALL), found
    assert "last-chance" == found["at"]
    least = 1 if re.search(f"{FOR_EVER}|non-namespace", TRIED[name][1] + found["reason"]) else LINE
    assert WITHOUT_LINE.search(found["reason"]) or least <= found["line"], found


ELSEWHERE = [
    ("it extends itself", {"last-chance": '{% extends "last-chance" %}'}, "last-chance", 1, FOR_EVER),
    ("a layout that extends itself", {"mail.html": '{% extends "mail.html" %}'}, "mail.html", 1, FOR_EVER),
    ("two that extend each other", {"survey": '{% extends "goodbye" %}', "goodbye": '\n{% extends "survey" %}'},
     "", None, f"{FOR_EVER}|does not keep|keeps no"),
    ("parts that import themselves", {"parts.text": '\n{% import "parts" as part with context %}'}, "parts.text", 2,
     FOR_EVER),
    ("a layout with a mistake", {"mail.html": "\n\n{{ nothing }}"}, "mail.html", 3, "'nothing' is undefined"),
    ("a layout that cannot be read", {"mail.html": "\n\n{{ nothing"}, "mail.html", 3, "unexpected end"),
    ("parts with a mistake", {"parts.html": "\n{% macro p(text) %}\n{{ x }}\n{% endmacro %}"}, "parts.html", 3,
     "'x' is undefined"),
    ("an empty template", {"last-chance": ""}, "last-chance", None, "keeps no preheader and no subject"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("templates", "at", "line", "reason"), [row[1:] for row in ELSEWHERE], ids=[row[0] for row in ELSEWHERE]
)
def test_the_template_that_is_wrong_is_named(templates: dict[str, str], at: str, line: int | None, reason: str) -> None:
    """Of a layout, of parts, and of templates that lead to each other, the file with the mistake is named."""
    kind = next((Kind(name) for name in templates if name in list(Kind)), Kind.LAST_CHANCE)
    with pytest.raises(InvalidTemplate, match=reason) as refused:
        Renderer(BRAND, links=LINKS, templates=templates).render(specifications("en")[kind], now=NOW)
    assert not at or (at, line) == (refused.value.template, refused.value.line)


def rendered(tried: str) -> str:
    """Return what a template writes between two marks, in plain text."""
    templates = {"last-chance": around(f"\u27e6{tried}\u27e7")}
    text = (
        Renderer(BRAND, links=LINKS, templates=templates).render(specifications("en")[Kind.LAST_CHANCE], now=NOW).text
    )
    return text.partition("\u27e6")[2].partition("\u27e7")[0]


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        ("{% for i in range(3) %}{{ loop.index }}{% endfor %}", "123"),
        ("{% for i in range(1000) %}{% endfor %}done", "done"),
        ("{% for a, b in [('x', 1), ('y', 2)] %}{{ a }}{{ b }}{% endfor %}", "x1y2"),
        ("{% for c in 'abc' if c != 'b' %}{{ c }}{% else %}none{% endfor %}", "ac"),
        ("{% for c in [] %}{{ c }}{% else %}none{% endfor %}", "none"),
        ("{% for i in range(4) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "abab"),
        ("{% for c in 'aab' %}{% if loop.changed(c) %}{{ c }}{% endif %}{% endfor %}", "ab"),
        ("{% for i in range(3) %}{{ i }}{% if not loop.last %}, {% endif %}{% endfor %}", "0, 1, 2"),
        ("{% for x in [1, 2] recursive %}{{ x }}{{ loop([3]) if x == 1 }}{% endfor %}", "132"),
        ("{% macro hi(name, sign='!') %}hi {{ name }}{{ sign }}{% endmacro %}{{ hi('Ada') }}{{ hi('Bo', sign='?') }}",
         "hi Ada!hi Bo?"),
        ("{% macro box() %}({{ caller() }}){% endmacro %}{% call box() %}in{% endcall %}", "(in)"),
        ("{% macro m() %}{{ caller(1) }}{{ caller(2) }}{% endmacro %}{% call(x) m() %}-{{ x }}{% endcall %}", "-1-2"),
        ("{% block inner %}a block{% endblock %}", "a block"),
        ("{% block inner %}again {% endblock %}{{ self.inner() }}", "again again "),
        ("{{ super() | trim }}", "Ines, Harbour"),
        ("{% if spec.to.name %}named{% elif 1 %}other{% else %}nobody{% endif %}", "named"),
        ("{{ 'yes' if spec.marketing is defined else 'no' }}", "no"),
        ("{% set x = 2 %}{{ x * 3 + 4 // 2 - 7 % 4 }}", "5"),
        ("{{ -2 * 3 }}", "-6"),
        ("{{ 'a' ~ 1 ~ 'b' }}", "a1b"),
        ("{{ 'abcdef'[1:4] }}{{ 'abc'[0] }}{{ 'abc'[-1] }}{{ 'abc'[::-1] }}", "bcdaccba"),
        ("{{ 'b' in 'abc' and 'd' not in 'abc' and 1 in [1, 2] and 1 < 2 <= 2 }}", None),
        ("{% if 'b' in 'abc' and 'd' not in 'abc' and 1 in [1, 2] and 1 < 2 <= 2 %}so{% endif %}", "so"),
        ("{% if 4 is even and 3 is odd and 9 is divisibleby 3 and x is undefined %}so{% endif %}", "so"),
        ("{{ unknown | default('else') }}{{ 'a' | upper }}{{ [1, 2] | length }}", "elseA2"),
        ("{{ ' x ' | trim }}{{ '..x' | trim('.') }}{{ 'a' if 0 }}", "xx"),
        ("{{ 'two words' | title }}{{ 'X' | lower }}{{ [1, 2] | first }}{{ [1, 2] | last }}{{ 'ab' | capitalize }}",
         "Two Wordsx12Ab"),
        ("{% filter upper %}loud{% endfilter %}", "LOUD"),
        ("{% set x %}kept{% endset %}{{ x }}", "kept"),
        ("{% set x | upper %}kept{% endset %}{{ x }}", "KEPT"),
        ("{% with a = 1, b = 2 %}{{ a }}{{ b }}{% endwith %}", "12"),
        ("{% raw %}{{ not read }}{% endraw %}", "{{ not read }}"),
        ("{# said to nobody #}a", "a"),
        ("{% include 'parts' %}", ""),
        ("{% from 'parts' import signed with context %}{{ signed('Bo') | trim }}", "Bo"),
        ("{% set g = greeting %}{{ g() }}", "Hello Ada Lovelace,"),
        ("{{ _('100 %% of %(a)s', a='<b>') }}", "100 % of <b>"),
        ("{{ n_('%(n)s day', '%(n)s days', 1, n=1) }}, {{ n_('%(n)s day', '%(n)s days', 2, n=2) }}", "1 day, 2 days"),
        ("{{ number(1234567) }} {{ day(spec.deadline) }}", "1,234,567 March 10, 2026"),
        ("{{ days_until(spec.deadline) }} {{ days_since(spec.deadline) }}", "7 -7"),
        ("{% if 1 %}" * 20 + "deep" + "{% endif %}" * 20, "deep"),
        ("{% if 0 %}" + "{% elif 0 %}" * MAX_BRANCHES + "{% else %}last{% endif %}", "last"),
    ],
)  # fmt: skip
def test_what_templates_need_works(tried: str, expected: str | None) -> None:
    """Loops, macros, call blocks, blocks with super, conditions, sums of numbers and all filters work as in Jinja2."""
    if expected is None:
        with pytest.raises(InvalidTemplate, match="a bool is not printed"):
            rendered(tried)
    else:
        assert " ".join(expected.split()) == " ".join(rendered(tried).split())


def test_what_a_filter_makes_stays_escaped() -> None:
    """In HTML, a text is escaped once however it is filtered, put together, cut, or passed through a macro."""
    tried = (
        "{% macro same(x) %}{{ x }}{% endmacro %}{% set x = '<i>&' %}"
        "\u27e6{{ x }}|{{ x | e }}|{{ x | upper | lower }}|{{ x ~ '' }}|{{ x | e ~ x }}|{{ x[:1] }}|{{ same(x) }}|"
        "{{ _('%(x)s', x=x) }}|{{ _('%(x)s', x=x | e) }}|{{ (x | e)[:2] }}|{{ x | trim }}|{{ x | wrap }}\u27e7"
    )
    templates = {"last-chance": around(tried)}
    html = (
        Renderer(BRAND, links=LINKS, templates=templates).render(specifications("en")[Kind.LAST_CHANCE], now=NOW).html
    )
    once = "&lt;i&gt;&amp;"
    expected = [once, once, once, once, once * 2, "&lt;", once, once, once, "&amp;l", once, once]
    assert expected == html.partition("\u27e6")[2].partition("\u27e7")[0].split("|")


# --- the laws of a budget


def written(source: str, *, html: bool = False, **values: Any) -> tuple[str, Budget]:
    """Render a template alone, and return what it wrote and what is left of its budget."""
    environment = MailEnvironment(DictLoader({"it": source}), html=html, filters={"wrap": str})
    with limited("it") as budget:
        said = environment.get_template("it").render(values)
    return said, budget


def test_the_second_mail_is_charged_as_the_first() -> None:
    """Reading a template costs nothing: what is left does not depend on which mail is the first."""
    environment = MailEnvironment(
        DictLoader({"it": "{{ 'abc' | upper }}{{ 5 }}{{ 'x' ~ 'y' }}"}), html=True, filters={}
    )
    left = set()
    for _ in range(3):
        with limited("it") as budget:
            assert "ABC5xy" == environment.get_template("it").render()
        left.add((budget.characters, budget.steps))
    assert 1 == len(left)


OWN = {"survey": '{% extends "shipped/survey" %}{% block closing %}CLOSING{% endblock %}'}


def code_of(template: str, *, html: bool, own: dict[str, str]) -> CodeType:
    """Return what a template is compiled to in an environment that is new."""
    loader = Templates(own, form="html" if html else "text")
    made = MailEnvironment(loader, html=html, filters={"wrap": str}).get_template(template)
    return made.root_render_func.__code__


@pytest.mark.parametrize("name", ["survey", "shipped/survey", "mail", "parts"])
@pytest.mark.parametrize("html", [True, False])
def test_what_ships_is_compiled_once_for_all(name: str, html: bool) -> None:
    """Every renderer uses the same code, one of somebody's own templates too; the other part of a mail has its own."""
    once = code_of(name, html=html, own={})
    assert once is code_of(name, html=html, own={"goodbye": "x"})
    assert once is not code_of(name, html=not html, own={})


def test_what_somebody_wrote_is_compiled_for_them_alone() -> None:
    """The same name leads each to their own text; nothing of it is kept, and what ships stays what it is."""
    shipped = code_of("survey", html=True, own={})
    theirs = [code_of("survey", html=True, own={"survey": OWN["survey"].replace("CLOSING", word)}) for word in "ab"]
    assert 3 == len({id(one) for one in (shipped, *theirs)})
    assert shipped is code_of("survey", html=True, own={})
    assert shipped is not code_of("shipped/survey", html=True, own=OWN)  # which knows itself by that name


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("tried", ["true", "none", "[1]", "1.5", "(1, 2)", "1 == 1", "1 is odd"])
def test_what_is_no_text_is_printed_in_neither_part(tried: str, html: bool) -> None:
    """A constant is held to the same as a value, in plain text and in HTML."""
    with pytest.raises(InvalidTemplate, match=r"is not printed|to be printed|numbers are whole"):
        written(f"{{{{ {tried} }}}}", html=html)


def test_a_budget_is_for_one_mail() -> None:
    """The ten-thousandth mail has as much to spend as the first."""
    for _ in range(3):
        said, _ = written("{% for i in range(900) %}" + "a" * 900 + "{% endfor %}")
        assert 810_000 == len(said)


def test_just_enough_is_let_through() -> None:
    """What stays within the limits is rendered: steps, characters, ranges, depth, branches."""
    said, budget = written("{% for i in range(1000) %}{% endfor %}" * (MAX_STEPS // MAX_RANGE - 1))
    assert ("", 1_000 - 1) == (said, budget.steps)
    said, _ = written("{{ '" + "a" * (MAX_SOURCE - 10) + "' }}")
    assert MAX_SOURCE - 10 == len(said)
    assert "1" == written("{{ " + "(" * 50 + "1" + ")" * 50 + " }}")[0]
    assert "1" == written("{{ " + "-" * 40 + "1 }}")[0]
    with pytest.raises(InvalidTemplate, match="nested too deeply"):
        written("{{ " + "-" * MAX_DEPTH + "1 }}")


def test_the_tokens_of_a_template_are_counted() -> None:
    """As many as fit are read, beside any comments; of one more the template, its line and the limit are told."""
    fits = "{# said to nobody #}" * 5_000 + "{{ 1 }}\n\n" * (MAX_TOKENS // 4)
    assert MAX_TOKENS // 4 == written(fits)[0].count("1")
    with pytest.raises(InvalidTemplate, match=rf"^it:{MAX_TOKENS // 2 + 1}: it is too long: 10,000 names"):
        written(fits + "{{ 1 }}")


LONGER = ["\u00df", "\u0390", "\ufb03", "\u0130", "\u0149", "<", "&", "'", "\t"]
"""Characters of which a filter, or escaping, makes several."""


@pytest.mark.parametrize("html", [True, False])
@pytest.mark.parametrize("name", sorted({"upper", "lower", "title", "capitalize", "e", "trim", "wrap"}))
def test_a_filter_is_charged_for_what_it_makes(name: str, html: bool) -> None:
    """Whatever it makes of a text: what it reads and what it makes is counted, and what is printed then."""
    made: list[str] = []
    keep = Function(lambda text: made.append(text) or "")  # type: ignore[func-returns-value]
    for char in LONGER:
        environment = MailEnvironment(
            DictLoader({"it": f"{{{{ keep(x | {name}) }}}}"}), html=html, filters={"wrap": lambda x: x.expandtabs()}
        )
        with limited("it") as budget:
            environment.get_template("it").render(x=char * 1_000, keep=keep)
        spent = MAX_CHARACTERS - budget.characters
        assert 1_000 + len(made[-1]) <= spent <= 1_000 + len(made[-1]) + 100


def test_nothing_is_charged_outside_a_rendering() -> None:
    """A function that charges can be called where no template is at work."""
    charge(10 * MAX_CHARACTERS)
    said, budget = written("{{ f() }}", f=Function(lambda: charge(100) or ""))  # type: ignore[func-returns-value]
    assert "" == said
    assert MAX_CHARACTERS - 100 > budget.characters > MAX_CHARACTERS - 250


def test_memory_is_bounded() -> None:
    """The worst that is let through needs some ten times what it may make, and none of it stays."""
    tracemalloc.start()
    try:
        for tried in ("{{ x ~ x ~ x }}", "{% set l = [x[1:], x[1:], x[1:]] %}", "{{ lines }}", "{{ x | e | upper }}"):
            with pytest.raises(InvalidTemplate):
                written(tried * 50, html=True, x="&" * 300_000)
        now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 20 * MAX_CHARACTERS > peak
    assert 5 * MAX_CHARACTERS > now


# --- whatever somebody writes

NAMES_IN_USE = [
    "x",
    "y",
    "s",
    "n",
    "l",
    "loop",
    "self",
    "caller",
    "super",
    "f",
    "part",
    "spec",
    "_",
    "__class__",
    "varargs",
]
TEXTS = ["", "a", "ab c", "&<>'", "%(a)s", "%s", "{}", "{0.__class__}", "\u0130\u00df", "\n\n", "0", "100%", "1e9"]


FILTERS_TRIED = ["e", "upper", "title", "length", "first", "last", "trim", "default", "wrap", "safe", "capitalize"]
FILTERS_TRIED += ["trim('a')", "default(x)", "d(x, true)", "e | title | e | title"]
TESTS_TRIED = ["defined", "none", "even", "odd", "divisibleby(n)", "eq(x)", "string", "number", "in(l)"]
ATTRIBUTES_TRIED = ["upper", "format", "index", "function", "x", "__class__", "a"]
BETWEEN = ["+", "-", "*", "/", "//", "%", "**", "~", "and", "or", "==", "!=", "<", ">=", "in", "not in"]


def expressions(deeper: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Build an expression out of others."""
    names = st.sampled_from(NAMES_IN_USE)
    several = st.lists(deeper, max_size=3).map(", ".join)
    return st.one_of(
        st.builds("({} {} {})".format, deeper, st.sampled_from(BETWEEN), deeper),
        st.builds("({}{})".format, st.sampled_from(["-", "+", "not "]), deeper),
        st.builds("{}.{}".format, deeper, st.sampled_from(ATTRIBUTES_TRIED)),
        st.builds("{}[{}]".format, deeper, deeper),
        st.builds("{}[{}:{}]".format, deeper, deeper, deeper),
        st.builds("[{}]".format, several),
        st.builds("({},)".format, several),
        st.builds("({} if {} else {})".format, deeper, deeper, deeper),
        st.builds("({} if {})".format, deeper, deeper),
        st.builds("({} | {})".format, deeper, st.sampled_from(FILTERS_TRIED)),
        st.builds("({} is {})".format, deeper, st.sampled_from(TESTS_TRIED)),
        st.builds("{}({})".format, st.one_of(names, deeper), several),
        st.builds("{}({}, a={})".format, names, deeper, deeper),
    )


EXPRESSIONS = st.recursive(
    st.one_of(
        st.sampled_from(NAMES_IN_USE),
        st.sampled_from(TEXTS).map(repr),
        st.integers(-3, 10**16).map(str),
        st.sampled_from(["true", "none", "1.5", "[]", "range(3)", "range(500)", "s", "l"]),
    ),
    expressions,
    max_leaves=8,
)


def statements(deeper: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Build a part of a template out of others."""
    names = st.sampled_from(["x", "y", "m", "b1", "b2", "_", "loop"])
    return st.one_of(
        st.tuples(deeper, deeper).map("".join),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, deeper, deeper),
        st.builds("{{% for {} in {} %}}{}{{% endfor %}}".format, names, EXPRESSIONS, deeper),
        st.builds(
            "{{% for x in {} if {} %}}{}{{% else %}}{}{{% endfor %}}".format, EXPRESSIONS, EXPRESSIONS, deeper, deeper
        ),
        st.builds(
            "{{% for x in {} recursive %}}{}{{{{ loop({}) }}}}{{% endfor %}}".format, EXPRESSIONS, deeper, EXPRESSIONS
        ),
        st.builds("{{% set {} = {} %}}".format, names, EXPRESSIONS),
        st.builds("{{% set {} %}}{}{{% endset %}}".format, names, deeper),
        st.builds("{{% macro m(x={}) %}}{}{{% endmacro %}}{{{{ m({}) }}}}".format, EXPRESSIONS, deeper, EXPRESSIONS),
        st.builds("{{% call m({}) %}}{}{{% endcall %}}".format, EXPRESSIONS, deeper),
        st.builds("{{% block {} %}}{}{{% endblock %}}".format, names, deeper),
        st.builds(
            "{{% filter {} %}}{}{{% endfilter %}}".format, st.sampled_from(["upper", "e", "wrap", "title"]), deeper
        ),
        st.builds("{{% with x = {} %}}{}{{% endwith %}}".format, EXPRESSIONS, deeper),
    )


TEMPLATES = st.recursive(
    st.one_of(
        st.text(max_size=10),
        st.sampled_from(["{%", "{{", "}}", "%}", "{#", "#}", "{%-", "-%}", "\n", "{% endif %}", "{% include 'it' %}",
            "{% extends 'it' %}", "{% import 'it' as y %}", "{% from 'it' import m %}", "{% raw %}", "{{ m() }}",
            "{{ self.b1() }}", "{% autoescape false %}", "{{ s ~ s }}", "{% set s = s ~ s %}"]),
        EXPRESSIONS.map("{{{{ {} }}}}".format),
    ),
    statements,
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=400)
@given(TEMPLATES, st.booleans())
@example("{% set s = s ~ s %}" * 12 + "{{ s }}", True)
@example("{% macro m(x) %}{{ m(x) }}{% endmacro %}{{ m(1) }}", False)
def test_whatever_is_written_is_rendered_within_its_budget_or_refused(source: str, html: bool) -> None:
    """Nothing but `InvalidTemplate` comes out of a template, and what it made was paid for, escaping aside."""
    values: dict[str, Any] = {
        "x": "<&>", "y": [1, [2]], "s": "ab" * 500, "n": 3, "l": ["a", ["b"], ("c",)], "spec": specifications("en"),
        "f": Function(str.splitlines), "_": Function(lambda text, **_: text),
    }  # fmt: skip
    refused: InvalidTemplate | None = None
    try:
        said, budget = written(source, html=html, **values)
    except InvalidTemplate as error:
        refused = error
    if refused is not None:
        assert refused.line is None or 1 <= refused.line <= len(re.split("\r\n|\r|\n", source))
        return
    assert MAX_STEPS > budget.steps >= 0
    assert len(said.replace("&#39;", "'").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")) <= (
        MAX_CHARACTERS - budget.characters
    )
    assert "__class__" not in said or "__class__" in source


@settings(max_examples=50)
@given(st.sampled_from(NAMES), TEMPLATES)
def test_whatever_replaces_a_template_gives_a_mail_or_a_refusal(name: str, source: str) -> None:
    """A renderer gives a mail that can be sent, or says which template is wrong or what the mail lacks."""
    kind = Kind(name) if name in list(Kind) else Kind.LAST_CHANCE
    shipped = shipped_source(name)
    within = shipped.replace("{% endblock %}", source + "{% endblock %}", 1)
    for own in (source, shipped + source, within, around(source).replace("last-chance", str(kind))):
        renderer = Renderer(BRAND, links=LINKS, templates={name: own})
        with suppress(InvalidTemplate, MailRefused):
            assert renderer.render(specifications("en")[kind], now=NOW).to_message().as_bytes()
