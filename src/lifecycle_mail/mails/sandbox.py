"""Templates that cannot reach outside and cannot run without end.

Theory of operation
===================

People override templates, and a template is a program. Jinja2's sandbox keeps it from the insides of Python (F53).
Three more things are added here, so that a template may come from a database that an editor writes to.

**It can do less.** Only macros and the functions that the renderer gives are called, only the filters of `FILTERS`
and the tests of `TESTS` used, nothing switches escaping off, and what is printed or filtered is a text or a number: a
list, a flag or nothing at all is a mistake of the template's, and is said to be one. Lists are never compared, hashed
or shown: one that holds another twice, and so on, is as long as a number is high.

**It is charged for what it does** (F54). `Budget` counts characters and steps, the same on every machine, where a
clock would not be. Before a template is compiled, every body that may run more than once (of a loop, a macro, a
block, a file) is made to begin with a charge of one step, of the characters that stand in it, and of one more for
each part of what is calculated there; the condition of a loop is charged each time it is asked. Each value is charged
when it is printed, compared, cut or filtered. Whatever could make much of little is charged before it is made: `~` and
the filling-in of translations. Sums are of numbers, and of small ones; powers there are none. Nothing is calculated
when a template is compiled, so that its first mail is charged as its second is.

To read and compile a template takes time, too, which grows with what stands in it and not with its text alone: it
has `MAX_SOURCE` characters at most, and `MAX_TOKENS` tokens, which are counted while they are read.

**Its mistakes are named**: `InvalidTemplate` has the template and the line, whatever went wrong in it. What is not
there is told by the names that stand in the template, with near misses (`missing`).
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from types import CodeType
from typing import Any, Final, NoReturn

from jinja2 import (
    BaseLoader,
    BytecodeCache,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
    nodes,
)
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError
from jinja2.lexer import TokenStream
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from lifecycle_mail.errors import InvalidInput, InvalidTemplate, LifecycleMailError
from lifecycle_mail.mails.budget import (
    A_CALL,
    BUDGET,
    LISTS,
    Budget,
    charge,
    compared,
    cut,
    join,
    of_number,
    of_text,
    printed,
    require_there,
    scalar,
    several,
    step,
)
from lifecycle_mail.mails.limits import CHARGE, CUT, JOIN, MAX_NUMBER, SCALAR, SEVERAL, few_enough, put_limits
from lifecycle_mail.mails.missing import Missing, place_of, told

MAX_SOURCE: Final = 200_000
"""Characters of one template."""
MAX_RANGE: Final = 1_000
"""Entries of one range."""

FILTERS: Final = frozenset(
    {"capitalize", "count", "d", "default", "e", "escape", "first", "last", "length", "lower", "title", "trim", "upper"}
)
"""Those of Jinja2's filters that a mail needs."""

TESTS: Final = frozenset(
    {"boolean", "defined", "divisibleby", "even", "false", "integer", "none", "number", "odd", "string", "true"}
    | {"undefined"}
)
"""Those of Jinja2's tests that a mail needs."""

_OF_TEXTS: Final = ("capitalize", "e", "escape", "lower", "title", "trim", "upper")
_OF_NUMBERS: Final = ("divisibleby", "even", "odd")


