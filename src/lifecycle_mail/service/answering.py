"""Taking answers to the question why (C2, C4, S7, O7).

A mail asks with links: one for each reason, and one that opens the questions with nothing chosen. The page behind a
link shows what is asked (`ask`), which reads the link and nothing else, and sends the answer with a button (`take`),
because scanners follow every link (R3, F49).

What somebody answers to one question is one answer (F48), whichever mail asked: the link names the cancellation, the
opt-out or the campaign that it asks about, so a mail that is rendered again asks the same. What a call leaves out stays
as it was answered before, so a text that is written after the click does not take the click back; what a call says
takes the place of what was said. The same again, a double click, changes nothing.

A mail offers some reasons, and the page shows those. Any other reason of the question is taken all the same, because
the page is the application's own; of more than the mail asks for, none is.

An application that asked somebody itself, on its page of cancelling, tells what they said (`told`). It is the answer to
the same question that its notice asks: what they add there changes it. That they said it to the application is no sign
that mail reaches them.

Of whom nothing is known here is believed all the same: the link is signed, so the application wrote to them. Their
answer is kept under the id that the application has for them, as events are, and an erasure finds it there. Of who was
erased nothing is written (O5), and whoever calls is answered as for anybody (R22).

Who says why they cancelled or drifted off is there: that is engagement (S6). It is recorded as a reply and not as a
click, because the click on the link is told by whoever counts clicks, and because a person said something: no scanner
presses the button (R18). Why somebody opted out is no engagement. A reply belongs to the campaign's mail, where we sent
one. A cancellation mail goes past us; its reply stands for a transactional mail of its own, so that it does not count
for the newsletter that happened to come last.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import evolve, field, frozen

from lifecycle_mail.errors import InvalidInput, LinkRefused
from lifecycle_mail.mails.links import Link, LinkPurpose, Tokens
from lifecycle_mail.mails.parts import Way
from lifecycle_mail.mails.reasons import Answering, NextStep, next_step
from lifecycle_mail.model.answers import Answer, Question, Reason, reasons_to
from lifecycle_mail.model.events import EngagementEvent, EventKind, Evidence, Purpose
from lifecycle_mail.model.lists import Scope, ScopeKind
from lifecycle_mail.model.names import ContactId, entry_id
from lifecycle_mail.ports import SPENT_STATES, Crm, Store
from lifecycle_mail.service.handoff import mail_of
from lifecycle_mail.service.outbox import post_pictures
from lifecycle_mail.service.receiving import take_events


@frozen(kw_only=True)
class Asked:
    """What the link of an answer asks, for the page behind it.

    Attributes:
        question: what.
        about: the product or plan; of a drift or an opt-out the key of the list, and empty for all marketing.
        chosen: the reason that was clicked, or None where the page asks. Where the mail offers none, it is what they
            said before.
        reasons: what the mail offers, in its order; none where it asks for words alone, and the page shows a place for
            them.
        most: how many reasons can be chosen; 0 where none is offered.
    """

    question: Question
    about: str
    chosen: Reason | None
    reasons: tuple[Reason, ...]
    most: int


def _offer_of(step: NextStep) -> tuple[object, ...]:
    """Return what two next steps are compared by: a decision is no other's equal, however alike."""
    return step.step, step.kind, step.way, step.to_read


@frozen(kw_only=True)
class Answered:
    """An answer was taken.

    Attributes:
        answer: as it stands now: with what was answered to the same before, or the later one, where there is one.
        next_step: what follows from it, and why (C4).
        is_new: whether this call changed it; False for a double click. Of somebody who was erased it is True, as it is
            for anybody's first (R22).
        step_is_new: whether it follows now, and did not follow from what they had answered before: whoever adds a word
            gets no second follow-up.
    """

    answer: Answer
    next_step: NextStep = field(eq=_offer_of)
    is_new: bool = True
    step_is_new: bool = True


