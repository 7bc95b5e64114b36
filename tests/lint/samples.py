"""Lists to check: a well-made page, an operations-shaped one, and anything at all."""

from collections.abc import Iterable

from hypothesis import strategies as st

from lifecycle_mail.lint import ListUsage, Usage
from lifecycle_mail.model.lists import Channel, Frequency, MailingList

SLUGS = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
# Few stems and many ways to tell them apart, so that lists meet in topics and keys run into each other.
PIECES = st.sampled_from([
    "Offers", "OFFERS", "news", "for", "the", "2024", "05", "June", "may", "Q3", "v2", "final", "new2", "Import7", "10",
    "_", "-", " ", "12.05.24", "\u4f18\u60e0", "\u0939\u093f\u0928\u094d\u0926\u0940", "\x00", "\x7f", '"',
])  # fmt: skip
TITLES = st.one_of(
    st.text(max_size=30), st.lists(PIECES, max_size=5).map(" ".join), st.lists(PIECES, max_size=5).map("_".join)
)
KEYS = st.one_of(
    SLUGS, st.sampled_from(["offers", "news", "unnamed", "offers-2", "offers-june", "topic", "offers_2024_05", "0"])
)
LISTS = st.builds(
    MailingList,
    KEYS,
    title=TITLES,
    expect=st.sampled_from(["", "one deal a week", 'all that is new\n"soon"']),
    frequency=st.sampled_from([None, Frequency.WEEKLY]),
    double_opt_in=st.booleans(),
    channel=st.sampled_from([Channel.EMAIL, Channel.EMAIL, Channel.SMS]),
)
USAGES = st.builds(
    Usage,
    lists=st.lists(
        st.builds(
            ListUsage,
            list=LISTS,
            subscribers=st.integers(0, 5000),
            campaigns=st.frozensets(st.sampled_from(["may", "june", "thanks"])),
            opt_outs=st.integers(0, 50),
        ),
        max_size=12,
        unique_by=lambda used: used.list.key,
    ),
    master_opt_outs=st.integers(0, 50),
    list_opt_outs=st.integers(0, 50),
)


def used(key: str, title: str, *campaigns: str, expect: str = "one mail a week") -> ListUsage:
    """A list with these campaigns."""
    return ListUsage(list=MailingList(key, title=title, expect=expect), subscribers=100, campaigns=frozenset(campaigns))


def page(lists: Iterable[ListUsage], *, master: int = 0, single: int = 0) -> Usage:
    """Lists and how people left them."""
    return Usage(lists=tuple(lists), master_opt_outs=master, list_opt_outs=single)


GOOD = (
    used("offers", "Offers", "spring-sale", "thank-you-offer", expect="one deal a week"),
    used("news", "News", "news-1", "news-2", expect="what happened, once a month"),
    used("tips", "Tips", "tip-1", "tip-2", expect="one thing to try, on Mondays"),
)
"""Topics that people recognise, each used again and again."""
