from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from lifecycle_mail import mails, where
from lifecycle_mail.errors import CampaignRefused, InvalidTemplate, MailRefused
from lifecycle_mail.mails.samples import BRAND
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.lists import MailingList, Scope
from lifecycle_mail.model.names import ContactId
from lifecycle_mail.policy.campaigns import Campaign
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import Capability, Content
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.testing import lifecycle

NOW = datetime(2026, 3, 3, 10, tzinfo=UTC)
NEWS = MailingList("news", title="News", expect="one story a week")
TIPS = MailingList("tips", title="Tips", expect="a tip a month")
STAY = Campaign("stay-or-go", to=[NEWS])
NOTICE = Campaign("notice", kind="transactional")
LINKS = mails.Links("https://mail.example.com/m", ["a signing key of 32 random bytes"])
RENDERER = mails.Renderer(BRAND, links=LINKS)


def world(*names: str, esp: MemoryEsp | None = None) -> Lifecycle:
    """Return a registry in which these people are on the list of news."""
    mail = lifecycle(NEWS, TIPS, esp=esp or MemoryEsp())
    for name in names:
        mail.subscribe(f"{name}@example.com", NEWS, proof="a form", contact_id=name, now=NOW)
    return mail


def last_chance(to: Screened, *, listed: MailingList = NEWS, contact_id: str = "") -> mails.LastChance:
    """Return what one recipient is asked."""
    reader = mails.Recipient(contact_id=ContactId(contact_id or to.contact_id), address=to.address)
    return mails.LastChance(
        to=reader, listed=listed, campaign=to.campaign, visit_url="https://harbour.example",
        deadline=(NOW + timedelta(days=7)).date(),
    )  # fmt: skip


def singles(mail: Lifecycle) -> MemoryEsp:
    """Return the fake behind a registry."""
    assert isinstance(mail.esp, MemoryEsp)
    return mail.esp


def test_each_recipient_gets_a_mail_of_their_own() -> None:
    """A writer is asked for each who passed the screen, and its headers go along (R4)."""
    mail = world("ada", "bob")
    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW))
    assert 2 == report.sent
    sent = singles(mail).outbox
    assert ["ada", "bob"] == sorted(one.recipient.contact_id for one in sent)
    links = {one.content.headers["List-Unsubscribe"] for one in sent if one.content is not None}
    assert 2 == len(links)
    for one in sent:
        assert one.content is not None
        token = one.content.headers["List-Unsubscribe"].rpartition("/")[2].rstrip(">")
        link = LINKS.read(token, purpose=mails.LinkPurpose.UNSUBSCRIBE, now=NOW)
        assert (one.recipient.contact_id, Scope.list("news")) == (link.contact_id, link.scope)


def test_an_opt_out_on_the_way_keeps_the_mail_from_being_written() -> None:
    """Who said no after the plan is withheld, and no mail is written to them."""
    mail = world("ada", "bob")
    plan = mail.plan(STAY, now=NOW)
    mail.opt_out("ada@example.com", scope=Scope.all(), through="one-click", now=NOW)
    asked: list[str] = []

    def write(to: Screened) -> mails.Mail:
        asked.append(to.contact_id)
        return RENDERER.render(last_chance(to), now=NOW)

    assert (1, ["bob"]) == (mail.send(plan, now=NOW, content=write).sent, asked)


def test_one_who_cannot_be_written_to_stops_nobody_else() -> None:
    """Bad data of one recipient is reported with its error, and may be mended and sent by another call."""
    mail = world("ada", "bob", "cy")

    def write(to: Screened) -> mails.Mail:
        place = "a\nb" if to.contact_id == "bob" else "Tallinn"
        return RENDERER.render(evolve(last_chance(to), place=place), now=NOW)

    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=write)
    assert (2, 1, ["bob"]) == (report.sent, report.returned, list(report.unwritten))
    assert "place" in str(report.unwritten[ContactId("bob")])
    assert "of them without a mail 1" in str(report)
    again = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW))
    assert (1, 3) == (again.sent, len(singles(mail).outbox))


def test_a_broken_template_stops_the_send_and_loses_nobody() -> None:
    """What is wrong for everybody is raised soon; who was not mailed is returned and sent by the next call."""
    mail = world("ada", "bob", "cy", "di", "ed", "flo")
    broken = mails.Renderer(BRAND, links=LINKS, templates={"last-chance": "{% extends 'mail' %}{{ nothing }}"})
    plan = mail.plan(STAY, now=NOW)
    with pytest.raises(InvalidTemplate):
        mail.send(plan, now=NOW, content=lambda to: broken.render(last_chance(to), now=NOW))
    assert [] == singles(mail).outbox
    assert 6 == mail.send(plan, now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW)).sent


def test_a_writer_that_gives_no_mail_stops_nobody_else() -> None:
    """Nothing is written for one of them: the report says for whom, and what to give."""
    mail = world("ada", "bob", "cy")

    def write(to: Screened) -> mails.Mail:
        return RENDERER.render(last_chance(to), now=NOW) if to.contact_id != "bob" else None  # type: ignore[return-value]

    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=write)
    assert (2, ["bob"]) == (report.sent, list(report.unwritten))
    assert "give a Mail" in str(report.unwritten[ContactId("bob")])


