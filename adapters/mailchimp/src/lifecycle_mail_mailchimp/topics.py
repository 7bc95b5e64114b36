"""Which of our lists is what at Mailchimp.

Mailchimp knows audiences, and *interests* within an audience. By default a list is an interest of the one audience that
is given: leaving the list takes the interest away. But who uses Mailchimp's own unsubscribe link leaves the whole
audience, and so every list bound to it, whether they meant that or not. A list that people should be able to leave by
that link alone needs an audience of its own (L4).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from attrs import field, frozen

from lifecycle_mail.errors import InvalidInput, Misconfigured
from lifecycle_mail.model.names import ListKey
from lifecycle_mail.ports import Bindings

KIND: Final = "list"
"""The kind of binding that says what a list is at Mailchimp."""


@frozen
class Topic:
    """What a list is at Mailchimp.

    Attributes:
        audience: the id of the audience.
        interest: the id of the interest; empty where the list is the whole audience.
    """

    audience: str
    interest: str = ""

    def __attrs_post_init__(self) -> None:
        for name, value in (("audience", self.audience), ("interest", self.interest)):
            if "/" in value or (name == "audience" and not value):
                raise InvalidInput(f"{name} {value[:40]!r}: give the id that Mailchimp shows, such as a36b032126")

    def __str__(self) -> str:
        return f"{self.audience}/{self.interest}" if self.interest else self.audience

    @classmethod
    def parse(cls, text: str) -> Topic:
        """Read what `str` writes."""
        return cls(*text.split("/", 1))


@frozen
class Topics:
    """Every list that is bound, as it stands.

    Attributes:
        by_list: what each list is.
    """

    by_list: Mapping[ListKey, Topic] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        taken: dict[Topic, ListKey] = {}
        for key, topic in self.by_list.items():
            if topic in taken:
                raise Misconfigured(
                    f"the lists {taken[topic]!r} and {key!r} are both {topic} at Mailchimp: bind one of them"
                )
            taken[topic] = key

    @classmethod
    def read(cls, bindings: Bindings, target: str, given: Mapping[ListKey, Topic]) -> Topics:
        """Return what is kept in the registry, and what was given, which outranks it."""
        kept = {ListKey(ours): Topic.parse(theirs) for ours, theirs in bindings.bound(target, KIND).items()}
        return cls({**kept, **given})

    @property
    def audiences(self) -> tuple[str, ...]:
        """Every audience that a list is bound to, sorted."""
        return tuple(sorted({topic.audience for topic in self.by_list.values()}))

    def of(self, key: ListKey) -> Topic:
        """Return what a list is.

        Raises:
            Misconfigured: it is not bound.
        """
        if key not in self.by_list:
            raise Misconfigured(
                f"list {key!r} is nothing at Mailchimp yet: run `lifecycle-mail sync`, which makes an interest for it, "
                f"or name its audience or interest when you make MailchimpEsp"
            )
        return self.by_list[key]

    def lists(self, audience: str) -> Collection[ListKey]:
        """Return the lists that who leaves an audience leaves, sorted."""
        return sorted(key for key, topic in self.by_list.items() if topic.audience == audience)

    def by_interest(self, audience: str) -> Mapping[str, ListKey]:
        """Return the lists that are interests of an audience, by the id of the interest."""
        return {
            topic.interest: key for key, topic in self.by_list.items() if topic.audience == audience and topic.interest
        }

    def whole(self, audience: str) -> Collection[ListKey]:
        """Return the lists that are a whole audience: whoever is subscribed there is on them."""
        return sorted(key for key, topic in self.by_list.items() if topic == Topic(audience))
