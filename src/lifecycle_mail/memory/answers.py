"""What people answered, in memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from lifecycle_mail.memory.base import Base
from lifecycle_mail.model.answers import Answer, Question, those_that_hold, without_person
from lifecycle_mail.model.names import ContactId, EntryId
from lifecycle_mail.model.peppers import Peppers


class Answering(Base):
    """The port `Answers`."""

    def __init__(self, url: str = "memory:", *, peppers: Mapping[str, str | bytes] | Peppers | None = None) -> None:
        super().__init__(url, peppers=peppers)
        self._answers: dict[ContactId, dict[EntryId, Answer]] = defaultdict(dict)
        self._answers_of_nobody: dict[int, Answer] = {}  # by no more than the order in which they came

    def put_answers(self, answers: Sequence[Answer]) -> None:
        """Write answers; of those with one id the one stays that outranks the others."""
        with self._lock:
            self._enter("put_answers")
            for answer in those_that_hold(answers).values():
                if self._is_hidden(answer.contact_id):
                    continue
                theirs = self._answers[answer.contact_id]
                before = theirs.get(answer.id)
                if before is None or answer.outranks(before):
                    self._set(theirs, answer.id, answer)

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        """Yield answers in order of the instant, then of the id."""
        with self._lock:
            self._enter("answers")
            every = [self._answers_of_nobody.values(), *(theirs.values() for theirs in self._answers.values())]
            found = [
                one
                for some in every
                for one in some
                if (question is None or one.question == question)
                and (since is None or since <= one.at)
                and (before is None or one.at < before)
            ]
            return iter(_in_order(found))

    def answers_of(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Sequence[Answer]]:
        """Return what these contacts answered."""
        with self._lock:
            self._enter("answers_of")
            return {one: _in_order(theirs.values()) for one in contact_ids if (theirs := self._answers.get(one))}

    def _erase_answers(self, contact_id: ContactId) -> None:
        """Leave what somebody chose, as nobody's."""
        for answer in (self._drop(self._answers, contact_id) or {}).values():
            self._set(self._answers_of_nobody, len(self._answers_of_nobody), without_person(answer))


def _in_order(answers: Collection[Answer]) -> list[Answer]:
    return sorted(answers, key=lambda one: (one.at, one.id))
