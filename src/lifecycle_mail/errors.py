"""The error tree, split by whose fault it is.

Catch `LifecycleMailError` for everything this library raises on purpose::

    LifecycleMailError
    ├── InvalidInput (ValueError)    what we were given is wrong: mend it and call again
    │   ├── InvalidAddress           one address, with the reason
    │   ├── InvalidDocument          a TOML or JSON document: all its problems at once
    │   ├── InvalidTemplate          a template of a mail that is wrong, forbidden, or does not come to an end
    │   └── UnknownName              a fact, list, segment, campaign or contact that is not there
    ├── Refused                      understood, and against the rules: asking again changes nothing
    │   ├── ConsentRefused           only the person can come back (O4)
    │   ├── LiftRefused              this actor may not lift that suppression
    │   ├── AmbiguousAddress         one address, several contacts
    │   ├── CampaignRefused          a marketing campaign with no list behind it (L3)
    │   ├── MailRefused              a mail that lacks what its kind must say, or promotes where it may not
    │   ├── LinkRefused              a link that is not whole, not ours, not for this, or too old (F44)
    │   ├── WebhookRefused           a delivery that is not the ESP's, too large, or not readable (F36, F43)
    │   ├── BreakerOpen              a run that would stop mailing too many at once (F66, F67)
    │   └── Unscreened               a recipient that the screen did not produce
    ├── RegistryUnavailable          the opt-outs cannot be read: nothing is sent (F12)
    │   ├── RegistryBusy             others are writing, or the connection broke: the same may be tried again
    │   └── RegistryDamaged          the file or its contents are not whole: restore a backup, then sweep (F11)
    ├── EspError                     the e-mail service provider, with operation and answer
    │   ├── EspRefused               final: do not repeat
    │   ├── EspUnavailable           not done: may be repeated
    │   └── OutcomeUnknown           perhaps done: reconcile, never repeat blindly (F22)
    └── Misconfigured                a missing plugin, key or capability, with what to do about it

Messages mask the addresses of contacts; an address that is refused is quoted, because it has to be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from attrs import frozen


class LifecycleMailError(Exception):
    """Everything this library raises on purpose."""


class InvalidInput(LifecycleMailError, ValueError):
    """What was given is wrong; the message names the place and the fix."""


@frozen
class Problem:
    """One thing wrong with a document.

    Attributes:
        path: where, for example `campaigns[2].to[0]` or `members.csv:17`.
        message: what is wrong.
        fix: what to do about it.
    """

    path: str
    message: str
    fix: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" ({self.fix})" if self.fix else "")


class InvalidAddress(InvalidInput):
    """An e-mail address that cannot be mailed as written.

    Attributes:
        written: the address as it was given.
        reason: why it is refused, in plain words.
        fix: what to do about it.
    """

    def __init__(self, *, written: str, reason: str, fix: str = "") -> None:
        self.written = written
        self.reason = reason
        self.fix = fix
        shown = written if len(written) <= 80 else written[:77] + "..."
        super().__init__(f"{shown!r}: {reason}" + (f" ({fix})" if fix else ""))


class InvalidDocument(InvalidInput):
    """A policy, programme or mapping with problems, all of them listed.

    Attributes:
        problems: every problem found, in document order.
    """

    def __init__(self, what: str, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        count = len(self.problems)
        super().__init__(f"{what}: {count} problem{'' if count == 1 else 's'}\n{lines}")


class InvalidTemplate(InvalidInput):
    """A template that cannot be used: what it says is wrong, is not allowed, or does not come to an end.

    Attributes:
        template: its name.
        line: where, counted from 1; None where no one line is to blame.
        reason: what is wrong, in plain words.
        fix: what to do about it.
    """

    def __init__(self, *, template: str, line: int | None, reason: str, fix: str = "") -> None:
        self.template = template
        self.line = line
        self.reason = reason
        self.fix = fix
        place = template if line is None else f"{template}:{line}"
        super().__init__(f"{place}: {reason}" + (f" ({fix})" if fix else ""))


class UnknownName(InvalidInput, KeyError):
    """A name that nothing goes by; the message lists near misses."""

    def __init__(self, what: str, name: str, known: Iterable[str] = ()) -> None:
        import difflib

        self.name = name
        near = difflib.get_close_matches(name, list(known), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        self.message = f"no {what} named {name!r}{hint}"
        super().__init__(self.message)

    def __str__(self) -> str:  # KeyError would quote the message
        return self.message


class Refused(LifecycleMailError):
    """Understood, and against the rules."""


class ConsentRefused(Refused):
    """A consent that would bring someone back without their own confirmation (O4)."""


class LiftRefused(Refused):
    """A lift by someone who may not end that suppression."""


class AmbiguousAddress(Refused):
    """An address that matches several contacts.

    Attributes:
        contact_ids: the contacts that share it, sorted.
    """

    def __init__(self, masked: str, contact_ids: Iterable[str]) -> None:
        self.contact_ids = tuple(sorted(contact_ids))
        super().__init__(
            f"{masked} belongs to {len(self.contact_ids)} contacts: {', '.join(self.contact_ids)}; "
            f"name the contact by its id"
        )


class CampaignRefused(Refused):
    """A campaign that may not be planned or sent as it is."""


class MailRefused(Refused):
    """A mail that may not go as it is: the law, or what its kind promises, asks for something that it lacks.

    Attributes:
        problems: what is wrong, each by the field that it is in, for example `benefits[0]`; none where no field is to
            blame.
    """

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        self.problems = tuple(problems)
        super().__init__(message)


class LinkRefused(Refused):
    """A link that is not followed. It is refused alike, whatever is wrong with it (F44, R22)."""

    def __init__(self) -> None:
        super().__init__("this link is not valid, or not any more: ask for a fresh one")


class WebhookRefused(Refused):
    """A webhook's delivery that is not taken: nothing of it is written (F36, F38, F40, F43).

    Attributes:
        status: what to answer: 400, 401, 405, 413 or 415. Never 410, which turns a hook of Mailchimp's off (R24).
    """

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class Unscreened(Refused):
    """A recipient reached a send port without passing the screen."""


class BreakerOpen(Refused):
    """A run would stop mailing more people at once than is plausible: nothing of it was done (F66, F67).

    Attributes:
        count: how many it would stop mailing.
        of: among how many.
        limit: how many would have been done without asking.
    """

    def __init__(self, what: str, *, count: int, of: int, limit: int, fix: str) -> None:
        self.count = count
        self.of = of
        self.limit = limit
        super().__init__(f"{what} would stop mailing {count:,} of {of:,} contacts, and {limit:,} are the limit: {fix}")


class RegistryUnavailable(LifecycleMailError):
    """The opt-out registry cannot be read, so nothing is sent (F12)."""


class RegistryBusy(RegistryUnavailable):
    """Others are writing, or the connection broke: the same may be tried again (F15, F21)."""


class RegistryDamaged(RegistryUnavailable):
    """What is stored is not whole, or not what was written (F11)."""


class EspError(LifecycleMailError):
    """A call to an e-mail service provider went wrong.

    Attributes:
        esp: the provider's name.
        operation: what was asked of it.
        status: its status code, or None where there was no answer.
        body: its answer as text, cut to 2,000 characters.
        retryable: whether the same call may be made again.
        fix: what to do about it.
        retry_after: how long it asked to be left alone, or None where it did not say (F24).
    """

    retryable = False

    def __init__(
        self,
        *,
        esp: str,
        operation: str,
        status: int | None = None,
        body: str = "",
        fix: str = "",
        retry_after: timedelta | None = None,
    ) -> None:
        self.esp = esp
        self.operation = operation
        self.status = status
        self.body = body[:2000]
        self.fix = fix
        self.retry_after = retry_after
        answered = f"answered {status}" if status is not None else "gave no answer"
        super().__init__(
            f"{esp} {answered} to {operation}" + (f": {self.body[:200]}" if body else "") + (f" ({fix})" if fix else "")
        )


class EspRefused(EspError):
    """The provider said no, for good."""


class EspUnavailable(EspError):
    """The provider did not do it; the same call may be made again."""

    retryable = True


class OutcomeUnknown(EspError):
    """The call may have been carried out: reconcile before anything is repeated (F22, F23)."""


class Misconfigured(LifecycleMailError):
    """Something the caller must set up first; the message says what."""
