"""What nobody can know of a send for sure: lost answers, an ESP that shows the past, two workers at one campaign."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from lifecycle_mail.errors import CampaignRefused, EspRefused, EspUnavailable, OutcomeUnknown
from lifecycle_mail.memory import MemoryEsp
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.model.peppers import Peppers
from lifecycle_mail.model.provenance import Actor
from lifecycle_mail.ports import Capability
from lifecycle_mail.service import Lifecycle
from lifecycle_mail.service.leasing import LEASE
from lifecycle_mail.service.sending import READS
from lifecycle_mail.service.sending.base import Worker
from lifecycle_mail.testing.stores import PEPPERS
from tests.service.worlds import (
    BOTH_WAYS,
    CAMPAIGNS_ONLY,
    DAY,
    HOUR,
    MAILS_ONLY,
    MINUTE,
    NOW,
    PROOF,
    Crashed,
    Meddling,
    accounted,
    address,
    fake,
    join,
    mailed,
    needs_confirmation,
    sent_counts,
    states,
    world,
)

ALL = Scope.all()
SPRING = CampaignKey("spring")
AHEAD = LEASE + 5 * MINUTE
"""How far the clock of the second worker is ahead: to it, the first one's lease has run out."""


def send(mail: Lifecycle, after: timedelta = timedelta(0)) -> Any:
    """Plan and send, so long after now."""
    return mail.send(mail.plan("spring", now=NOW + after), now=NOW + after)


def in_flight(mail: Lifecycle, name: str) -> bool:
    """Tell whether it is noted that somebody's no came too late for the mail."""
    (claim,) = mail.store.claims_of(ContactId(name))
    return claim.opted_out_at is not None


def dies(*_: Any, **__: Any) -> None:
    """End the process."""
    raise Crashed


# --- F17, F18: a no that names nobody but by a hash -------------------------------------------------------------------


