"""Personal replies: who gets an answer from a person instead of a mail (C3).

Customers of long standing, and those who spend most, are answered by somebody. A predicate over the catalogue of facts
says who they are; for them the renderer gives a task with what is known of them and a draft, and no mail.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.messages import FOOTER, Mail
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.policy.operators import FactValue
from lifecycle_mail.policy.predicates import Predicate
from lifecycle_mail.policy.tables import Decision, Otherwise, Rule, Table, show
from lifecycle_mail.policy.where import FactRef, where

if TYPE_CHECKING:  # Jinja2 loads with the first mail
    from lifecycle_mail.mails.rendering import Renderer

MONTHS: Final = 24
"""Months after which a customer is of long standing (C3)."""
SHARE: Final = 0.10
"""The share of customers, by spend, that is valuable (C3)."""
_DAYS_A_MONTH: Final = 365.25 / 12

PERSON: Final = "person"
MAIL: Final = "mail"


def personal(
    spends: Iterable[float | None] = (), *, by: FactRef | None = None, months: float = MONTHS, share: float = SHARE
) -> Predicate:
    """Return the predicate of those who get a personal reply: long-standing, or among those who spend most.

    Args:
        spends: what each customer has spent; who spent nothing, or of whom nothing is known (None), does not count.
            Without any, long standing alone decides.
        by: the fact that holds it for one contact; by default the field `spend`.
        months: how long a customer has to be one; from `signed_up_at`.
        share: the share of customers that is valuable, 0 to 1. Who spends as much as the last of them is one, too.

    Raises:
        InvalidInput: a share, a number of months or a spend that is none.
    """
    if not _is_number(share) or not 0 < share <= 1:
        raise InvalidInput(f"share {share!r}: give a share of the customers, such as 0.1")
    if not _is_number(months) or not 0 <= months < math.inf:
        raise InvalidInput(f"months {months!r}: give a number of months, such as {MONTHS}")
    marked: Predicate = where.days_since_signup >= months * _DAYS_A_MONTH
    ordered = sorted((float(one) for one in map(_spend, spends) if one > 0), reverse=True)
    if ordered:
        most = max(1, math.ceil(round(len(ordered) * share, 9)))  # 0.07 of 100 are 7, and 7.000000000000001 as floats
        least = ordered[min(len(ordered), most) - 1]
        marked = marked | ((where.field("spend") if by is None else by) >= least)
    return marked


def _spend(value: float | None) -> float:
    if value is None:  # as a table says of who bought nothing
        return 0
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise InvalidInput(f"spends: a {type(value).__name__} is no sum; give numbers, and None where nothing is known")
    return float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


@frozen(kw_only=True)
class PersonalReply:
    """A task for a person: answer somebody yourself.

    Attributes:
        mail: the mail that would have gone; it is not sent.
        decision: why a person answers, with the facts.
        facts: what is known of them, by name, written for people.
        subject: a draft of the subject.
        draft: a draft of the text, without what stands below a mail. Of marketing it stays: it is the way out, which
            goes with it whoever sends it (O2).
    """

    mail: Mail = field(repr=False)
    decision: Decision = field(repr=False)
    facts: tuple[tuple[str, str], ...]
    subject: str
    draft: str = field(repr=False)

    def __str__(self) -> str:
        known = "\n".join(f"  {name}: {value}" for name, value in self.facts)
        return (
            f"Please answer {self.mail.to.greeting or self.mail.to.contact_id} yourself ({self.mail.kind}): "
            f"{self.decision.reason}\n{known}\n\nSubject: {self.subject}\n\n{self.draft}"
        )


def reply_or_mail(
    renderer: Renderer, spec: Specification, facts: Mapping[str, FactValue], *, to_person: Predicate, now: datetime,
    telling: Iterable[str] = (),
) -> Mail | PersonalReply:  # fmt: skip
    """Return a mail, or for those whom a predicate marks a task for a person (C3).

    Args:
        renderer: writes the mail, and the draft.
        spec: what the mail says.
        facts: about the customer: `Facts(subject)`, or a mapping by fact name.
        to_person: who gets a personal reply; see `personal`.
        now: the instant of writing, aware.
        telling: further facts that the task tells, by name; what is not known of them is missing.

    Raises:
        What `Renderer.render` raises.
    """
    mail = renderer.render(spec, now=now)
    table = Table(
        name="who answers",
        rules=[Rule(name="personal", when=to_person, then=PERSON, because="a customer whom a person answers (C3)")],
        otherwise=Otherwise(then=MAIL, because="a mail does"),
    )
    decision = table.decide(facts)
    if decision.outcome == MAIL:
        return mail
    read: dict[str, Any] = dict(decision.trace()[0].values())
    read |= {name: facts[name] if name in facts else decision.facts[name] for name in telling}
    return PersonalReply(
        mail=mail,
        decision=decision,
        facts=tuple((name, show(name, value)) for name, value in read.items()),
        subject=mail.subject,
        draft=mail.text if mail.marketing else mail.text.partition(FOOTER)[0].rstrip() + "\n",
    )
