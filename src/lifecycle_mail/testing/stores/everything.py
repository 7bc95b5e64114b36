"""Reading all that a store can tell, so that laws can say what changed, and what did not."""

from __future__ import annotations

from collections.abc import Collection

from attrs import frozen

from lifecycle_mail.model.addresses import MatchKey
from lifecycle_mail.model.names import CampaignKey, ContactId, ListKey
from lifecycle_mail.ports import Store
from lifecycle_mail.testing.builders import frozen_now


@frozen(kw_only=True)
class Asked:
    """By which names a store is asked.

    Attributes:
        people: ids of contacts.
        keys: match keys.
        campaigns: keys of campaigns; leases go by the same names.
        targets: of tasks and bindings.
    """

    people: Collection[ContactId] = ()
    keys: Collection[MatchKey] = ()
    campaigns: Collection[str] = ()
    targets: Collection[str] = ()


def everything(store: Store, asked: Asked) -> dict[str, object]:
    """Read all that a store can tell, in a form that can be compared and searched."""
    campaigns = [CampaignKey(one) for one in asked.campaigns]
    tasks = list(store.tasks())
    return {
        "log": list(store.records()),
        "position": store.position(),
        "about": {who: list(found) for who, found in store.about(dict.fromkeys(asked.people, asked.keys)).items()},
        "marks": dict(store.marks(asked.keys)),
        "contacts": list(store.each()),
        "got": dict(store.get(asked.people)),
        "count": store.count(),
        "found": [sorted(store.find(key)) for key in asked.keys],
        "members": list(store.members([ListKey("offers"), ListKey("news")])),
        "lists": dict(store.lists()),
        "events": [sorted(store.events_of(who), key=lambda one: one.id) for who in asked.people],
        "quarantined": list(store.quarantined()),
        "tally": list(store.tally()),
        "profiles": dict(store.profiles(asked.people)),
        "answers": sorted(store.answers(), key=lambda one: (one.at, repr(one))),  # those of nobody are in no order
        "answers of each": dict(store.answers_of(asked.people)),
        "claims": [dict(store.claims(one)) for one in campaigns],
        "claims of each": [list(store.claims_of(who)) for who in asked.people],
        "leases": [_is_free(store, one) for one in asked.campaigns],
        "tasks": tasks,
        "attempts": [list(store.attempts(posted.task.id)) for posted in tasks],
        "waiting": {what: count for what, count in store.waiting().items() if count},
        "to take": [
            list(store.take(target, "nobody", most=1_000, at=frozen_now, until=frozen_now)) for target in asked.targets
        ],
        "bookmarks": list(store.bookmarks()),
        "bound": [dict(store.bound(target, "list")) for target in asked.targets],
        "aside": list(store.aside()),
        "erased": sorted(store.erased([*asked.people, *asked.keys])),
    }


def _is_free(store: Store, work: str) -> bool:
    """Whether nobody has a lease, told by taking it for no time at all; so are tasks that are free."""
    free = store.begin(work, "nobody", at=frozen_now, until=frozen_now)
    store.finish(work, "nobody")
    return free
