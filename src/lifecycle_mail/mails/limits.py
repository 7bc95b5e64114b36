"""What a template may hold, and the charges that are put into it before it is compiled.

See `lifecycle_mail.mails.sandbox` for what they are for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NoReturn

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import Token

MAX_TOKENS: Final = 10_000
"""Names, numbers, signs and pieces of text of one template; those that ship have a few hundred. To read and compile
each takes as long as thousands of characters of plain text."""
MAX_DEPTH: Final = 60
"""How deep what stands in a template may be nested."""
MAX_BRANCHES: Final = 100
"""Branches of one `if`."""
MAX_LOOPS: Final = 12
"""Loops one in another; Python takes twenty."""
MAX_NUMBER: Final = 10**15
"""The highest number that is written or calculated."""

CHARGE: Final = "lifecycle_mail charge"  # no template can spell these: they have a space
JOIN: Final = "lifecycle_mail join"
SCALAR: Final = "lifecycle_mail scalar"
SEVERAL: Final = "lifecycle_mail several"
CUT: Final = "lifecycle_mail cut"

_REPEATED = (nodes.Template, nodes.For, nodes.Macro, nodes.CallBlock, nodes.Block)
_FORBIDDEN = (nodes.EvalContextModifier, nodes.ScopedEvalContextModifier, nodes.Pow, nodes.Dict)


def few_enough(tokens: Iterable[Token], name: str | None, filename: str | None) -> Iterator[Token]:
    """Give the tokens of a template on, as far as they go.

    Args:
        tokens: read one by one, so that reading ends with the one that is too many.
        name, filename: of the template, for messages.

    Raises:
        TemplateSyntaxError: there are more than a template may have.
    """
    for count, token in enumerate(tokens, start=1):
        if count > MAX_TOKENS:
            reason = f"it is too long: {MAX_TOKENS:,} names, numbers, signs and pieces of text fit into a template"
            raise TemplateSyntaxError(reason, token.lineno, name, filename)
        yield token


def put_limits(tree: nodes.Template, environment: Environment, name: str | None, filename: str | None) -> None:
    """Put the charges into a template, and find what it may not hold.

    Args:
        tree: the template as it was parsed; it is changed.
        environment: knows the filters and tests that there are.
        name, filename: of the template, for messages.

    Raises:
        TemplateSyntaxError: it holds something that no template of a mail may hold.
    """
    _Limits(environment, name, filename).visit(tree)


class _Limits:
    def __init__(self, environment: Environment, name: str | None, filename: str | None) -> None:
        self.environment = environment
        self.name = name
        self.filename = filename
        self.depth = 0
        self.loops = 0
        self.called: set[int] = set()

    def refuse(self, node: nodes.Node, reason: str) -> NoReturn:
        raise TemplateSyntaxError(reason, node.lineno, self.name, self.filename)

    def visit(self, node: nodes.Node) -> None:
        self.depth += 1
        self.loops += isinstance(node, nodes.For)
        if self.depth > MAX_DEPTH or self.loops > MAX_LOOPS:
            self.refuse(node, "it is nested too deeply")
        self.check(node)
        self.inside(node)
        self.loops -= isinstance(node, nodes.For)
        self.depth -= 1

    def inside(self, node: nodes.Node) -> None:
        for name, value in list(node.iter_fields()):
            if isinstance(value, nodes.Node):
                setattr(node, name, self.changed(value))
            elif isinstance(value, list):
                setattr(node, name, [self.changed(one) if isinstance(one, nodes.Node) else one for one in value])
        if isinstance(node, _REPEATED):
            self.charge(node)

    def changed(self, node: nodes.Node) -> nodes.Node:
        self.visit(node)
        line = node.lineno
        if isinstance(node, nodes.Concat):
            first, *rest = node.nodes
            return nodes.Filter(first, JOIN, rest, [], None, None, lineno=line)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            bounds = [one or nodes.Const(None, lineno=line) for one in (node.arg.start, node.arg.stop, node.arg.step)]
            return nodes.Filter(node.node, CUT, bounds, [], None, None, lineno=line)
        if isinstance(node, nodes.Compare):
            node.expr = self.charged(node.expr, SCALAR)
            for one in node.ops:
                one.expr = self.charged(one.expr, SEVERAL if one.op in ("in", "notin") else SCALAR)
        return node

    def charged(self, node: nodes.Expr, by: str) -> nodes.Expr:
        return nodes.Filter(node, by, [], [], None, None, lineno=node.lineno)

    def charge(self, node: nodes.Template | nodes.For | nodes.Macro | nodes.CallBlock | nodes.Block) -> None:
        """Begin a body, and what a loop does where there is nothing, with a charge for what stands in it."""
        price = self.charged(nodes.Const(_price(node), lineno=node.lineno), CHARGE)
        node.body.insert(0, nodes.ExprStmt(price, lineno=node.lineno))
        if isinstance(node, nodes.For) and node.test is not None:
            # It is asked for each entry, of those that are passed over too.
            price = self.charged(nodes.Const(_price(node.test), lineno=node.lineno), CHARGE)
            node.test = nodes.And(nodes.Not(price, lineno=node.lineno), node.test, lineno=node.lineno)

    def check(self, node: nodes.Node) -> None:
        if isinstance(node, _FORBIDDEN):
            what = type(node).__name__.lower()
            self.refuse(node, f"a mail's template has no {'autoescape switch' if 'modifier' in what else what}")
        if isinstance(node, nodes.Filter | nodes.FilterBlock):
            found = node if isinstance(node, nodes.Filter) else node.filter
            if found.name not in self.environment.filters:
                self.refuse(node, f"no filter {found.name!r}; there are {', '.join(self._filters())}")
        if isinstance(node, nodes.Test) and node.name not in self.environment.tests:
            self.refuse(node, f"no test {node.name!r}; there are {', '.join(sorted(self.environment.tests))}")
        if isinstance(node, nodes.Call | nodes.Filter | nodes.Test):
            if node.dyn_args or node.dyn_kwargs:
                self.refuse(node, "arguments are written one by one, without * and **")
            if len({one.key for one in node.kwargs}) < len(node.kwargs):
                self.refuse(node, "an argument is given twice")
            if any(str(one.key).startswith("_") for one in node.kwargs):
                self.refuse(node, "no argument begins with _")
        if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
            self.check_translated(node, node.node)
        if isinstance(node, nodes.Name) and node.name in _TRANSLATE and id(node) not in self.called:
            self.refuse(node, f'{node.name} translates, and is for nothing else: write _("Hello %(name)s,", name=...)')
        if isinstance(node, nodes.Const) and isinstance(node.value, float | int) and not abs(node.value) <= MAX_NUMBER:
            self.refuse(node, f"numbers go up to {MAX_NUMBER:,}")
        if isinstance(node, nodes.Const) and isinstance(node.value, float):
            self.refuse(node, "numbers are whole ones")
        if isinstance(node, nodes.Compare) and len(node.ops) > 1 and any("in" in one.op for one in node.ops):
            self.refuse(node, "ask one `in` at a time, and put `and` between them")
        if isinstance(node, nodes.If) and len(node.elif_) > MAX_BRANCHES:
            self.refuse(node, f"{len(node.elif_):,} branches are too many, {MAX_BRANCHES} fit")
        if isinstance(node, nodes.Name) and node.name in ("varargs", "kwargs"):
            self.refuse(node, f"a macro names its arguments; {node.name} is not there")
        if isinstance(node, nodes.Include | nodes.Import | nodes.FromImport | nodes.Extends) and not isinstance(
            node.template, nodes.Const
        ):
            self.refuse(node, "the name of another template is written out")

    def check_translated(self, node: nodes.Call, called: nodes.Name) -> None:
        if called.name not in _TRANSLATE:
            return
        # What came from somewhere else would be read for what to fill in (F55), and no catalogue has it.
        self.called.add(id(called))
        sentences = node.args[: _TRANSLATE[called.name]]
        written = [one for one in sentences if isinstance(one, nodes.Const) and isinstance(one.value, str)]
        if len(written) < _TRANSLATE[called.name]:
            self.refuse(node, f"{called.name}() translates a sentence that is written out")

    def _filters(self) -> list[str]:
        return sorted(name for name in self.environment.filters if " " not in name)


_TRANSLATE: Final = {"_": 1, "n_": 2}
"""The functions that translate, and how many sentences they take."""


def _price(node: nodes.Node) -> int:
    """Return the characters that stand somewhere, and one for each part of what is calculated there."""
    price = 0
    for one in (node, *node.find_all(nodes.Node)):
        price += 1
        if isinstance(one, nodes.TemplateData):
            price += len(one.data)
        elif isinstance(one, nodes.Const):
            price += len(one.value) if isinstance(one.value, str) else int(one.value or 0).bit_length() // 3
    return price
