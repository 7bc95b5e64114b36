"""The laws of claims: at most one mail for each campaign and contact (F19)."""

# ruff: noqa: S101, SIM300 - a suite is made of tests

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from lifecycle_mail.errors import CampaignRefused
from lifecycle_mail.model.lists import MailingList
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.policy.campaigns import CampaignKind
from lifecycle_mail.policy.eligibility import Screened
from lifecycle_mail.ports import LARGEST_CHUNK, Claim, ClaimState, Store
from lifecycle_mail.testing.builders import campaign, contact, frozen_now, screened
from lifecycle_mail.testing.conformance import raises
from lifecycle_mail.testing.stores.making import MakesStores

SPRING, AUTUMN = CampaignKey("spring"), CampaignKey("autumn")
MINUTE = timedelta(minutes=1)
ADA, BOB = ContactId("ada"), ContactId("bob")


def recipient(name: str, send: str = "spring", *, position: int = 7) -> Screened:
    """Return a screened recipient of a campaign to the list `offers`."""
    return screened(contact(name), campaign(send), position=position)


class ClaimsConformance(MakesStores, suite=True):
    """The laws of `ports.Claims`."""

    def test_a_claim_says_what_was_screened(self) -> None:
        """The list that the link leaves and the position of the log are kept: they decide what a later click means."""
        with self.opened() as store:
            assert {ADA} == set(store.claim([recipient("ada")], at=frozen_now))
            expected = Claim(
                campaign=SPRING,
                contact_id=ADA,
                state=ClaimState.CLAIMED,
                leaves_list=MailingList("offers").key,
                address="1:ada@example.com",
                position=7,
                at=frozen_now,
            )
            assert {ADA: expected} == dict(store.claims(SPRING))
            assert [expected] == list(store.claims_of(ADA))
            assert {} == dict(store.claims(AUTUMN))
            assert [] == list(store.claims_of(BOB))

    def test_claims_of_some_are_those_of_all(self) -> None:
        """Asked for some contacts, a store answers for those who have a claim, by the ids that were asked for (F68)."""
        with self.opened() as store:
            store.claim([recipient("ada"), recipient("bob")], at=frozen_now)
            every = store.claims(SPRING)
            assert {ADA: every[ADA]} == dict(store.claims(SPRING, [ADA, ContactId("nobody")]))
            assert dict(every) == dict(store.claims(SPRING, [BOB, ADA]))
            assert {} == dict(store.claims(SPRING, []))
            assert {} == dict(store.claims(AUTUMN, [ADA]))

    def test_one_address_is_claimed_once(self) -> None:
        """Two contacts with one address are one inbox: one mail of a campaign goes there, until it is given back."""
        twins = [screened(contact(one, address="ada@example.com"), campaign("spring")) for one in ("ada", "twin")]
        with self.opened() as store:
            assert {ADA} == set(store.claim(twins, at=frozen_now))
            assert set() == set(store.claim(twins[1:], at=frozen_now))
            store.settle(SPRING, [ADA], ClaimState.RETURNED, at=frozen_now)
            assert {ContactId("twin")} == set(store.claim(twins[1:], at=frozen_now))

    def test_what_was_returned_is_not_taken_up_where_another_has_the_inbox(self) -> None:
        """A worker that comes late must not make it two mails in one inbox (F19); then nobody of them is settled."""
        twins = [screened(contact(one, address="ada@example.com"), campaign("spring")) for one in ("ada", "twin")]
        with self.opened() as store:
            store.claim([twins[0], recipient("bob")], at=frozen_now)
            store.settle(SPRING, [ADA], ClaimState.RETURNED, at=frozen_now)
            store.claim(twins[1:], at=frozen_now)
            before = dict(store.claims(SPRING))
            late = partial(store.settle, SPRING, [BOB, ADA], ClaimState.HANDED_OFF, at=frozen_now + MINUTE)
            raises(CampaignRefused, late)
            assert before == dict(store.claims(SPRING))
            store.settle(SPRING, [ContactId("twin")], ClaimState.RETURNED, at=frozen_now)
            late()
            assert {ClaimState.HANDED_OFF} == {store.claims(SPRING)[one].state for one in (ADA, BOB)}

    def test_who_has_no_claim_is_not_settled(self) -> None:
        """And neither is anybody who is named with them."""
        with self.opened() as store:
            store.claim([recipient("ada")], at=frozen_now)
            before = dict(store.claims(SPRING))
            raises(KeyError, partial(store.settle, SPRING, [ADA, BOB], ClaimState.UNKNOWN, at=frozen_now + MINUTE))
            assert before == dict(store.claims(SPRING))

    def test_a_transactional_claim_leaves_no_list(self) -> None:
        """A receipt has no list behind it."""
        receipt = campaign("receipt", kind=CampaignKind.TRANSACTIONAL)
        with self.opened() as store:
            store.claim([screened(contact("ada"), receipt)], at=frozen_now)
            assert store.claims_of(ADA)[0].leaves_list is None

    def test_receipts_share_an_inbox(self) -> None:
        """Two contacts with one address each get theirs, also one whose mail was given back and taken up again."""
        receipt = campaign("receipt", kind=CampaignKind.TRANSACTIONAL)
        twins = [screened(contact(one, address="ada@example.com"), receipt) for one in ("ada", "twin")]
        with self.opened() as store:
            assert {ADA, ContactId("twin")} == set(store.claim(twins, at=frozen_now))
            store.settle(receipt.key, [ADA], ClaimState.RETURNED, at=frozen_now)
            store.settle(receipt.key, [ADA], ClaimState.HANDED_OFF, at=frozen_now)
            assert ClaimState.HANDED_OFF is store.claims(receipt.key)[ADA].state

    def test_what_is_claimed_is_taken(self) -> None:
        """A second claim returns only who was free, in other chunks and twice within one."""
        with self.opened() as store:
            assert {ADA} == set(store.claim([recipient("ada"), recipient("ada")], at=frozen_now))
            assert {BOB} == set(store.claim([recipient("ada"), recipient("bob")], at=frozen_now))
            assert set() == set(store.claim([recipient("ada"), recipient("bob")], at=frozen_now))
            assert {ADA} == set(store.claim([recipient("ada", "autumn")], at=frozen_now))
            assert set() == set(store.claim([], at=frozen_now))

    def test_only_what_was_returned_may_be_claimed_again(self) -> None:
        """After every other state the claim stands, for good (F22)."""
        for state in ClaimState:
            with self.opened() as store:
                store.claim([recipient("ada")], at=frozen_now)
                store.settle(SPRING, [ADA], state, at=frozen_now + MINUTE)
                again = set(store.claim([recipient("ada", position=9)], at=frozen_now + 2 * MINUTE))
                assert (again == {ADA}) is (state is ClaimState.RETURNED), state
                found = store.claims(SPRING)[ADA]
                if again:
                    assert (ClaimState.CLAIMED, 9, frozen_now + 2 * MINUTE) == (found.state, found.position, found.at)
                else:
                    assert (state, 7, frozen_now + MINUTE) == (found.state, found.position, found.at)

    def test_settle_moves_only_whom_it_names(self) -> None:
        """State and instant change for those named, nothing changes for the rest."""
        with self.opened() as store:
            store.claim([recipient("ada"), recipient("bob")], at=frozen_now)
            store.settle(SPRING, {ADA}, ClaimState.HANDED_OFF, at=frozen_now + MINUTE)
            store.settle(SPRING, set(), ClaimState.UNKNOWN, at=frozen_now + MINUTE)
            found = {one: (claim.state, claim.at) for one, claim in store.claims(SPRING).items()}
            expected = {ADA: (ClaimState.HANDED_OFF, frozen_now + MINUTE), BOB: (ClaimState.CLAIMED, frozen_now)}
            assert expected == found

    def test_a_chunk_has_an_end(self) -> None:
        """One claim covers at most `LARGEST_CHUNK` recipients, and one more claims nobody."""
        one = recipient("ada")
        with self.opened() as store:
            raises(CampaignRefused, lambda: store.claim([one] * (LARGEST_CHUNK + 1), at=frozen_now))
            assert {} == dict(store.claims(SPRING))
            assert {ADA} == set(store.claim([one] * LARGEST_CHUNK, at=frozen_now))

    def test_claims_of_a_contact_come_oldest_first(self) -> None:
        """Over campaigns, by the instant of their state."""
        with self.opened() as store:
            for minutes, send in ((3, "a"), (1, "c"), (2, "b")):
                store.claim([recipient("ada", send)], at=frozen_now + minutes * MINUTE)
            assert ["c", "b", "a"] == [claim.campaign for claim in store.claims_of(ADA)]

    def test_the_earliest_no_after_hand_off_stays(self) -> None:
        """A mail in flight keeps the first instant at which the person said no, through later states (F18)."""
        with self.opened() as store:
            for send in ("spring", "autumn", "winter"):
                store.claim([recipient("ada", send)], at=frozen_now)
                store.settle(CampaignKey(send), [ADA], ClaimState.UNKNOWN, at=frozen_now)
            for minutes in (5, 3, 9):
                store.mark_in_flight(ADA, [SPRING, AUTUMN], opted_out_at=frozen_now + minutes * MINUTE)
            store.settle(SPRING, [ADA], ClaimState.HANDED_OFF, at=frozen_now + MINUTE)
            found = {claim.campaign: claim.opted_out_at for claim in store.claims_of(ADA)}
            early = frozen_now + 3 * MINUTE
            assert {SPRING: early, AUTUMN: early, CampaignKey("winter"): None} == found

    def test_of_many_workers_each_contact_is_claimed_by_one(self) -> None:
        """Eight workers over the same recipients, in different orders and chunks: each claimed exactly once (F19)."""
        recipients = [recipient(f"c{number}") for number in range(120)]
        won: list[ContactId] = []

        def worker(turn: int) -> Callable[[Store], None]:
            def claim(store: Store) -> None:
                mine = recipients[15 * turn :] + recipients[: 15 * turn]
                mine = mine if turn % 2 else mine[::-1]
                for start in range(0, len(mine), 7 + turn):
                    won.extend(store.claim(mine[start : start + 7 + turn], at=frozen_now))

            return claim

        with self.opened() as store:
            self.at_once(store, *map(worker, range(8)))
            assert {one.contact_id: 1 for one in recipients} == Counter(won)
            assert 120 == len(store.claims(SPRING))

    def test_claims_survive_a_restart(self) -> None:
        """What was handed off before a crash is handed off after it (F7)."""
        store = self.make_store()
        store.claim([recipient("ada"), recipient("bob")], at=frozen_now)
        store.settle(SPRING, [ADA], ClaimState.HANDED_OFF, at=frozen_now)
        store.mark_in_flight(ADA, [SPRING], opted_out_at=frozen_now + MINUTE)
        before = dict(store.claims(SPRING))
        with self.reopened(store) as again:
            assert before == dict(again.claims(SPRING))
            assert before[ADA] == again.claims_of(ADA)[0]
            assert set() == set(again.claim([recipient("ada"), recipient("bob")], at=frozen_now))
