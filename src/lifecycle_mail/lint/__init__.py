"""Checks of what an application has set up, with what to do instead."""

from lifecycle_mail.lint.lists import RULES, Finding, check_lists
from lifecycle_mail.lint.proposals import Topic, TopicSegment, propose, to_toml
from lifecycle_mail.lint.usage import ListUsage, Usage, usage_of

__all__ = [
    "RULES",
    "Finding",
    "ListUsage",
    "Topic",
    "TopicSegment",
    "Usage",
    "check_lists",
    "propose",
    "to_toml",
    "usage_of",
]
