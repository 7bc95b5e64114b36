"""What the commands share: errors as messages and exit codes, and the options that many of them take."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
from rich.console import Console
from rich.markup import escape

from lifecycle_mail.cli.loading import SNAPSHOT
from lifecycle_mail.cli.printing import Format
from lifecycle_mail.errors import InvalidInput, LifecycleMailError, Misconfigured, Refused
from lifecycle_mail.model.instants import parse_instant

F = TypeVar("F", bound=Callable[..., Any])

errors = Console(stderr=True)
"""Where progress, counts and errors go."""

PEPPER_HINT = "on the command line: --pepper-file FILE, or LIFECYCLE_MAIL_PEPPERS"


def guard(command: F) -> F:
    """Turn our errors into messages and exit codes."""

    @functools.wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Misconfigured as error:
            hint = f" ({PEPPER_HINT})" if "peppers=" in str(error) else ""
            _stop("cannot go on", f"{error}{hint}", 3)
        except BrokenPipeError:  # whoever read the output has seen enough
            raise
        except (InvalidInput, OSError) as error:
            _stop("cannot go on", str(error), 3)
        except LifecycleMailError as error:
            _stop("refused" if isinstance(error, Refused) else "cannot go on", str(error), 4)

    return run  # type: ignore[return-value]


def _stop(how: str, message: str, code: int) -> NoReturn:
    errors.print(f"[bold red]{how}:[/] {escape(message)}", soft_wrap=True)
    sys.exit(code)


def say(text: str) -> None:
    """Say something beside the results, on standard error."""
    errors.print(escape(text), soft_wrap=True, highlight=False)


def as_instant(_context: click.Context, _parameter: click.Parameter, value: str | None) -> datetime | None:
    """Read an instant as it is typed, as a callback of click."""
    try:
        return None if value is None else parse_instant(value)
    except InvalidInput as error:
        raise click.BadParameter(str(error)) from None


def instant_option(*names: str, says: str) -> Callable[[F], F]:
    """Return an option that takes an instant: ISO 8601, or seconds since 1970."""
    return click.option(*names, metavar="INSTANT", callback=as_instant, help=says)


PATH = click.Path(exists=True, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
NEW_FILE = click.Path(dir_okay=False, path_type=Path)

config_option = click.option(
    "-c", "--config", type=PATH, help="TOML with lists, segments, campaigns, fields, policy, sources."
)
policy_option = click.option("--policy", metavar="CADENCE|FILE", help="daily ... quarterly, or a policy's TOML file.")
out_option = click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Folder for the files written. Default: here.",
)


def _some_words(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("say why, in a few words")
    return value


why_option = click.option(
    "--why", metavar="TEXT", required=True, callback=_some_words, help="The reason, which is kept."
)
strict_option = click.option("--strict", is_flag=True, help="Exit with 1 where any row was rejected.")
most_option = click.option(
    "--most",
    metavar="N",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="How many are shown; 0 for all.",
)


def _check_instant(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value != SNAPSHOT:
        as_instant(context, parameter, value)
    return value


now_option = click.option(
    "--now",
    metavar="INSTANT",
    callback=_check_instant,
    help="Decide as of this instant (ISO 8601), or 'snapshot'. Default: now; for snapshots, theirs.",
)


def _as_format(_context: click.Context, _parameter: click.Parameter, value: str) -> Format:
    return Format(value)


def format_of(*forms: Format) -> Callable[[F], F]:
    """Return the option for some formats."""
    # By value: click would show and take the names of an enum's members.
    return click.option(
        "--format",
        "form",
        type=click.Choice([form.value for form in forms]),
        default=Format.TABLE.value,
        show_default=True,
        callback=_as_format,
        help="What is printed.",
    )


format_option = format_of(*Format)
