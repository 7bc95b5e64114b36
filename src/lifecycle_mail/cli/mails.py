"""`lifecycle-mail render`, `preview` and `templates`: mails on disk, without sending any."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from attrs import frozen

from lifecycle_mail.cli.options import FILE, errors, format_of, guard, instant_option, say
from lifecycle_mail.cli.preview import write_preview
from lifecycle_mail.cli.printing import Format, print_json, print_rows, progress_on
from lifecycle_mail.errors import InvalidInput, Misconfigured, Refused
from lifecycle_mail.files.mails import (
    as_data,
    read_brand,
    read_catalogues,
    read_data,
    read_object,
    read_specification,
    read_templates,
    write_mail,
)
from lifecycle_mail.files.translating import to_translate
from lifecycle_mail.files.writing import write_jsonl
from lifecycle_mail.lint.templates import check_templates
from lifecycle_mail.mails import KINDS, NAMES, Brand, Kind, LinkPurpose, Links, Renderer, SigningKey, shipped_source
from lifecycle_mail.mails.catalogues import SHIPPED
from lifecycle_mail.mails.links import Link
from lifecycle_mail.mails.placeholders import placeholders
from lifecycle_mail.mails.samples import BRAND, sample_reader, samples
from lifecycle_mail.mails.specs import Specification
from lifecycle_mail.model.names import ContactId

F = TypeVar("F", bound=Callable[..., Any])

KEY = "LIFECYCLE_MAIL_SIGNING_KEY"
"""The environment variable with the secret that signs links; without it a throw-away key does."""

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_KINDS = click.Choice([kind.value for kind in Kind])


@frozen(kw_only=True)
class Workshop:
    """What mails are made with.

    Attributes:
        brand: who sends.
        templates: somebody's own, by name.
        renderer: makes them.
        now: when.
    """

    brand: Brand
    templates: dict[str, str]
    renderer: Renderer
    now: datetime

    def token(self) -> str:
        """Return the token of a made-up confirmation."""
        link = Link(purpose=LinkPurpose.CONFIRM, contact_id=ContactId("c-17"), detail="made-up", signed_at=self.now)
        return self.renderer.links.token(link)


@frozen(kw_only=True)
class Asked:
    """What mails are to be made with, as it was typed.

    Attributes:
        brand: TOML with who sends, or None.
        templates: a folder, or None.
        catalogues: a folder, or None.
        base_url: where links lead.
        now: when they are written.
    """

    brand: Path | None
    templates: Path | None
    catalogues: Path | None
    base_url: str
    now: datetime

    def workshop(self) -> Workshop:
        """Read it all.

        Raises:
            InvalidInput: with what is wrong with any of it.
            OSError: nothing is wrong but that a file cannot be read.
            Misconfigured: nothing is wrong but where links lead, or the key that signs them.
        """
        keys = [os.environ.get(KEY) or SigningKey("made-up", secrets.token_bytes(32))]
        own, brand, further, links = _each(
            lambda: {} if self.templates is None else read_templates(self.templates),
            lambda: BRAND if self.brand is None else read_brand(self.brand),
            lambda: () if self.catalogues is None else read_catalogues(self.catalogues),
            lambda: Links(self.base_url, keys),
        )
        renderer = Renderer(brand, links=links, templates=own, catalogues=further)
        return Workshop(brand=brand, templates=own, renderer=renderer, now=self.now)


def _each(*reads: Callable[[], Any]) -> tuple[Any, ...]:
    """Read several things, so that what is wrong with one hides nothing of another.

    Raises:
        InvalidInput: with what is wrong with any of them.
        OSError, Misconfigured: where nothing else is wrong.
    """
    found: list[Any] = []
    wrong: list[InvalidInput | OSError | Misconfigured] = []
    for read in reads:
        try:
            found.append(read())
        except (InvalidInput, OSError, Misconfigured) as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        raise InvalidInput("\n".join(map(str, wrong)))
    return tuple(found)


def _asked(command: F) -> F:
    """Give a command the options that say who sends, and with which templates; it is called with `asked`."""

    @click.option("--brand", type=FILE, help="TOML with who sends. Default: a made-up sender.")
    @click.option("--templates", type=FOLDER, help="Folder with templates of your own, NAME.jinja.")
    @click.option("--catalogues", type=FOLDER, help="Folder with translations of your own, LANGUAGE.po.")
    @click.option("--base-url", metavar="URL", default="https://mail.example.com/m", show_default=True,
                  help=f"Where the links lead. {KEY} holds the secret that signs them.")  # fmt: skip
    @instant_option("--now", says="Written at this instant (ISO 8601). Default: now.")
    @guard
    def run(
        *args: Any, brand: Path | None, templates: Path | None, catalogues: Path | None, base_url: str,
        now: datetime | None, **kwargs: Any,
    ) -> Any:  # fmt: skip
        asked = Asked(
            brand=brand, templates=templates, catalogues=catalogues, base_url=base_url, now=now or datetime.now(UTC)
        )
        return command(*args, asked=asked, **kwargs)

    run.__name__, run.__doc__ = command.__name__, command.__doc__
    return run  # type: ignore[return-value]


@click.command()
@click.argument("kind", type=_KINDS, metavar="KIND")
@click.option("--data", type=FILE, help="JSON with what the mail says, or JSON lines for many. Default: a sample.")
@click.option("--locale", metavar="TAG", help="The language, such as et or pt-BR. Default: the recipient's own.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("mails"), show_default=True,
              help="Folder for the files written.")  # fmt: skip
@click.option("--example", is_flag=True, help="Print JSON to start from, and write nothing.")
@_asked
def render(asked: Asked, kind: str, data: Path | None, locale: str | None, out: Path, example: bool) -> None:
    """Write a mail of KIND as HTML, plain text and a whole message.

    \b
    lifecycle-mail render cancellation-confirmed --locale et
    lifecycle-mail render last-chance --example > data.json
    lifecycle-mail render last-chance --data data.json --brand brand.toml --out mails

    KIND is one of those that `lifecycle-mail templates list` shows. Writes KIND.LOCALE.html, .txt and .eml into the
    folder; of JSON lines, a set for each line, numbered, and rejects.jsonl with the lines that no mail can be made of,
    each with its reason; then it exits with 1. Nothing is sent.
    """
    wanted = Kind(kind)

    def read_one() -> Specification | None:
        if data is None or data.suffix == ".jsonl" or example:
            return None
        [(place, found)] = read_data(data)
        return read_specification(wanted, found, what=place, locale=locale, now=asked.now)

    shop, spec = _each(asked.workshop, read_one)
    sample = samples(sample_reader(locale or "en"), confirm=shop.token(), now=shop.now)[wanted]
    if example:
        print_json(as_data(sample))
        return
    if data is not None and not os.environ.get(KEY):
        say(f"nobody can follow the links: they are signed with a key that is thrown away; put yours into {KEY}")
    if data is None:
        say("a made-up mail: give --data FILE for one of yours, and --example to see how it is written")
    out.mkdir(parents=True, exist_ok=True)
    if data is not None and data.suffix == ".jsonl":
        _write_many(shop, wanted, data, locale, out)
    else:
        _write_one(shop, spec or sample, out)


def _write_one(shop: Workshop, spec: Specification, out: Path) -> None:
    mail = shop.renderer.render(spec, now=shop.now)
    written = write_mail(mail, out, f"{spec.kind}.{mail.language}")
    say(f"{mail.subject}\nwrote {', '.join(map(str, written))}")


def _write_many(shop: Workshop, kind: Kind, data: Path, locale: str | None, out: Path) -> None:
    path = out / "rejects.jsonl"
    if data.resolve() == path.resolve():
        raise click.UsageError(f"{data} would be overwritten by what is rejected now: rename it, or give another --out")
    earlier = next(out.glob(f"[0-9][0-9][0-9][0-9][0-9][0-9]-{kind}.eml"), None)
    if earlier is not None:  # under the number of a line that is rejected now, it would be somebody else's
        raise click.UsageError(f"{earlier} is of an earlier run: give another --out, or take its mails out of {out}")
    done = 0

    def rejects() -> Iterator[dict[str, str]]:
        nonlocal done
        with progress_on(errors) as progress:
            task = progress.add_task(data.name, total=None)
            for number, (place, line) in enumerate(read_data(data), start=1):
                try:
                    found = read_object(place, line)
                    spec = read_specification(kind, found, what=place, locale=locale, now=shop.now)
                    write_mail(shop.renderer.render(spec, now=shop.now), out, f"{number:06}-{kind}")
                    done += 1
                except (InvalidInput, Refused) as error:
                    yield {"place": place, "reason": str(error), "line": line.decode(errors="backslashreplace")}
                progress.update(task, completed=number)

    rejected = write_jsonl(path, rejects())
    said = f"wrote {done:,} mail{'' if done == 1 else 's'} to {out}"
    say(said + (f"; {rejected:,} rejected: {path}" if rejected else ""))
    if not rejected:
        path.unlink()
    else:
        raise SystemExit(1)


@click.command()
@click.option("--locale", "locales", metavar="TAG", multiple=True, help="A language; may be given several times.")
@click.option(
    "--kind",
    "kinds",
    type=_KINDS,
    multiple=True,
    metavar="KIND",
    help="A kind; may be given several times. Default: all.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("mail-preview"),
              show_default=True, help="Folder for the page.")  # fmt: skip
@_asked
def preview(asked: Asked, locales: Sequence[str], kinds: Sequence[str], out: Path) -> None:
    """Write a page with all mails, to be opened in a browser.

    \b
    lifecycle-mail preview
    lifecycle-mail preview --brand brand.toml --templates my-templates --locale et --locale en

    Each kind in each language stands side by side as HTML in light, HTML in dark and plain text, at phone or desktop
    width. The page needs no network and no server. The mails are made up; nothing is sent.
    """
    shop = asked.workshop()
    chosen = [Kind(kind) for kind in kinds] or list(Kind)
    with progress_on(errors) as progress:
        languages = list(dict.fromkeys(locales or SHIPPED))
        task = progress.add_task("mails", total=len(languages) * len(chosen))
        page = write_preview(
            shop.renderer, out, locales=languages, kinds=chosen, confirm=shop.token(), now=shop.now,
            done=lambda: progress.advance(task),
        )  # fmt: skip
    say(f"open {page.resolve().as_uri()}")


@click.group()
def templates() -> None:
    """See what mails are made from, and check templates of your own.

    \b
    lifecycle-mail templates list
    lifecycle-mail templates show last-chance > my-templates/last-chance.jinja
    lifecycle-mail templates check my-templates --catalogues my-catalogues
    lifecycle-mail templates catalogue fi > my-catalogues/fi.po
    """


@templates.command("list")
@format_of(*Format)
@guard
def list_command(form: Format) -> None:
    """List every kind of mail, with what it is for.

    \b
    lifecycle-mail templates list
    """
    rows = [
        {"kind": str(kind), "family": str(row.family), "for": row.doc, "source": row.source}
        for kind, row in KINDS.items()
    ]
    print_rows(rows, ("kind", "family", "for", "source"), title=f"{len(rows)} kinds of mail", form=form)


@templates.command("show")
@click.argument("name", type=click.Choice(NAMES), metavar="NAME")
@guard
def show_command(name: str) -> None:
    """Print the template NAME as it ships: to start from, or to see what its blocks are called.

    \b
    lifecycle-mail templates show last-chance

    NAME is a kind of mail, or one of those that lay out all of them: mail.html, mail.text, parts.html, parts.text.
    """
    click.echo(shipped_source(name), nl=False)


@templates.command("placeholders")
@click.argument("kind", type=_KINDS, metavar="KIND")
@format_of(*Format)
@guard
def placeholders_command(kind: str, form: Format) -> None:
    """List all that a template of KIND may read and call, and the blocks that it can replace.

    \b
    lifecycle-mail templates placeholders last-chance
    """
    rows = [
        {"name": one.name, "group": str(one.group), "type": one.type, "always": "yes" if one.required else "",
         "what": one.doc}
        for one in placeholders(Kind(kind))
    ]  # fmt: skip
    print_rows(rows, ("name", "group", "type", "always", "what"), title=f"in a template of {kind}", form=form)


@templates.command("catalogue")
@click.argument("language", metavar="LANGUAGE")
@click.argument("folder", type=FOLDER, required=False, metavar="[FOLDER]")
@guard
def catalogue_command(language: str, folder: Path | None) -> None:
    """Print a PO file to translate the mails into LANGUAGE, with the templates in FOLDER.

    \b
    lifecycle-mail templates catalogue fi > my-catalogues/fi.po
    lifecycle-mail templates catalogue et my-templates > et-new.po

    Every sentence stands in it, with where it is said and what is filled in. What ships in the language is translated,
    and the rest is empty: until it is translated, it comes in another language. Tools of gettext edit the file, and
    bring one that has translations of yours up to date with a new one (msgmerge).
    """
    click.echo(to_translate(language, None if folder is None else read_templates(folder)), nl=False)


@templates.command("check")
@click.argument("folder", type=FOLDER, required=False, metavar="[FOLDER]")
@click.option("--brand", type=FILE, help="TOML with who sends. Default: a made-up sender.")
@click.option("--catalogues", type=FOLDER, help="Folder with translations of your own, LANGUAGE.po.")
@click.option("--locale", metavar="TAG", default="en", show_default=True, help="The language that they are judged in.")
@format_of(*Format)
@guard
def check_command(
    folder: Path | None, brand: Path | None, catalogues: Path | None, locale: str, form: Format
) -> None:  # fmt: skip
    """Find what is wrong with the templates in FOLDER, and with translations.

    \b
    lifecycle-mail templates check my-templates --brand brand.toml
    lifecycle-mail templates check --catalogues my-catalogues

    Each mail that they change is made from made-up data, once with everything filled in and once with nothing that may
    be left out, and held against what the law, its kind and its readers ask for. Translations are held against the
    sentences that there are: what they lack is found, and what no template says. Exits with 1 where anything is found.
    """
    if folder is None and catalogues is None:
        raise click.UsageError("give a FOLDER with templates, --catalogues, or both")
    own, sender, further = _each(
        lambda: {} if folder is None else read_templates(folder),
        lambda: BRAND if brand is None else read_brand(brand),
        lambda: () if catalogues is None else read_catalogues(catalogues),
    )
    findings = check_templates(own, brand=sender, catalogues=further, locale=locale)
    if not findings and form is Format.TABLE:
        say("nothing to mend")
        return
    rows = [
        {"where": one.template if one.line is None else f"{one.template}:{one.line}", "rule": one.rule,
         "message": one.message, "fix": one.fix}
        for one in findings
    ]  # fmt: skip
    print_rows(rows, ("where", "rule", "message", "fix"), title=f"{len(rows)} to mend", form=form)
    if findings:
        raise SystemExit(1)
