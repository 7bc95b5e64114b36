"""The subject line of a mail of the programme: chosen by style, filled in from what the specification says (S8)."""

from __future__ import annotations

from lifecycle_mail.errors import MailRefused
from lifecycle_mail.mails.brand import Brand
from lifecycle_mail.mails.catalogues import Translator
from lifecycle_mail.mails.formats import Formats
from lifecycle_mail.mails.specs import Incentive, ProgrammeSpecification, Specification, ValueProposition
from lifecycle_mail.mails.subjects import DEFAULTS, TYPICAL, SubjectLine, subject_named, subjects_for


def subject_line(spec: Specification, translator: Translator, formats: Formats, brand: Brand) -> str:
    """Return the subject of a mail whose template has none of its own.

    Raises:
        MailRefused: the line that was asked for needs what the specification does not say, such as a name; or the kind
            has none of a style, as without a deadline nothing is urgent. Where it has some and none can be filled in
            for this reader, the default of the kind stands above the mail.
    """
    if not isinstance(spec, ProgrammeSpecification):
        raise MailRefused(f"{spec.kind}: its template has no block `subject`")
    values = _values(spec, formats, brand)
    line = _chosen(spec, values)
    if line.plural:
        count = getattr(spec, "published", None) or 0
        said = translator.plural(line.text, line.plural, count, **values)
    else:
        said = translator.text(line.text, **values)
    return line.with_emoji(said) if spec.emoji else said


def _chosen(spec: ProgrammeSpecification, values: dict[str, str]) -> SubjectLine:
    if spec.subject:
        line = subject_named(spec.subject)
        if spec.kind not in line.kinds or not line.needs <= values.keys():
            needs = ", ".join(sorted(line.needs))
            raise MailRefused(
                f"{spec.kind}: the subject line {line.key!r} is for {', '.join(sorted(line.kinds))} and needs {needs}; "
                f"here is {', '.join(sorted(values))}"
            )
        return line
    default = subject_named(DEFAULTS[spec.kind])
    if spec.style is None:
        return default
    if not subjects_for(spec.kind, style=spec.style, having=TYPICAL):
        styles = dict.fromkeys(str(line.style) for line in subjects_for(spec.kind, having=TYPICAL))
        raise MailRefused(f"{spec.kind}: no subject line of it is of the style {spec.style}: use {', '.join(styles)}")
    return next(iter(subjects_for(spec.kind, style=spec.style, having=values)), default)


def _values(spec: ProgrammeSpecification, formats: Formats, brand: Brand) -> dict[str, str]:
    values = {
        "brand": brand.name,
        "list": spec.listed.title,
        "name": spec.to.greeting,
        "interest": spec.interest,
        "place": spec.place,
    }
    deadline = spec.deadline_day(spec.to.zone)
    if deadline is not None:
        values["deadline"] = formats.day(deadline)
    if isinstance(spec, Incentive):
        values["incentive"] = spec.what
    if isinstance(spec, ValueProposition) and spec.published is not None:
        values["count"] = formats.number(spec.published)
    return {name: value for name, value in values.items() if value}
