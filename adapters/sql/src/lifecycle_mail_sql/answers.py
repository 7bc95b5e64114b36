"""What people answered to the question why, in tables.

An answer has the number of who gave it, and the id that `Answer.id` makes of both. An erasure writes it anew with the
number of nobody and a random id, which nothing can be tried against; it begins so that it comes first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from lifecycle_mail.errors import RegistryDamaged
from lifecycle_mail.model.answers import Answer, Question, those_that_hold, without_person
from lifecycle_mail.model.instants import from_micros, to_micros
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail_sql import schema
from lifecycle_mail_sql.parts import PAGE, Part
from lifecycle_mail_sql.texts import checksum, follows, optional, plain, reads, stored, verified

_COLUMNS = (
    "id", "person", "question", "about", "campaign", "asked_at", "at", "reasons", "text", "tool", "improve",
)  # fmt: skip
_LAST = 2**63 - 1
"""The last instant that a row can hold."""
_NOBODYS = "-"
"""How the id of nobody's answer begins; those of others are hexadecimal digits."""


class AnswersPart(Part):
    """`ports.Answers`."""

    def _prepare(self) -> None:
        super()._prepare()
        answers, people, among = schema.answers.c, schema.people.c, self.dialect.among
        rows = [people.name, *(answers[name] for name in (*_COLUMNS, "crc"))]
        known = select(*rows).select_from(schema.answers.outerjoin(schema.people, people.no == answers.person))
        page = known.where(
            tuple_(answers.at, answers.id) > tuple_(bindparam("from"), bindparam("after")),
            answers.at < bindparam("before"),
        )
        page = page.order_by(answers.at, answers.id).limit(PAGE)
        self.__page = page
        self.__page_of_question = page.where(answers.question == bindparam("question"))
        self.__of_people = known.where(among(answers.person, "people"), answers.person > schema.NONE)
        named = select(people.no).where(among(people.name, "names"))
        self.__of_names = known.where(answers.person.in_(named), answers.person > schema.NONE).order_by(
            answers.at, answers.id
        )
        self.__by_id = known.where(among(answers.id, "ids"))
        self.__write = self.dialect.replace(schema.answers)
        self.__drop = delete(schema.answers).where(among(answers.id, "ids"))

    def put_answers(self, answers: Sequence[Answer]) -> None:
        """Write answers; of those with one id the one stays that outranks the others."""
        new = those_that_hold(answers)
        if not new:
            return
        with self.db.writing() as tx:
            for row in tx.execute(self.__by_id, {"ids": self.dialect.many(new)}).all():
                if not new[row.id].outranks(_answer(row)):
                    del new[row.id]
            numbers = self.names.number(tx, dict.fromkeys(one.contact_id for one in new.values()))
            rows = [
                _row(key, numbers.people[one.contact_id][0], one)
                for key, one in new.items()
                if one.contact_id not in numbers.erased
            ]
            if rows:
                tx.execute(self.__write, rows)

    def answers(
        self, *, question: Question | None = None, since: datetime | None = None, before: datetime | None = None
    ) -> Iterator[Answer]:
        """Yield answers in order of the instant, then of the id, a page at a time."""
        asked: dict[str, Any] = {"before": _LAST if before is None else to_micros(before)}
        place: tuple[Any, Any] = (-_LAST if since is None else to_micros(since), "")
        if question is not None:
            asked["question"] = str(question)
        page = self.__page if question is None else self.__page_of_question
        while True:
            with self.db.reading() as tx:
                rows = tx.execute(page, {**asked, "from": place[0], "after": place[1]}).all()
            if not rows:
                return
            for row in rows:
                if not follows((row.at, row.id), place):  # or it would begin again and again
                    raise RegistryDamaged("the answers are out of order: restore a backup, then sweep")
                place = (row.at, row.id)
                yield _answer(row)

    def answers_of(self, contact_ids: Collection[ContactId]) -> Mapping[ContactId, Sequence[Answer]]:
        """Return what these contacts answered."""
        if not contact_ids:
            return {}
        found: dict[ContactId, list[Answer]] = defaultdict(list)
        with self.db.reading() as tx:
            rows = tx.execute(self.__of_names, {"names": self.dialect.many(map(stored, contact_ids))}).all()
        for answer in map(_answer, rows):
            found[answer.contact_id].append(answer)
        return dict(found)

    def _erase_answers(self, tx: Connection, people: Sequence[int]) -> None:
        """Leave what these people chose, as nobody's."""
        rows = tx.execute(self.__of_people, {"people": self.dialect.many(people)}).all()
        if not rows:
            return
        left = [_row(f"{_NOBODYS}{uuid4().hex}", 0, without_person(_answer(row))) for row in rows]
        tx.execute(self.__drop, {"ids": self.dialect.many([row.id for row in rows])})
        tx.execute(schema.answers.insert(), left)


def _row(key: str, person: int, answer: Answer) -> dict[str, Any]:
    values = (
        key, person, answer.question.value, stored(answer.about), optional(answer.campaign),
        to_micros(answer.asked_at), to_micros(answer.at), ",".join(answer.reasons), stored(answer.text),
        stored(answer.tool), stored(answer.improve),
    )  # fmt: skip
    return dict(zip((*_COLUMNS, "crc"), (*values, checksum(values)), strict=True))


@reads("an answer")
def _answer(row: Any) -> Answer:
    name, *values, crc = row
    verified(values, crc, "an answer")
    _, person, question, about, campaign, asked_at, at, reasons, text, tool, improve = values
    return Answer(
        contact_id=ContactId(plain(name) if person else ""),
        question=Question(question),
        reasons=tuple(reasons.split(",")) if reasons else (),
        about=plain(about),
        campaign=None if campaign is None else CampaignKey(plain(campaign)),
        asked_at=from_micros(asked_at),
        at=from_micros(at),
        text=plain(text),
        tool=plain(tool),
        improve=plain(improve),
    )