class Function:
    """Marks what templates may call, beside macros.

    Args:
        function: called with what the template gives.
    """

    __slots__ = ("_function",)

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function.

        Raises:
            SecurityError: it was given something that it does not take.
        """
        if "caller" in kwargs and kwargs["caller"].__class__ is not Macro:
            raise SecurityError("write {% call ... %}: what a function calls back is what stands in the template")
        for value in args:
            if value.__class__ is not str and isinstance(value, _NOT_TAKEN):
                _refuse(value)
        for value in kwargs.values():
            if value.__class__ is not str and isinstance(value, _NOT_TAKEN):
                _refuse(value)
        charge(A_CALL)
        try:
            return self._function(*args, **kwargs)
        except InvalidInput as error:
            if "caller" in kwargs or isinstance(error, InvalidTemplate):
                raise
            raise SecurityError(str(error)) from None  # with the line that called it


_NOT_TAKEN: Final = (Undefined, *LISTS)


def _refuse(value: object) -> NoReturn:
    require_there(value)
    raise SecurityError("a function takes texts, numbers and days, one by one, and no list")


def _range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_RANGE:
        raise SecurityError(f"a range of {len(found):,}: {MAX_RANGE:,} are enough for a mail")
    return found


_PLAIN: Final[set[type]] = {TemplateModule}
"""Classes whose attributes are read at once: those that have been asked for and hold nothing but values."""


def _is_plain(kind: type) -> bool:
    """Whether a class is of this library: its attributes are values, and whatever else it has cannot be called."""
    found = kind.__module__.startswith("lifecycle_mail.")
    if found:
        _PLAIN.add(kind)
    return found


class _Compiler(CodeGenerator):
    """Leaves what is printed to be calculated, checked and charged when it is printed, also where it is constant.

    Whatever is read of something is asked for along with how the template says it, for what is not there.
    """

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def visit_Getattr(self, node: nodes.Getattr, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.getattr(")
        self.visit(node.node, frame)
        self.write(f", {node.attr!r}, {place_of(node.node)!r})")

    def visit_Getitem(self, node: nodes.Getitem, frame: Frame) -> None:  # noqa: N802 - Jinja2's name
        self.write("environment.getitem(")
        self.visit(node.node, frame)
        self.write(", ")
        self.visit(node.arg, frame)
        self.write(f", {place_of(node.node)!r}, {isinstance(node.arg, nodes.Const)})")


class _Compiled(BytecodeCache):
    """Keeps what the templates that ship are compiled to, which takes as long as thirty mails: all renderers share it.

    What somebody wrote is kept by their renderer alone, and goes with it.
    """

    def __init__(self) -> None:
        self.known: dict[str, CodeType | None] = {}

    def get_cache_key(self, name: str, filename: str | None = None) -> str:
        """Return the file, and the name that it was asked for by, which is part of the code."""
        return f"{filename} as {name}"

    def get_source_checksum(self, source: str) -> str:
        """Return the same for every source: what ships does not change, and the rest is not kept."""
        del source
        return ""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Find what was kept."""
        bucket.code = self.known.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template that ships."""
        if bucket.key.startswith(f"{_SOURCE}{_SHIPPED}"):
            self.known[bucket.key] = bucket.code


_COMPILED: Final = {True: _Compiled(), False: _Compiled()}
"""For HTML, where the code escapes, and for plain text."""


class MailEnvironment(ImmutableSandboxedEnvironment):
    """A sandbox with limits.

    Args:
        loader: where templates come from.
        html: whether what is printed is escaped for HTML.
        filters: further filters of texts.
    """

    code_generator_class = _Compiler
    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})

    def __init__(self, loader: BaseLoader, *, html: bool, filters: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(
            loader=loader, autoescape=html, undefined=Missing, finalize=printed, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False, cache_size=-1, optimized=False, bytecode_cache=_COMPILED[html],
        )  # fmt: skip
        self.filters = {name: found for name, found in self.filters.items() if name in FILTERS}
        self.filters |= {name: of_text(self.filters[name]) for name in _OF_TEXTS}
        self.filters |= {name: of_text(found) for name, found in filters.items()}
        self.filters |= {CHARGE: step, JOIN: join, SCALAR: scalar, SEVERAL: several, CUT: cut}
        tests: dict[str, Any] = {name: found for name, found in self.tests.items() if name in TESTS}
        self.tests = tests | {name: of_number(tests[name]) for name in _OF_NUMBERS}
        self.globals = {"range": Function(_range)}

    def getattr(self, obj: Any, attribute: str, place: str = "") -> Any:
        """Read an attribute: at once of what mails are made of, else by the rules of the sandbox."""
        kind = obj.__class__
        if attribute[0] != "_" and (kind in _PLAIN or _is_plain(kind)):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                found = self.undefined(obj=obj, name=attribute)
        else:
            found = super().getattr(obj, attribute)
        return told(found, place, is_written=True)

    def getitem(self, obj: Any, argument: Any, place: str = "", is_written: bool = False) -> Any:
        """Read an entry by its name or number; nothing else is hashed, or shown where it is not there."""
        if not isinstance(argument, str | int):
            raise SecurityError(f"an entry is named by a text or a number, not by a {type(argument).__name__}")
        return told(super().getitem(obj, argument), place, is_written=is_written)

    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        """Return what is told of an attribute that no template reads."""
        return self.undefined(obj=obj, name=attribute, exc=SecurityError)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Call what a template may call, and nothing else."""
        kind = __obj.__class__
        if kind is Function or kind is Macro:
            # What the compiler gives along for functions that ask for the context; none of ours does.
            kwargs.pop("_block_vars", None)
            kwargs.pop("_loop_vars", None)
            return __obj(*args, **kwargs) if kind is Function else __obj(__context.eval_ctx, *args, **kwargs)
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, LoopContext):
            args = tuple(compared(one) for one in args)  # `loop.changed` compares
        if isinstance(__obj, BlockReference | LoopContext) or isinstance(owner, LoopContext):
            return __context.call(__obj, *args, **kwargs)
        require_there(__obj)
        name = getattr(__obj, "__name__", type(__obj).__name__)
        raise SecurityError(f"{name}() is not to be called from a template")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Calculate with numbers, and with nothing else."""
        require_there(left, right)
        for value in (left, right):
            if isinstance(value, bool) or not isinstance(value, int | Decimal):
                raise SecurityError(f"{operator} is for whole numbers; texts are put together with ~")
        if operator == "**":
            raise SecurityError("powers are not calculated")
        try:
            found = super().call_binop(context, operator, left, right)
        except ArithmeticError as error:
            raise SecurityError(f"{operator}: {error}") from None
        if abs(found) > MAX_NUMBER:
            raise SecurityError(f"{operator}: the number grows beyond {MAX_NUMBER:,}")
        return found

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MAX_SOURCE:
            reason = f"{len(source):,} characters are too long, {MAX_SOURCE:,} fit"
            raise TemplateSyntaxError(reason, _ALL_OF_IT, name, filename)
        with _read(name, filename):
            tree = super()._parse(source, name, filename)
            put_limits(tree, self, name, filename)
            return tree

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = super()._tokenize(source, name, filename, state)
        return TokenStream(few_enough(tokens, name, filename), name, filename)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        with _read(name, filename):
            return super()._generate(source, name, filename, defer_init)

    def _compile(self, source: str, filename: str) -> CodeType:
        with _read(None, filename):
            return super()._compile(source, filename)


_ALL_OF_IT: Final = 0  # where a line is asked for, and no one line is to blame


@contextmanager
def _read(name: str | None, filename: str | None) -> Iterator[None]:
    """Name a template that is too much for a parser, and charge nobody for reading it."""
    token = BUDGET.set(None)
    try:
        yield
    except (RecursionError, MemoryError):
        raise TemplateSyntaxError("it is nested too deeply", _ALL_OF_IT, name, filename) from None
    except (SyntaxError, ValueError) as error:  # a name that is given twice, half a character, a number of a page
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise TemplateSyntaxError(f"it cannot be read: {reason}", _ALL_OF_IT, name, filename) from None
    finally:
        BUDGET.reset(token)


@contextmanager
def limited(template: str) -> Iterator[Budget]:
    """Render within a budget; whatever goes wrong in a template is an `InvalidTemplate`.

    Args:
        template: the name to blame where no line of any template is at fault.
    """
    allowed = Budget()
    token = BUDGET.set(allowed)
    try:
        yield allowed
    except InvalidTemplate as error:
        if error.line is not None:
            raise
        name, line = _blame(error, template)
        raise InvalidTemplate(template=name, line=line, reason=error.reason, fix=error.fix) from None
    except LifecycleMailError:
        raise
    except TemplateSyntaxError as error:
        name = (error.filename or error.name or template).removeprefix(_SOURCE)
        raise InvalidTemplate(template=name, line=error.lineno or None, reason=str(error.message)) from None
    except TemplateNotFound as error:
        name, line = _blame(error, template)
        raise InvalidTemplate(template=name, line=line, reason=f"there is no template {error.name!r}") from None
    except RecursionError as error:
        name, line = _blame(error, template)
        raise InvalidTemplate(template=name, line=line, reason="it calls itself without end") from None
    except _OF_TEMPLATES as error:
        name, line = _blame(error, template)
        raise InvalidTemplate(template=name, line=line, reason=f"{error}" or type(error).__name__) from None
    finally:
        BUDGET.reset(token)


_SOURCE: Final = "mail:"
"""What the file names of templates begin with; see `lifecycle_mail.mails.loading`."""
_SHIPPED: Final = "shipped/"
"""What the file names of those that ship go on with."""

_OF_TEMPLATES: Final = (
    TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError, NameError, RuntimeError,
    AssertionError,
)  # fmt: skip
"""What comes out of a template that asks for what cannot be."""


def _blame(error: BaseException, template: str) -> tuple[str, int | None]:
    """Find the innermost line of a template that an error came through; somebody's own before one that ships."""
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    named = [(name.removeprefix(_SOURCE), line) for name, line in lines if name.startswith(_SOURCE)]
    own = [one for one in named if not one[0].startswith(_SHIPPED)]
    return next(iter([*own[-1:], *named[-1:]]), (template, None))