def _is_text(_instance: object, at: Any, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{at.name}: a {type(value).__name__} is no text")


@frozen(kw_only=True)
class Said:
    """What a call says; None is what it leaves out.

    Attributes:
        reasons: what is chosen instead of what the link chooses.
        text, tool, improve: see `Answer`.
    """

    reasons: tuple[str, ...] | None = None
    text: str | None = field(default=None, validator=_is_text)
    tool: str | None = field(default=None, validator=_is_text)
    improve: str | None = field(default=None, validator=_is_text)


class Answers:
    """Takes answers, each in the transaction of the caller.

    Args:
        store: keeps them.
        tokens: reads links.
        crm: is shown whom an answer tells more of, or None.
    """

    def __init__(self, store: Store, *, tokens: Tokens, crm: Crm | None) -> None:
        self._store = store
        self._tokens = tokens
        self._crm = crm

    def ask(self, token: str, *, now: datetime) -> Asked:
        """Tell what a link asks; see `Lifecycle.asked`."""
        link, asked = self._read(token, now)
        return Asked(
            question=asked.question, about=_about(link, asked), chosen=asked.reason, reasons=asked.offers,
            most=asked.most,
        )  # fmt: skip

    def take(
        self, token: str, said: Said, *, now: datetime, ways: Mapping[str, Way] | None, tried: list[Answered]
    ) -> Answered:
        """Take an answer; see `Lifecycle.answer`.

        `tried` holds what earlier tries of the same call made: where the answer to one was lost, what it wrote is new
        all the same (F21).
        """
        link, asked = self._read(token, now)
        if said.reasons is None and asked.reason is not None and asked.offers:
            said = evolve(said, reasons=(asked.reason,))
        made = Answer(
            contact_id=link.contact_id, question=asked.question, reasons=_chosen(asked, said),
            about=_about(link, asked), campaign=link.campaign, text=said.text or "", tool=said.tool or "",
            improve=said.improve or "", asked_at=asked.occasion or link.signed_at, at=now,
        )  # fmt: skip
        return self._keep(made, said, ways=ways, tried=tried, is_reply=True)

    def told(
        self, contact_id: ContactId, asked: Answering, said: Said, *, now: datetime, ways: Mapping[str, Way] | None,
        tried: list[Answered],
    ) -> Answered:  # fmt: skip
        """Take what the application was told; see `Lifecycle.told_why`."""
        made = Answer(
            contact_id=contact_id, question=asked.question, reasons=said.reasons or (), about=asked.about,
            text=said.text or "", tool=said.tool or "", improve=said.improve or "", asked_at=asked.occasion or now,
            at=now,
        )  # fmt: skip
        return self._keep(made, said, ways=ways, tried=tried, is_reply=False)

    def _keep(
        self, made: Answer, said: Said, *, ways: Mapping[str, Way] | None, tried: list[Answered], is_reply: bool
    ) -> Answered:
        """Keep an answer, with what was answered to the same before.

        Raises:
            InvalidInput: nothing is answered, and no words are taken back.
        """
        erased = bool(self._store.erased([made.contact_id]))
        before = None if erased else self._given(made)
        if before is not None:
            made = evolve(
                made,
                reasons=before.reasons if said.reasons is None else made.reasons,
                text=before.text if said.text is None else made.text,
                tool=before.tool if said.tool is None else made.tool,
                improve=before.improve if said.improve is None else made.improve,
                asked_at=before.asked_at,  # of a campaign, whose mail may have been rendered again since
            )
        if said == Said() or not (made.reasons or _words(made) or (before is not None and _words(before))):
            raise InvalidInput("nothing is answered: choose a reason, or write something")
        if erased:
            return Answered(answer=made, next_step=next_step(made, ways=ways))
        following = next_step(made, ways=ways)
        was = None if before is None else next_step(before, ways=ways).step
        if before is None or before != evolve(made, at=before.at):
            self._store.put_answers([made])
            if (self._given(made) or made) == made:  # else a later one holds
                done = Answered(answer=made, next_step=following, step_is_new=following.step != was)
                tried.append(done)
                self._tell(made, is_reply=is_reply)
                return done
        stands = self._given(made) or made
        earlier = next((one for one in tried if one.answer == stands), None)
        if earlier is not None:
            return earlier
        return Answered(answer=stands, next_step=next_step(stands, ways=ways), is_new=False, step_is_new=False)

    def _read(self, token: str, now: datetime) -> tuple[Link, Answering]:
        """Read a link.

        Raises:
            LinkRefused: it is not to be followed, or is signed for something else than an answer; always alike (F44).
        """
        link = self._tokens.follow(token, purpose=LinkPurpose.ANSWER, now=now)
        asked = _asked(link)
        if asked is None:
            raise LinkRefused
        return link, asked

    def _given(self, answer: Answer) -> Answer | None:
        """Return what the same person has answered to the same question."""
        theirs = self._store.answers_of([answer.contact_id]).get(answer.contact_id, ())
        return next((one for one in theirs if one.id == answer.id), None)

    # -- whom it concerns

    def _tell(self, answer: Answer, *, is_reply: bool) -> None:
        """Let everybody hear of an answer who goes by it: the profile, and the CRM."""
        if not self._store.get([answer.contact_id]):
            return
        if is_reply and answer.question is not Question.OPT_OUT:
            take_events(self._store, [self._reply(answer)], now=answer.at)
        post_pictures(self._store, self._crm, [answer.contact_id], now=answer.at)

    def _reply(self, answer: Answer) -> EngagementEvent:
        """Return the one event that an answer is, however often it is changed: the door knows it by its id."""
        mail, purpose = "", Purpose.REGULAR
        if self._was_sent(answer):
            mail = mail_of(answer.campaign, answer.contact_id) if answer.campaign is not None else ""
        elif answer.question is Question.CANCELLATION:
            mail, purpose = f"answered:{answer.id}", Purpose.TRANSACTIONAL
        return EngagementEvent(
            contact_id=answer.contact_id, kind=EventKind.REPLIED, at=answer.at, mail=mail,
            campaign=answer.campaign or "", evidence=Evidence.HUMAN, purpose=purpose, source="app",
            id=entry_id("reply", answer.id),
        )  # fmt: skip

    def _was_sent(self, answer: Answer) -> bool:
        """Whether the campaign that asks was handed off to them by us."""
        if answer.campaign is None:
            return False
        claim = self._store.claims(answer.campaign, of=[answer.contact_id]).get(answer.contact_id)
        return claim is not None and claim.state in SPENT_STATES


def _asked(link: Link) -> Answering | None:
    try:
        return Answering.of_detail(link.detail)
    except InvalidInput:
        return None


def _about(link: Link, asked: Answering) -> str:
    """Return what an answer is filed under: the plan, or the list that they left or stopped reading."""
    if asked.question is Question.CANCELLATION or link.scope is None:
        return asked.about
    if link.scope == Scope.all():
        return ""
    return link.scope.key if link.scope.kind is ScopeKind.LIST else str(link.scope)


def _words(answer: Answer) -> str:
    """What somebody wrote, which is theirs to take back, even if nothing is left then."""
    return answer.text + answer.tool + answer.improve


def _chosen(asked: Answering, said: Said) -> tuple[Reason, ...]:
    """Return the reasons that a call chooses.

    Raises:
        InvalidInput: one that is none of these, or too many.
    """
    told = () if asked.reason is None else (asked.reason,)  # where nothing is kept of what they said before
    chosen = reasons_to(asked.question, told if said.reasons is None else said.reasons)
    most = max(1, asked.most)
    if len(chosen) > most:
        raise InvalidInput(f"reasons: {len(chosen)} chosen, and this mail takes {most}")
    return chosen
