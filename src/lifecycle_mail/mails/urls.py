"""The links of one mail, each made when a template first asks for it."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from lifecycle_mail.errors import InvalidTemplate
from lifecycle_mail.mails.catalogues import Translator
from lifecycle_mail.mails.links import LinkPurpose, Links
from lifecycle_mail.mails.reasons import LABELS, Answering, most_of, question_of
from lifecycle_mail.mails.specs import (
    ConfirmResubscription,
    ConfirmSubscription,
    Goodbye,
    ProgrammeSpecification,
    Specification,
)
from lifecycle_mail.model.answers import Question, Reason
from lifecycle_mail.model.lists import Scope


class Urls:
    """The links of a mail. Templates read them as `url.unsubscribe`, and so on.

    Args:
        spec: what the mail says.
        links: makes them.
        translator: writes their labels.
        now: when they are signed, an aware instant.
    """

    def __init__(self, spec: Specification, links: Links, translator: Translator, now: datetime) -> None:
        self._spec = spec
        self._links = links
        self._translator = translator
        self._now = now

    @cached_property
    def unsubscribe(self) -> str:
        """Leaves the list that the mail names, or all marketing where it names none."""
        listed = getattr(self._spec, "listed", None)
        return self._url(LinkPurpose.UNSUBSCRIBE, scope=Scope.all() if listed is None else Scope.list(listed.key))

    @cached_property
    def preferences(self) -> str:
        """Leads to the person's preferences."""
        return self._url(LinkPurpose.PREFERENCES)

    @cached_property
    def stay(self) -> str:
        """Says yes: keep writing to me."""
        return self._url(LinkPurpose.STAY, scope=Scope.list(self._programme().listed.key))

    @cached_property
    def confirm(self) -> str:
        """Confirms a subscription."""
        if not isinstance(self._spec, ConfirmSubscription | ConfirmResubscription):
            raise self._absent("confirm", "there is nothing to confirm")
        return self._links.url_of(self._spec.token, purpose=LinkPurpose.CONFIRM)

    @cached_property
    def survey(self) -> str:
        """Opens the questions, with nothing chosen; to whoever said why already a place for what else there is."""
        question, told = self._question("survey"), getattr(self._spec, "reason", None)
        return self._answer(question, offers=self._offers()) if told is None else self._answer(question, told)

    @property
    def comment(self) -> str:
        """Opens the page on which a text can be written."""
        self._question("comment")
        return self.survey

    @cached_property
    def answers(self) -> tuple[tuple[str, str], ...]:
        """One link for each reason that can be chosen, with its label."""
        question = self._question("answers")
        labels = LABELS[question]
        return tuple(
            (self._translator.text(labels[reason]), self._answer(question, reason, offers=self._offers()))
            for reason in self._offers()
        )

    def _offers(self) -> tuple[Reason, ...]:
        return getattr(self._spec, "reasons", ())

    def _question(self, name: str) -> Question:
        question = question_of(self._spec.kind)
        if question is None:
            raise self._absent(name, "nothing is asked")
        return question

    def _answer(self, question: Question, reason: Reason | None = None, *, offers: tuple[Reason, ...] = ()) -> str:
        scope, occasion = None, getattr(self._spec, "cancelled_at", None)
        if isinstance(self._spec, ProgrammeSpecification):
            scope = Scope.list(self._spec.listed.key)
        elif isinstance(self._spec, Goodbye):
            scope = Scope.all() if self._spec.left is None else Scope.list(self._spec.left.key)
            occasion = self._spec.left_at
        asked = Answering(
            question=question, reason=reason, offers=offers, most=min(len(offers), most_of(self._spec.kind)),
            about=str(getattr(self._spec, "product", "")), occasion=occasion,
        )  # fmt: skip
        return self._url(LinkPurpose.ANSWER, scope=scope, detail=asked.as_detail())

    def _url(self, purpose: LinkPurpose, *, scope: Scope | None = None, detail: str = "") -> str:
        campaign = getattr(self._spec, "campaign", None)
        return self._links.url(
            purpose, self._spec.to.contact_id, now=self._now, scope=scope, campaign=campaign, detail=detail
        )

    def _programme(self) -> ProgrammeSpecification:
        if not isinstance(self._spec, ProgrammeSpecification):
            raise self._absent("stay", "no list is behind it")
        return self._spec

    def _absent(self, name: str, why: str) -> InvalidTemplate:
        return InvalidTemplate(
            template=self._spec.kind, line=None, reason=f"url.{name} is not for this kind: {why}",
            fix="take it out of the template",
        )  # fmt: skip
