"""Which of our lists is what at SendGrid.

A list of ours is two things there: an *unsubscribe group*, which says who left it, and a *contact list*, which says who
may be mailed. The group outranks the list: who is in both gets nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Bindings

GROUP: Final = "group"
LIST: Final = "list"
"""The kinds of bindings that say what a list is at SendGrid."""


@frozen
class Topic:
    """What a list is at SendGrid.

    Attributes:
        group: the id of the unsubscribe group.
        contact_list: the id of the contact list; empty where contacts are not kept there.
    """

    group: int
    contact_list: str = ""

    def __attrs_post_init__(self) -> None:
        if isinstance(self.group, bool) or self.group < 1:
            raise InvalidInput(f"unsubscribe group {self.group!r}: give the number that SendGrid shows")


@frozen
class Topics:
    """Every list that is bound, as it stands.

    Attributes:
        by_list: what each list is.
    """

    by_list: Mapping[ListKey, Topic]

    def __attrs_post_init__(self) -> None:
        taken: dict[int, ListKey] = {}
        for key, topic in self.by_list.items():
            if topic.group in taken:
                raise Misconfigured(
                    f"the lists {taken[topic.group]!r} and {key!r} share unsubscribe group {topic.group}: who leaves "
                    f"one would leave the other; make a group for each"
                )
            taken[topic.group] = key

    @classmethod
    def read(cls, bindings: Bindings, target: str, given: Mapping[ListKey, Topic]) -> Topics:
        """Return what is kept in the registry, and what was given, which outranks it."""
        groups, lists = bindings.bound(target, GROUP), bindings.bound(target, LIST)
        kept = {ListKey(key): Topic(int(group), lists.get(key, "")) for key, group in groups.items()}
        return cls({**kept, **given})

    def of(self, key: ListKey) -> Topic:
        """Return what a list is.

        Raises:
            Misconfigured: it is not bound.
        """
        if key not in self.by_list:
            raise Misconfigured(
                f"list {key!r} is nothing at SendGrid yet: run `lifecycle-mail sync`, which makes an unsubscribe "
                f"group and a contact list for it, or name them when you make SendgridEsp"
            )
        return self.by_list[key]

    @property
    def by_group(self) -> Mapping[str, str]:
        """Our lists by the ids of their unsubscribe groups, as webhooks and suppression lists name them."""
        return {str(topic.group): key for key, topic in self.by_list.items()}

    @property
    def by_contact_list(self) -> Mapping[str, ListKey]:
        """Our lists by the ids of their contact lists."""
        return {topic.contact_list: key for key, topic in self.by_list.items() if topic.contact_list}
