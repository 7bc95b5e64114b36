"""Writes the pages and pictures that say what the code says: `python docs/generate.py`.

With `--check` nothing is written; what is committed is compared with what the code gives now.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import click

sys.path.insert(0, str(Path(__file__).parent))

from ladders import ladder  # type: ignore[import-not-found,unused-ignore]
from mail_tables import mail_tables, placeholder_tables  # type: ignore[import-not-found,unused-ignore]

from lifecycle_mail import Campaign, CampaignKind, MailingList, Segment, where
from lifecycle_mail.cli.app import app
from lifecycle_mail.files import Columns, FieldColumn, Format, Source
from lifecycle_mail.files.mapping import KINDS, MAPPED
from lifecycle_mail.lint import RULES
from lifecycle_mail.model.entries import SUPPRESSION_RULES
from lifecycle_mail.plugins import load_capabilities
from lifecycle_mail.policy.eligibility import GATES, SENDABLE, gates
from lifecycle_mail.policy.facts import CATALOGUE, CATALOGUE_VERSION, FAMILIES, Fact
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.predicates import NOBODY, Predicate
from lifecycle_mail.policy.settings import INACTIVE_DAYS, Cadence, Settings
from lifecycle_mail.policy.sunset import band_table
from lifecycle_mail.policy.tables import Table
from lifecycle_mail.ports import Capability

GENERATED = Path(__file__).parent / "generated"
NOTE = "<!-- Written by docs/generate.py: change the code that it describes, and run it again. -->\n"

OFFERS = MailingList("offers", title="Offers", expect="one deal a week")
SPENDERS = Segment("spent-over-100-in-2020", of=OFFERS, where=where.field("2020_spend") > 100)
MARKETING = Campaign("thank-you-offer", to=[SPENDERS])
TRANSACTIONAL = Campaign("receipt", kind=CampaignKind.TRANSACTIONAL)

TONES = {
    SENDABLE: "go",
    "keep": "go",
    "welcome-back": "go",
    "highly-engaged": "go",
    "moderately-engaged": "go",
    "new": "plain",
    "unknown": "plain",
    "wait": "plain",
    "leave": "plain",
    "watch": "care",
    "at-risk": "care",
    "re-engage": "care",
    "last-chance": "care",
    "observe": "care",
    "hold": "care",
}
BAND_TONES = {"never": "plain", "<30": "go", "<60": "go", "<120": "care", "<180": "care"}


# --- pieces -----------------------------------------------------------------------------------------------------------


def table_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def part(name: str, text: str) -> str:
    """Mark a part of a page, so that another page can include it alone."""
    return f"<!-- {name} -->\n\n{text}\n\n<!-- end of {name} -->\n"


def attributes_of(kind: type) -> dict[str, str]:
    """Read what the `Attributes:` section of a class says of each attribute."""
    doc = inspect.getdoc(kind) or ""
    section = doc.partition("Attributes:\n")[2]
    said: dict[str, str] = {}
    names: tuple[str, ...] = ()
    for line in section.splitlines():
        if not line.strip():
            break
        begins = re.match(r"    (\w+(?:, \w+)*): (.*)", line)
        if begins is not None:
            names = tuple(begins[1].split(", "))
            said.update(dict.fromkeys(names, begins[2].strip()))
        else:
            said.update({name: f"{said[name]} {line.strip()}" for name in names})
    missing = {field.name for field in attrs.fields(kind) if not field.name.startswith("_")} - said.keys()
    if missing:
        raise SystemExit(f"{kind.__name__}: its Attributes section says nothing of {', '.join(sorted(missing))}")
    return said


def sentence(text: str) -> str:
    """Begin with a capital, and end with a full stop."""
    text = text if text.startswith("`") else text[:1].upper() + text[1:]
    return text if text.endswith((".", "...", "?")) else f"{text}."


def written(value: Any) -> str:
    """Write a default as TOML would have it, for people."""
    if isinstance(value, Predicate):
        return "`nobody`" if value == NOBODY else f"`{value}`"
    return f"`{value:g}`" if isinstance(value, int | float) else f"`{value}`"


# --- pages ------------------------------------------------------------------------------------------------------------


def facts_page() -> str:
    """Write every fact, by group."""
    groups: dict[str, list[Fact]] = {}
    for fact in [*CATALOGUE.values(), *FAMILIES.values()]:
        groups.setdefault(fact.group, []).append(fact)
    parts = [f"The catalogue is at version {CATALOGUE_VERSION}."]
    for group, facts in groups.items():
        rows = []
        for fact in facts:
            example = {"a number": "10", "a field's name": '"plan"', "a fact": "days_inactive"}.get(fact.takes, "...")
            name = f"{fact.name}({example})" if fact.takes else fact.name
            rows.append((f"`{name}`", str(fact.type), fact.doc))
        parts.append(f"**{group}**\n\n" + table_of(("fact", "type", "what it says"), rows))
    return "\n\n".join(parts) + "\n"


def drawn_tables() -> dict[str, tuple[Table, Mapping[str, str], str]]:
    """Return the tables that are drawn: by file name, with the tones of their outcomes and their title."""
    weekly = Policy.for_cadence("weekly")
    bands = band_table("days_since_open", [30, 60, 120, 180])
    return {
        "gates-marketing": (gates(MARKETING), TONES, "gates of a marketing campaign to a segment"),
        "gates-transactional": (gates(TRANSACTIONAL), TONES, "gates of a transactional campaign"),
        "tiers-weekly": (weekly.tiers, TONES, "tier, with the weekly preset"),
        "sunset-weekly": (weekly.sunset, TONES, "sunset action, with the weekly preset"),
        "bands": (bands, BAND_TONES, "bands of days since the last open"),
    }


def tables_page() -> str:
    """Write every decision table, each with its picture."""
    parts = []
    for name, (table, _, title) in drawn_tables().items():
        picture = f"![{title}, as a ladder of rules]({name}.svg)"
        parts.append(part(name, f"{picture}\n\n{table.to_markdown()}"))
    rows = [
        (f"`{gate.withheld}`", "yes" if gate.transactional else "no", sentence(gate.because))
        for gate in GATES
    ]  # fmt: skip
    parts.append(part("gates", table_of(("withheld as", "transactional mail too", "because"), rows)))
    cadences = [
        (f"`{cadence}`", f"{inactive} days", f"{deep} days") for cadence, (inactive, deep) in INACTIVE_DAYS.items()
    ]
    parts.append(part("cadences", table_of(("one sends", "inactive after", "deeply inactive after"), cadences)))
    return "\n".join(parts)


def suppressions_page() -> str:
    """Write who may end which suppression."""
    rows = []
    for kind, rule in SUPPRESSION_RULES.items():
        who = [
            f"{'an' if actor[0] in 'aeiou' else 'the' if actor == 'contact' else 'a'} {actor}"
            + (", with a reason" if actor in rule.needs_text else "")
            for actor in sorted(rule.lifted_by)
        ]
        follows = "the person" if rule.follows_person else "the address"
        rows.append((f"`{kind}`", "; ".join(who) or "nobody", follows, sentence(rule.because)))
    return table_of(("suppression", "lifted by", "stays with", "because"), rows) + "\n"


def settings_page() -> str:
    """Write every setting, with its default for each cadence."""
    said = attributes_of(Settings)
    presets = {cadence: Settings.for_cadence(cadence) for cadence in Cadence}
    rows = []
    for field in attrs.fields(Settings):
        defaults = {cadence: written(getattr(preset, field.name)) for cadence, preset in presets.items()}
        if len(set(defaults.values())) == 1:
            default = next(iter(defaults.values()))
        else:
            default = ", ".join(f"{cadence} {value}" for cadence, value in defaults.items())
        rows.append((f"`{field.name}`", default, sentence(said[field.name])))
    return table_of(("setting", "default", "what it is"), rows) + "\n"


_FORMATS = {
    Format.EVENTS: "one row for each thing that happened to a mail",
    Format.SNAPSHOT: "one row for each contact, with counts that somebody else kept",
    Format.CONTACTS: "one row for each contact: fields, tags, status",
    Format.MAILCHIMP: "an audience export of Mailchimp",
    Format.MAILCHIMP_TABLES: "a folder of Mailchimp's tables, as a warehouse holds them",
    Format.SENDGRID_EVENTS: "events of SendGrid's webhook",
    Format.SENDGRID_SUPPRESSIONS: "one of SendGrid's suppression lists",
    Format.IGNORE: "nothing that should be read",
}


def mapping_page() -> str:
    """Write every key of a mapping."""
    unsaid = set(Format) - _FORMATS.keys()
    if unsaid:
        raise SystemExit(f"say in docs/generate.py what the format {sorted(unsaid)[0]!r} is")
    parts = []
    for name, kind in (("source", Source), ("columns", Columns), ("fields", FieldColumn)):
        said = attributes_of(kind)
        rows: list[list[str]] = []
        for field in attrs.fields(kind):
            text = said[field.name]
            belongs, colon, rest = text.partition(": ")
            only = colon != "" and belongs in {"events", "snapshot"}
            row = [f"`{field.name}`", sentence(rest if only else text)]
            if kind is Columns:
                row.insert(1, belongs if only else "any")
            elif kind is Source:
                row.insert(1, _default(field))
            if rows and rows[-1][1:] == row[1:]:  # several that are described together
                rows[-1][0] += f", {row[0]}"
            else:
                rows.append(row)
        header = {"source": ("key", "default", "what it is"), "columns": ("key", "format", "what the column says")}
        parts.append(part(name, table_of(header.get(name, ("key", "what it is")), rows)))
    formats = [
        (f"`{form}`", sentence(_FORMATS[form]), "yes" if form in MAPPED else "no") for form in Format
    ]  # fmt: skip
    parts.append(part("formats", table_of(("format", "what the file holds", "needs columns"), formats)))
    kinds = [
        (f"`{form}`", ", ".join(f"`{word}`" for word in words)) for form, words in sorted(KINDS.items())
    ]  # fmt: skip
    parts.append(part("kinds", table_of(("format", "what a value may mean"), kinds)))
    return "\n".join(parts)


def _default(field: attrs.Attribute[Any]) -> str:
    if isinstance(field.default, attrs.Factory | Columns):  # type: ignore[arg-type,unused-ignore]
        return ""
    if field.default is None or field.default in ("", ()):
        return ""
    return f"`{field.default}`"


def checks_page() -> str:
    """Write every rule of the check of lists."""
    return table_of(("rule", "why it counts"), [(f"`{rule}`", sentence(why)) for rule, why in RULES.items()]) + "\n"


def capabilities_page() -> str:
    """What each ESP can do: one table, and why not the rest."""
    esps = {name: load_capabilities(name) for name in ("memory", "mailchimp", "sendgrid")}
    rows = [
        [f"`{one}`", one.says.rstrip("."), *(str(can.abilities[one].support) for can in esps.values())]
        for one in Capability
    ]
    why = [
        f"- `{one}` at {name}: {ability.support}. {sentence(ability.reason)}"
        for one in Capability
        for name, can in esps.items()
        if (ability := can.abilities[one]).reason
    ]
    table = part("matrix", table_of(["capability", "means", *esps], rows))
    return table + "\n" + part("reasons", "\n".join(why))


def cli_page() -> str:
    """Write every command with its arguments and options."""
    return "\n".join(_command(app, "lifecycle-mail", 2))


def _command(command: click.Command, name: str, level: int) -> Iterator[str]:
    yield f"{'#' * level} `{name}`\n"
    usage = [name]
    options = []
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            options.append(parameter)
        else:
            shown = str(parameter.metavar or (parameter.name or "").upper())
            usage.append(f"{shown}..." if parameter.nargs == -1 else shown)
    if isinstance(command, click.Group):
        usage.append("COMMAND")
    usage.insert(1, "[OPTIONS]") if options else None
    yield f"```text\n{' '.join(usage)}\n```\n"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            yield f"```text\n{paragraph[2:]}\n```\n"
        else:
            yield re.sub(r"(?<=[.:;]) ", "\n", " ".join(paragraph.split())) + "\n"
    if options:
        yield table_of(("option", "what it does"), [_option(option) for option in options]) + "\n"
    if isinstance(command, click.Group):
        for inner, found in sorted(command.commands.items()):
            yield from _command(found, f"{name} {inner}", level + 1 if level < 3 else level)


def _option(option: click.Option) -> tuple[str, str]:
    names = ", ".join(f"`{name}`" for name in option.opts)
    if isinstance(option.type, click.Choice):
        names += " " + " or ".join(f"`{getattr(choice, 'value', choice)}`" for choice in option.type.choices)
    elif not option.is_flag:
        names += f" {option.metavar or str(option.type.name).upper()}"
    said = option.help or ("What is printed." if option.name == "form" else "")
    if option.show_default:
        said += f" Default: {option.default}."
    return names, said.strip()


# --- writing ----------------------------------------------------------------------------------------------------------


def pages() -> dict[str, str]:
    """Return everything that is generated, by file name."""
    found = {
        "facts.md": facts_page(),
        "tables.md": tables_page(),
        "suppressions.md": suppressions_page(),
        "settings.md": settings_page(),
        "mapping.md": mapping_page(),
        "checks.md": checks_page(),
        "mails.md": mail_tables(part, table_of),
        "placeholders.md": placeholder_tables(),
        "capabilities.md": capabilities_page(),
        "cli.md": cli_page(),
    }
    found = {name: f"{NOTE}\n{text.rstrip()}\n" for name, text in found.items()}
    for name, (table, tones, title) in drawn_tables().items():
        found[f"{name}.svg"] = ladder(table, tones, title=title)
    return found


def stale() -> list[str]:
    """Name what is not as the code gives it, and what nothing gives any more."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in GENERATED.iterdir() if path.is_file()}
    return sorted(name for name in wanted.keys() | there.keys() if wanted.get(name) != there.get(name))


def main(arguments: Sequence[str]) -> int:
    """Write what is generated, or check that it is fresh."""
    GENERATED.mkdir(exist_ok=True)
    if list(arguments) == ["--check"]:
        old = stale()
        if old:
            print(f"docs/generated is not what the code says: {', '.join(old)}", file=sys.stderr)
            print("run: python -m uv run --group docs python docs/generate.py", file=sys.stderr)
        return 1 if old else 0
    if arguments:
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    wanted = pages()
    for path in GENERATED.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (GENERATED / name).write_text(text, encoding="utf-8")
    print(f"wrote {len(wanted)} files to {GENERATED}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
