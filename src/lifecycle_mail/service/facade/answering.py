"""`Lifecycle`, the part that asks why: what people answer, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo

from lifecycle_mail.errors import InvalidInput
from lifecycle_mail.mails.links import SKEW
from lifecycle_mail.mails.parts import Way
from lifecycle_mail.mails.reasons import Answering as AskedOf
from lifecycle_mail.mails.texts import as_seen, check_text
from lifecycle_mail.measure.reasons import FLAG_ABOVE, LEAST, ReasonReport, count_reasons
from lifecycle_mail.model.answers import CancellationReason, Question, Reason, as_reasons
from lifecycle_mail.model.instants import as_utc, optional_utc
from lifecycle_mail.model.names import ContactId, one_of
from lifecycle_mail.service.answering import Answered, Answers, Asked, Said
from lifecycle_mail.service.facade.base import Base


class Answering(Base):
    """Takes answers to the question why, and counts them."""

    def asked(self, token: str, *, now: datetime) -> Asked:
        """Tell what the link of an answer asks, for the page behind it. It reads the link alone, and changes nothing.

        The page shows the reasons that the mail offered, and takes as many as the mail asked for. Where the mail asks
        for words alone it shows a place for them; a page that offers reasons there is heard, with one of them.

        For GET and HEAD: a scanner that follows the link answers nothing (R3, F49).

        Args:
            token: of the link, as it came.
            now: when.

        Raises:
            LinkRefused: not whole, not ours, not for an answer, or too old; always alike (F44).
        """
        return self._answers.ask(token, now=as_utc(now))

    def answer(
        self, token: str, *, now: datetime, reason: Reason | str | None = None,
        reasons: Iterable[Reason | str] | None = None, text: str | None = None, tool: str | None = None,
        improve: str | None = None, ways: Mapping[str, Way] | None = None,
    ) -> Answered:  # fmt: skip
        """Record what somebody answered to a mail, with the token of its link (C4).

        May be called as often as they like: they are counted once, and what they answer last holds (F48), also where
        the mail was rendered again, or another mail asked about the same cancellation. What is left out stays as they
        answered it before; give an empty text, or no reasons, to take it away.

        Args:
            token: of the link that they followed.
            now: when.
            reason: what they chose on the page; left out, it is what the link says, in each call.
            reasons: instead of `reason`, where several can be chosen: any of the question, and no more than
                `Asked.most` (C2); one where the mail offered none.
            text: their own words. Of this and the next two 2,000 characters are kept.
            tool: which tool they use now.
            improve: what should be better.
            ways: what the application can offer, for the next step: `pause`, `downgrade`, `help`.

        Returns:
            The answer as it stands, and what follows from it; where `step_is_new`, do it. Of somebody who was erased
            nothing is written, and what is returned is what it would be for anybody (O5, R22).

        Raises:
            LinkRefused: not whole, not ours, not for an answer, or too old; always alike (F44).
            InvalidInput: nothing is answered, or with a reason that the question does not have, or with too many.
        """
        if reason is not None and reasons is not None:
            raise InvalidInput("reason, reasons: give one of the two")
        chosen = None if reasons is None else as_reasons(reasons)
        said = Said(reasons=chosen if reason is None else (reason,), text=text, tool=tool, improve=improve)
        now, tried = as_utc(now), list[Answered]()
        return self._once(lambda: self._answers.take(token, said, now=now, ways=ways, tried=tried))

    def told_why(
        self, contact_id: str, reasons: Iterable[CancellationReason | str], *, product: str, cancelled_at: datetime,
        now: datetime, text: str | None = None, tool: str | None = None, improve: str | None = None,
        ways: Mapping[str, Way] | None = None,
    ) -> Answered:  # fmt: skip
        """Record why somebody cancelled, where the application asked them itself (C4).

        It is one answer with what they say to a mail about the same cancellation, whichever comes first, and counts
        once (F48). The notice thanks them for it (`Cancellation.reason`) and does not ask again.

        Args:
            contact_id: the application's id of them, as in `Recipient.contact_id`.
            reasons: up to three; none, where they only wrote.
            product: what was cancelled, as in the notice; reasons are counted by it, up to 150 octets of its name.
            cancelled_at: when, as in the notice; an aware instant.
            now: when they said it.
            text, tool, improve, ways: as for `answer`. What is left out stays as they answered it before.

        Returns:
            The answer as it stands, and what follows from it, as for `answer`.

        Raises:
            InvalidInput: nothing is answered, or with a reason that there is not, or with too many.
        """
        check_text("product", as_seen(product))
        if as_utc(cancelled_at) > as_utc(now) + SKEW:
            raise InvalidInput(f"cancelled_at: {cancelled_at} is still to come at {now}")
        asked = AskedOf(question=Question.CANCELLATION, about=product, occasion=as_utc(cancelled_at))
        said = Said(reasons=as_reasons(reasons) or None, text=text, tool=tool, improve=improve)
        now, tried, who = as_utc(now), list[Answered](), ContactId(contact_id)
        return self._once(lambda: self._answers.told(who, asked, said, now=now, ways=ways, tried=tried))

    def reasons(
        self, *, question: Question | str = Question.CANCELLATION, since: datetime | None = None,
        before: datetime | None = None, flag_above: float = FLAG_ABOVE, least: int = LEAST, zone: tzinfo = UTC,
    ) -> ReasonReport:  # fmt: skip
        """Count what people answered: by reason, by plan or list, and by month (C4).

        Args:
            question: which one.
            since: from this instant on; left out, all that is known.
            before: up to this instant, which is left out itself.
            flag_above: the share of the answers above which a reason is flagged.
            least: the fewest answers that tell.
            zone: whose months they are counted by.

        Raises:
            InvalidInput: `before` is not after `since`; or a threshold that is none.
        """
        asked, begin, end = one_of(Question, question, "question"), optional_utc(since), optional_utc(before)
        if begin is not None and end is not None and end <= begin:
            raise InvalidInput(f"before: {before} is not after since, {since}: nothing lies between them")
        return self._again(
            lambda: count_reasons(
                self.store.answers(question=asked, since=begin, before=end), question=asked, flag_above=flag_above,
                least=least, zone=zone,
            )
        )  # fmt: skip

    @property
    def _answers(self) -> Answers:
        return Answers(self.store, tokens=self._consents.tokens, crm=self.crm)