def test_a_mistake_of_the_writer_is_raised_with_whose_mail_it_was() -> None:
    """An error of the application's own is not hidden in a report; whose mail it was is said, and nobody is lost."""
    mail = world("ada")
    plan, tiers = mail.plan(STAY, now=NOW), dict[str, mails.Mail]()
    with pytest.raises(KeyError) as raised:
        mail.send(plan, now=NOW, content=lambda to: tiers[to.contact_id])
    assert ["while the mail of contact 'ada' was written"] == raised.value.__notes__
    assert 1 == mail.send(plan, now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW)).sent


def test_a_template_that_fails_for_one_stops_nobody_else() -> None:
    """What only one reader's data breaks is that reader's."""
    mail = world("ada", "bob", "cy")
    day = '{% extends "shipped/last-chance" %}{% block closing %}{{ day(spec.joined_on) }}{% endblock %}'
    fragile = mails.Renderer(BRAND, links=LINKS, templates={"last-chance": day})

    def write(to: Screened) -> mails.Mail:
        joined = None if to.contact_id == "bob" else NOW.date()
        return fragile.render(evolve(last_chance(to), joined_on=joined), now=NOW)

    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=write)
    assert (2, ["bob"]) == (report.sent, list(report.unwritten))


def test_whom_a_person_answers_is_reported_with_the_task() -> None:
    """A writer may say that somebody is answered by a person: no mail leaves, and the report has the task (C3)."""
    mail = world("ada", "bob")

    def write(to: Screened) -> mails.Mail | mails.PersonalReply:
        spent = {"field:spend": 900 if to.contact_id == "ada" else 1}
        marked = where.field("spend") > 100
        return mails.reply_or_mail(RENDERER, last_chance(to), spent, to_person=marked, now=NOW)

    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=write)
    assert (1, 1, ["ada"]) == (report.sent, report.returned, list(report.replies))
    assert "for a person to answer 1" in str(report)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda to: last_chance(to, contact_id="bob"),
        lambda to: last_chance(to, listed=TIPS),
        lambda to: evolve(last_chance(to), campaign="another"),
    ],
    ids=["somebody else", "another list", "another campaign"],
)
def test_a_mail_for_somebody_else_or_another_list_is_not_sent(wrong: Callable[[Screened], mails.LastChance]) -> None:
    """The mail that was written is held against the recipient that was screened (L3)."""
    mail = world("ada")
    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=lambda to: RENDERER.render(wrong(to), now=NOW))
    assert (0, [], {"ada": MailRefused}) == (
        report.sent, singles(mail).outbox, {one: type(error) for one, error in report.unwritten.items()}
    )  # fmt: skip


def test_marketing_never_leaves_in_a_transactional_campaign() -> None:
    """A transactional campaign reaches who opted out, so no marketing mail goes with it (O2)."""
    mail = world("ada")
    mail.opt_out("ada@example.com", scope=Scope.all(), through="one-click", now=NOW)
    plan = mail.plan(NOTICE, to=["ada"], now=NOW)
    assert 1 == plan.sendable
    report = mail.send(plan, now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW))
    assert ([], ["ada"]) == (singles(mail).outbox, list(report.unwritten))
    said = str(report.unwritten[ContactId("ada")])
    assert said.startswith("last-chance is marketing, and 'notice' has kind=\"transactional\"")
    assert said.endswith('send it with a campaign of kind="marketing"')


def test_what_has_no_way_out_never_leaves_as_marketing() -> None:
    """A transactional mail has no opt-out in it, so no marketing campaign sends it (O2)."""
    mail = world("ada")

    def write(to: Screened) -> mails.Mail:
        reader = mails.Recipient(contact_id=to.contact_id, address=to.address)
        return RENDERER.render(mails.CancellationNote(to=reader, product="Harbour Pro", cancelled_at=NOW), now=NOW)

    report = mail.send(mail.plan(STAY, now=NOW), now=NOW, content=write)
    assert (0, ["ada"]) == (report.sent, list(report.unwritten))
    said = str(report.unwritten[ContactId("ada")])
    assert said.startswith("cancellation-note has no way out in it, and 'stay-or-go' has kind=\"marketing\"")
    assert said.endswith('send it with a campaign of kind="transactional"')


def test_a_cancellation_reaches_who_opted_out() -> None:
    """A notice of a cancellation is transactional (C6)."""
    mail = world("ada")
    mail.opt_out("ada@example.com", scope=Scope.all(), through="one-click", now=NOW)

    def write(to: Screened) -> mails.Mail:
        reader = mails.Recipient(contact_id=to.contact_id, address=to.address)
        return RENDERER.render(mails.CancellationNote(to=reader, product="Harbour Pro", cancelled_at=NOW), now=NOW)

    assert 1 == mail.send(mail.plan(NOTICE, to=["ada"], now=NOW), now=NOW, content=write).sent


def test_plain_content_may_be_written_too() -> None:
    """A writer may give content of its own making."""
    mail = world("ada")
    mail.send(mail.plan(STAY, now=NOW), now=NOW, content=lambda to: Content(subject=to.contact_id, text="Hello."))
    assert ["ada"] == [one.content.subject for one in singles(mail).outbox if one.content is not None]


def test_an_esp_that_sends_campaigns_alone_takes_one_text() -> None:
    """What differs by recipient cannot go into a campaign that holds one text: it is said before anything is staged."""
    esp = MemoryEsp(capabilities={Capability.CAMPAIGNS})
    mail = world("ada", esp=esp)
    with pytest.raises(CampaignRefused, match="one text"):
        mail.send(mail.plan(STAY, now=NOW), now=NOW, content=lambda to: RENDERER.render(last_chance(to), now=NOW))
    assert [] == esp.outbox