def hashed_list(folder: Path, *names: str) -> Path:
    """Write a list of people who are out, as another system hands it on: keyed hashes of their match keys."""
    path = folder / "hashes.csv"
    hidden = (Peppers(PEPPERS).hashed(f"1:{address(name)}") for name in names)
    path.write_text("\n".join(["hash", *hidden]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(("when", "during"), [("before", "stage"), ("after", "stage"), ("after", "staged")])
def test_a_list_of_hashes_that_is_imported_meanwhile_is_heard(when: str, during: str, tmp_path: Path) -> None:
    """Until the release it holds the mail back, as a list of addresses would (F17)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp, peppers=PEPPERS)
    path = hashed_list(tmp_path, "bob")
    getattr(esp, when)[during] = lambda: mail.import_opt_outs(path, now=NOW)
    assert 1 == send(mail).sent
    assert ["ada"] == mailed(mail)


@pytest.mark.parametrize(("capabilities", "during"), [(MAILS_ONLY, "send"), (CAMPAIGNS_ONLY, "release")])
@pytest.mark.parametrize("when", ["before", "after", "later"])
def test_a_list_of_hashes_that_comes_too_late_is_noted(
    capabilities: Collection[Capability], during: str, when: str, tmp_path: Path
) -> None:
    """Who is on it and was mailed has that written on their mail, and nobody else (F18)."""
    esp = Meddling(capabilities=capabilities)
    mail = world("ada", "bob", esp=esp, peppers=PEPPERS)
    mail.change_address("ada", "a2@example.com", by=Actor.CONTACT, now=NOW - HOUR)
    path = hashed_list(tmp_path, "ada", "nobody")  # ada's at her former address
    if when != "later":
        getattr(esp, when)[during] = lambda: mail.import_opt_outs(path, now=NOW)
    send(mail)
    if when == "later":
        mail.import_opt_outs(path, now=NOW + MINUTE)
    assert ["ada", "bob"] == mailed(mail)
    assert (True, False) == (in_flight(mail, "ada"), in_flight(mail, "bob"))


# --- F22: no answer to the release, or to staging ---------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [5_000, 2, 1])
@pytest.mark.parametrize("lag", [0, 1, 2, 9])
@pytest.mark.parametrize("then", [None, EspUnavailable, OutcomeUnknown])
@pytest.mark.parametrize("operation", ["release", "stage"])
def test_who_was_staged_when_an_answer_got_lost_is_believed_by_acknowledgement_alone(
    operation: str, then: Any, lag: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay staged there, one of them says no, and the ESP shows the past: no mail after the no (F17, F22)."""
    monkeypatch.setattr(Worker, "chunk", chunk)
    names = ["bob", "cem", "zoe"]
    mail = world(*names, esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).fail(operation, OutcomeUnknown, done=operation == "stage", times=1 + (operation == "stage"))
    send(mail)
    mail.reconcile("spring", now=NOW + HOUR)
    mail.opt_out("zoe", scope=ALL, now=NOW + HOUR)
    if then is not None:
        fake(mail).fail("stage", then, times=2)
    fake(mail).lag(lag)
    for hours in (2, 3):
        send(mail, hours * HOUR)
        assert "zoe" not in mailed(mail)
        assert {one for one, state in states(mail).items() if state == "handed-off"} == set(mailed(mail))
        mail.reconcile("spring", now=NOW + hours * HOUR)
    fake(mail).lag(0)
    send(mail, 4 * HOUR)
    assert ["bob", "cem"] == mailed(mail)
    assert {"bob": 1, "cem": 1, "zoe": 0} == sent_counts(mail, names)


@pytest.mark.parametrize("lag", [0, 1, 2, 9])
def test_a_chunk_that_was_staged_in_part_is_taken_out_first(lag: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ESP takes a chunk and answers that it did not: a 503 after the work, a 429 in the middle of it (F24, F26)."""
    monkeypatch.setattr(Worker, "chunk", 2)

    class Half(MemoryEsp):
        answers = True

        def stage(self, *args: Any, **options: Any) -> Any:
            done = super().stage(*args, **options)
            if not self.answers:
                raise EspUnavailable(esp="memory", operation="stage", status=503)
            return done

    esp = Half(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "ann", "zoe", esp=esp)
    esp.answers = False
    assert 3 == send(mail).returned
    esp.answers = True
    for who in ("ann", "zoe"):
        mail.opt_out(who, scope=ALL, now=NOW)
    esp.lag(lag)
    for hours in (1, 2):
        send(mail, hours * HOUR)
        assert {"ada"} >= set(mailed(mail))
    esp.lag(0)
    send(mail, 3 * HOUR)
    assert ["ada"] == mailed(mail)


@pytest.mark.parametrize("refuses", [False, True])
def test_who_is_refused_when_staged_again_may_be_in_from_the_first_time(refuses: bool) -> None:
    """They are taken out; where the ESP refuses even that, all of the chunk is in doubt (F22)."""

    class Twice(MemoryEsp):
        def stage(self, *args: Any, **options: Any) -> Any:
            done = super().stage(*args, **options)
            if self.calls.count("stage") == 2:
                self.refuse(address("dee"))
                raise OutcomeUnknown(esp="memory", operation="stage")
            return done

    esp = Twice(capabilities=CAMPAIGNS_ONLY)
    mail = world("bob", "cem", esp=esp)
    esp.fail("release", EspUnavailable)
    send(mail)
    for name in ("ada", "dee"):
        join(mail, name)
    esp.lag(50)  # shows bob and cem from here on
    if refuses:
        esp.fail("unstage", EspRefused)
    send(mail)
    assert mailed(mail) == ([] if refuses else ["ada", "bob", "cem"])
    mail.opt_out("ada", scope=ALL, now=NOW + MINUTE)
    esp.lag(50)
    for hours in (1, 2):
        send(mail, hours * HOUR)
        esp.lag(0)
    assert mailed(mail) == (["bob", "cem"] if refuses else ["ada", "bob", "cem"])


def test_what_the_esp_loses_at_the_last_moment_is_not_counted_as_mailed() -> None:
    """One never shows and is taken out, and then another is gone: nothing is released, and the next call mends it."""

    class Losing(MemoryEsp):
        reads = 0

        def staged(self, campaign: CampaignKey) -> Collection[ContactId]:
            self.reads += 1
            if self.reads == READS + 1:
                self._staged[campaign].pop(ContactId("zoe"))
            hidden = {"ann"} if self.reads <= READS else set()
            return {one for one in super().staged(campaign) if one not in hidden}

    mail = world("ada", "ann", "zoe", esp=Losing(capabilities=CAMPAIGNS_ONLY))
    plan = mail.plan("spring", now=NOW)
    report = mail.send(plan, now=NOW)
    assert isinstance(report.problem, EspUnavailable)
    assert accounted(plan, report)
    assert [] == mailed(mail)
    send(mail, HOUR)
    assert {one for one, state in states(mail).items() if state == "handed-off"} == set(mailed(mail))


def test_where_nobody_can_tell_whether_it_was_released_it_stays_unknown() -> None:
    """No send, no new campaign for people who may have been mailed, until the ESP knows (F22)."""
    esp = MemoryEsp(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    esp.fail("release", OutcomeUnknown, done=True)
    assert 2 == send(mail).unknown
    esp.doubt(2)
    assert {"handed-off": 0, "returned": 0, "unknown": 2} == mail.reconcile("spring", now=NOW + HOUR)
    plan = mail.plan("spring", now=NOW + HOUR)
    report = mail.send(plan, now=NOW + HOUR)
    assert isinstance(report.problem, EspUnavailable)
    assert "cannot tell yet" in str(report.problem)
    assert ["spring"] == [claim.campaign for claim in mail.opt_out("ada", scope=ALL, now=NOW + HOUR).in_flight]
    assert {"handed-off": 2, "returned": 0, "unknown": 0} == mail.reconcile("spring", now=NOW + 2 * HOUR)
    assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])


class Asked(MemoryEsp):
    """An ESP while one is asking whether a mail left, something else is done, once.

    Attributes:
        meanwhile: what.
    """

    meanwhile: Callable[[], object] | None = None

    def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
        """Tell, and let something happen."""
        answer = super().was_sent(campaign, contact_id)
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return answer


@pytest.mark.parametrize("what", ["reconcile", "send"])
def test_while_one_is_asking_what_left_others_wait(what: str) -> None:
    """Neither a second one who asks nor a send comes in between: each mail is counted once (F20, F22)."""
    refused: list[str] = []

    def come_in() -> None:
        with pytest.raises(CampaignRefused, match="is being sent") as caught:
            mail.reconcile("spring", now=NOW + HOUR) if what == "reconcile" else send(mail, HOUR)
        refused.append(str(caught.value))

    esp = Asked(capabilities=MAILS_ONLY)
    mail = world("bob", esp=esp)
    esp.fail("send", OutcomeUnknown, done=True)
    send(mail)
    esp.meanwhile = come_in
    assert {"handed-off": 1, "returned": 0, "unknown": 0} == mail.reconcile("spring", now=NOW + HOUR)
    assert 1 == len(refused)
    assert {"bob": 1} == sent_counts(mail, ["bob"])


def test_an_old_answer_settles_no_new_doubt() -> None:
    """Another takes over by a clock that is ahead and mails her, again without an answer: she gets one mail (F22)."""
    esp = Asked(capabilities=MAILS_ONLY)
    mail = world("ada", "bob", esp=esp)
    other = world(store=mail.store, esp=esp)
    esp.fail("send", OutcomeUnknown, times=2)
    send(mail)

    def take_over() -> None:
        other.reconcile("spring", now=NOW + HOUR + AHEAD)
        esp.fail("send", OutcomeUnknown, done=True)
        send(other, HOUR + AHEAD)

    esp.meanwhile = take_over
    with pytest.raises(CampaignRefused, match="taken over"):
        mail.reconcile("spring", now=NOW + HOUR)
    for hours in (24, 25):
        mail.reconcile("spring", now=NOW + hours * HOUR)
        send(mail, hours * HOUR)
    assert ["ada", "bob"] == mailed(mail)
    assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])


@pytest.mark.parametrize("lag", [0, 1, 9])
def test_whoever_joins_before_a_doubt_is_settled_shuts_nobody_out(lag: int) -> None:
    """The release gave no answer and was none, dee joins, and it is sent again: to all of them (F22)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).fail("release", OutcomeUnknown)
    send(mail)
    join(mail, "dee")
    fake(mail).lag(lag)
    plan = mail.plan("spring", now=NOW + HOUR)
    for _ in range(3):
        with pytest.raises(CampaignRefused, match="2 more may get it: plan it again"):
            mail.send(plan, now=NOW + HOUR)
    assert [] == mailed(mail)
    for hours in (2, 3):
        send(mail, hours * HOUR)
        fake(mail).lag(0)
    assert ["ada", "bob", "dee"] == mailed(mail)
    assert {"ada": 1, "bob": 1, "dee": 1} == sent_counts(mail, ["ada", "bob", "dee"])


def test_who_may_no_longer_be_mailed_shuts_nobody_out_either() -> None:
    """Those that a plan made in doubt left out have opted out since: it is sent to whom it names (F17, F22)."""
    mail = world("ada", "bob", esp=MemoryEsp(capabilities=CAMPAIGNS_ONLY))
    fake(mail).fail("release", OutcomeUnknown)
    send(mail)
    join(mail, "dee")
    plan = mail.plan("spring", now=NOW + HOUR)
    mail.opt_out("ada", scope=ALL, now=NOW + HOUR)
    with pytest.raises(CampaignRefused, match="1 more may get it: plan it again"):
        mail.send(plan, now=NOW + HOUR)
    mail.opt_out("bob", scope=ALL, now=NOW + HOUR)
    assert 1 == mail.send(plan, now=NOW + HOUR).sent
    assert ["dee"] == mailed(mail)


@pytest.mark.parametrize("during", ["unstage", "stage", "staged", "release"])
def test_nobody_asks_what_left_in_the_middle_of_a_send(during: str) -> None:
    """Who was unknown is taken out and staged again, and that is all that becomes of them (F22)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)
    esp.fail("release", OutcomeUnknown)
    mail.send(plan, now=NOW)

    def ask() -> None:
        with pytest.raises(CampaignRefused, match="is being sent"):
            mail.reconcile("spring", now=NOW + HOUR)

    esp.after[during] = ask
    assert 2 == mail.send(plan, now=NOW + HOUR).sent
    assert ["ada", "bob"] == mailed(mail)


def test_whoever_is_erased_while_an_esp_is_asked_keeps_nobody_from_an_answer() -> None:
    """Of the others it is settled what the ESP said; of who was erased it is asked nothing under a hash (O5, F22)."""

    class Slow(MemoryEsp):
        asked: tuple[str, ...] = ()

        def was_sent(self, campaign: CampaignKey, contact_id: ContactId) -> bool | None:
            if not self.asked:
                mail.erase("bob", by=Actor.CONTACT, now=NOW)
            self.asked += (contact_id,)
            return super().was_sent(campaign, contact_id)

    esp = Slow(capabilities=MAILS_ONLY)
    mail = world("ada", "bob", "cem", esp=esp, peppers=PEPPERS)
    esp.fail("send", OutcomeUnknown, done=True, times=3)
    send(mail)
    told = mail.reconcile("spring", now=NOW + HOUR)
    assert 3 == sum(told.values())
    assert 2 <= told["handed-off"]
    assert {"ada": 1, "cem": 1} == sent_counts(mail, ["ada", "cem"])
    mail.reconcile("spring", now=NOW + HOUR)
    assert {"ada", "bob", "cem"} == set(esp.asked)


def test_of_who_was_erased_before_it_is_never_known_whether_a_single_mail_left() -> None:
    """The ESP has not heard of the hash: its no would mean nothing, and the mail stays unknown (O5, F22)."""
    mail = world("bob", esp=MemoryEsp(capabilities=MAILS_ONLY), peppers=PEPPERS)
    fake(mail).fail("send", OutcomeUnknown, done=True)
    send(mail)
    mail.erase("bob", by=Actor.CONTACT, now=NOW)
    calls = len(fake(mail).calls)
    assert {"handed-off": 0, "returned": 0, "unknown": 1} == mail.reconcile("spring", now=NOW + HOUR)
    assert [] == fake(mail).calls[calls:]


# --- F17: a no at the last moment -------------------------------------------------------------------------------------


class Between:
    """A store as one worker sees it; directly before its Nth call outside of a transaction something happens.

    Attributes:
        calls: how many such calls there were.
    """

    def __init__(self, store: Any, at: int, happens: Callable[[], object]) -> None:
        self._store = store
        self._at = at
        self._happens = happens
        self._depth = 0
        self.calls = 0

    def _come(self) -> None:
        if self._depth == 0:
            self.calls += 1
            if self.calls == self._at:
                self._happens()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Open one, after what happens."""
        self._come()
        self._depth += 1
        try:
            with self._store.transaction():
                yield
        finally:
            self._depth -= 1

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not callable(value):
            return value

        def call(*arguments: Any, **named: Any) -> Any:
            self._come()
            return value(*arguments, **named)

        return call


@pytest.mark.parametrize("hidden", [False, True], ids=["in person", "by a list of hashes"])
def test_a_no_before_any_call_of_a_send_is_heard(hidden: bool, tmp_path: Path) -> None:
    """Until the release is called, however late: the last look at the log and the release have nothing in between."""
    path = hashed_list(tmp_path, "bob")
    seen = set()
    for at in range(1, 200):
        esp = MemoryEsp(capabilities=CAMPAIGNS_ONLY)
        mail = world("ada", "bob", esp=esp, peppers=PEPPERS)
        too_late: list[bool] = []
        leave = partial(mail.import_opt_outs, path) if hidden else partial(mail.opt_out, "bob", scope=ALL)

        def happens(esp: MemoryEsp = esp, too_late: list[bool] = too_late, leave: Any = leave) -> None:
            too_late.append("release" in esp.calls)
            leave(now=NOW)

        plan = mail.plan("spring", now=NOW)
        world(store=Between(mail.store, at, happens), esp=esp, peppers=PEPPERS).send(plan, now=NOW)
        if not too_late:
            break
        assert too_late == ["bob" in mailed(mail)], f"before call {at}"
        assert not too_late[0] or in_flight(mail, "bob"), f"before call {at}"
        seen.add(too_late[0])
    assert {True, False} == seen


# --- F19: two workers, and clocks that lie apart ----------------------------------------------------------------------


@pytest.mark.parametrize(("when", "during"), [("after", "stage"), ("after", "staged"), ("before", "release")])
@pytest.mark.parametrize("ends", ["dies", "is stopped"])
def test_what_another_worker_staged_is_not_released_unscreened(ends: str, when: str, during: str) -> None:
    """It takes over by a clock that is ahead, stages dee, and leaves; dee says no: the first releases nothing (F19)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    plan = mail.plan("spring", now=NOW)
    other = world(store=mail.store, esp=esp)

    def take_over() -> None:
        join(other, "dee")
        if ends == "dies":
            esp.after["stage"] = dies
        else:
            esp.fail("staged", EspUnavailable)
        with suppress(Crashed):
            send(other, AHEAD)
        other.opt_out("dee", scope=ALL, now=NOW + AHEAD)

    getattr(esp, when)[during] = take_over
    with suppress(CampaignRefused):
        mail.send(plan, now=NOW)
    after_hand_off = during == "release"  # it was taken over within the call: the hand-off itself
    assert after_hand_off or [] == mailed(mail)
    for hours in (2, 3):
        with suppress(CampaignRefused):
            send(mail, hours * HOUR)
    assert {*mailed(mail)} - {"dee"} == {"ada", "bob"}
    assert after_hand_off or "dee" not in mailed(mail)
    assert "dee" not in mailed(mail) or in_flight(mail, "dee")
    assert {one for one, state in states(mail).items() if state == "handed-off"} == set(mailed(mail))


def test_an_answer_from_before_another_took_over_settles_nothing() -> None:
    """It said that nothing was released; then another releases, without an answer: that is a new doubt (F19, F22)."""

    class Asked(MemoryEsp):
        meanwhile: Callable[[], object] | None = None

        def released(self, campaign: CampaignKey) -> bool | None:
            answer = super().released(campaign)
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile is not None:
                meanwhile()
            return answer

    def take_over() -> None:
        esp.fail("release", OutcomeUnknown, done=True)
        send(other, AHEAD)

    esp = Asked(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", esp=esp)
    other = world(store=mail.store, esp=esp)
    plan = mail.plan("spring", now=NOW)
    esp.meanwhile = take_over
    with pytest.raises(CampaignRefused, match="another worker"):
        mail.send(plan, now=NOW)
    assert {"ada": "unknown", "bob": "unknown"} == states(mail)
    assert 2 == mail.reconcile("spring", now=NOW + DAY)["handed-off"]
    assert ["ada", "bob"] == mailed(mail)
    assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])


@pytest.mark.parametrize("capabilities", BOTH_WAYS, ids=["mails", "campaigns"])
def test_who_lost_the_campaign_claims_nobody(capabilities: Collection[Capability]) -> None:
    """Another had it and has given it back: whose it was before has to begin anew (F19)."""
    esp = Meddling(capabilities=capabilities)
    mail = world("ada", "bob", esp=esp)
    other = world(store=mail.store, esp=esp)
    plan = mail.plan("spring", now=NOW)
    esp.after["send" if capabilities == MAILS_ONLY else "stage"] = lambda: send(other, AHEAD)
    with pytest.raises(CampaignRefused, match="another worker"):
        mail.send(plan, now=NOW)
    mail.reconcile("spring", now=NOW + DAY)
    with suppress(CampaignRefused):
        send(mail, DAY)
    assert ["ada", "bob"] == mailed(mail)
    assert {"ada": 1, "bob": 1} == sent_counts(mail, ["ada", "bob"])


# --- F18: what was too late is noted, whoever dies --------------------------------------------------------------------


def test_a_no_that_was_taken_back_before_the_claim_is_not_in_flight() -> None:
    """Ada was staged before; bob said no and confirmed before he was, so his mail came as he wished (F18)."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", esp=esp)
    esp.fail("release", EspUnavailable)
    send(mail)
    join(mail, "bob")
    mail.opt_out("bob", scope=ALL, now=NOW)
    asked = needs_confirmation(mail.subscribe(address("bob"), "offers", proof=PROOF, now=NOW + MINUTE))
    mail.confirm(asked.token, now=NOW + 2 * MINUTE)
    esp.after["release"] = dies
    with pytest.raises(Crashed):
        send(mail, HOUR)
    assert 0 == send(mail, 2 * HOUR).problem is None or ["ada", "bob"] == mailed(mail)
    assert (False, False) == (in_flight(mail, "ada"), in_flight(mail, "bob"))


def test_what_an_interrupted_send_mailed_beside_the_plan_is_told_apart() -> None:
    """The figures add up to the plan; those who have left it since, and were mailed before, are counted beside it."""
    esp = Meddling(capabilities=CAMPAIGNS_ONLY)
    mail = world("ada", "bob", "cem", esp=esp)
    esp.after["release"] = dies
    with pytest.raises(Crashed):
        send(mail)
    mail.opt_out("ada", scope=ALL, now=NOW)
    plan = mail.plan("spring", now=NOW + HOUR)
    report = mail.send(plan, now=NOW + HOUR)
    assert (2, 2, 1) == (plan.sendable, report.sent, report.others)
    assert accounted(plan, report)
    assert "beside the plan 1 handed off before" in str(report)
    assert in_flight(mail, "ada")
