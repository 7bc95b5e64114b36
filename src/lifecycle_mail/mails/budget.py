"""What a template is charged for, and how (F54). See `lifecycle_mail.mails.sandbox`."""

from __future__ import annotations

from collections.abc import Callable, Sized
from contextvars import ContextVar
from decimal import Decimal
from typing import Any, Final

from attrs import define
from jinja2 import pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, Undefined, markup_join, str_join

MAX_CHARACTERS: Final = 1_000_000
"""Characters that one rendering reads and makes, those that it makes twice counted twice."""
MAX_STEPS: Final = 10_000
"""Bodies of loops, macros and blocks that one rendering goes through."""
A_CALL: Final = 50
"""Characters that a call of a function costs: to write an instant takes as long as to read so many."""

LISTS: Final = (list, tuple, dict, set, frozenset)
"""What is gone through one by one, and never compared, shown or given to a function as a whole."""


@define
class Budget:
    """What one rendering may still do.

    Attributes:
        characters: how many it may still make.
        steps: how many bodies it may still go through.
    """

    characters: int = MAX_CHARACTERS
    steps: int = MAX_STEPS

    def charge(self, characters: int) -> None:
        """Take characters off.

        Raises:
            SecurityError: there are not as many left.
        """
        self.characters -= characters
        if self.characters < 0:
            raise SecurityError(f"it reads and makes more than {MAX_CHARACTERS:,} characters")


BUDGET: ContextVar[Budget | None] = ContextVar("BUDGET", default=None)


def charge(characters: int) -> None:
    """Charge the rendering at hand for characters that a function is about to make."""
    budget = BUDGET.get()
    if budget is not None:
        budget.charge(characters)


@pass_context
def step(_context: Context, characters: int) -> str:
    """Charge for going through a body, as a filter; see `limits`."""
    budget = BUDGET.get()
    if budget is not None:
        budget.steps -= 1
        budget.characters -= characters
        if budget.steps < 0:
            raise SecurityError(f"it goes through more than {MAX_STEPS:,} loops, macros and blocks")
        if budget.characters < 0:
            budget.charge(0)
    return ""


@pass_context
def join(_context: Context, *parts: Any) -> str:
    """Put texts and numbers together, as `~` does."""
    texts = [printed(part) for part in parts]
    return markup_join(texts) if any(hasattr(text, "__html__") for text in texts) else str_join(texts)


@pass_context
def scalar(_context: Context, value: Any) -> Any:
    """Charge for what is about to be compared."""
    return compared(value)


def compared(value: Any) -> Any:
    """Let a text or a number be compared, and charge for it."""
    # Lists of lists of lists take exponential time to compare.
    if isinstance(value, LISTS):
        raise SecurityError("lists are not compared: compare their length, or ask `in`")
    if isinstance(value, str):
        charge(len(value))
    return value


@pass_context
def several(_context: Context, value: Any) -> Any:
    """Charge for what is about to be searched."""
    if isinstance(value, Sized):
        charge(len(value))
    return value


def require_there(*values: object) -> None:
    """Let what is not there say so itself, by name, before it is taken for something of a wrong type."""
    for value in values:
        if isinstance(value, Undefined):
            str(value)


@pass_context
def cut(_context: Context, value: Any, start: Any, stop: Any, step: Any) -> Any:
    """Cut a text or a list, as `value[start:stop:step]` does, and charge for it."""
    require_there(value, start, stop, step)
    if not isinstance(value, str | list | tuple | range):
        raise SecurityError(f"a {type(value).__name__} cannot be cut")
    charge(len(value))
    return value[start:stop:step]


def of_text(found: Callable[..., Any]) -> Callable[..., Any]:
    """Let a filter have what may be printed, and charge for what it reads and makes."""

    @pass_context
    def of_text(_context: Context, value: Any, *args: Any, **kwargs: Any) -> Any:
        text = printed(value)
        for one in (*args, *kwargs.values()):
            charge(len(text) * len(one) if isinstance(one, str) else 0)  # trim() looks each up in all of them
        made = found(text, *args, **kwargs)
        charge(len(made))
        return made

    return of_text


def of_number(found: Callable[..., Any]) -> Callable[..., Any]:
    """Let a test have whole numbers: a text divided by a number is a text filled in with it."""

    @pass_context
    def of_number(_context: Context, *values: Any) -> Any:
        require_there(*values)
        if not all(isinstance(value, int) for value in values):
            raise SecurityError("whole numbers are even, odd or divisible by one another")
        return found(*values)

    return of_number


def printed(value: Any) -> Any:
    """Let a text or a number be printed, and charge for it."""
    if isinstance(value, str):
        budget = BUDGET.get()
        if budget is not None:
            budget.characters -= len(value)
            if budget.characters < 0:
                budget.charge(0)
        return value
    if isinstance(value, Undefined):
        return str(value)  # raises, with the name; of an `if` that says nothing else it is empty
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
        charge(len(text))
        return text
    if value is None:
        raise SecurityError("nothing is there to be printed: ask with `if` first")
    raise SecurityError(
        f"a {type(value).__name__} is not printed as it is: use day(), moment(), money() or number(), or a loop"
    )
