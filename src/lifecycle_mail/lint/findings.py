"""What the checks of templates and of their translations find."""

from __future__ import annotations

from attrs import frozen

from lifecycle_mail.mails.kinds import Kind


@frozen(kw_only=True)
class Finding:
    """Something about a template, or a translation, that stands between its mail and the reader.

    Attributes:
        rule: one of `lifecycle_mail.lint.templates.RULES`.
        template: the template to mend; of translations their file, such as `fi.po`.
        line: where, counted from 1; None where no one line is to blame.
        message: what was found.
        fix: what to do about it.
        kinds: the mails in which it was found; none where it is about the template or file alone.
    """

    rule: str
    template: str
    line: int | None
    message: str
    fix: str
    kinds: tuple[Kind, ...] = ()
