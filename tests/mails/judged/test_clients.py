"""The package caniemail from npm asks of a mail what `test_support` asks: an independent look at the same question.

It reads the same data with code of its own, of its own release's date. Features are told by their titles.
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from lifecycle_mail.mails.kinds import Kind
from tests.mails.judged.conftest import PackageFinder, program
from tests.mails.rendered import mail, mails
from tests.mails.yardstick import CLIENTS, LEFT, LEFT_BY_TITLE, NEAREST

Findings = Mapping[str, set[tuple[str, str, str]]]


def ask(package: PackageFinder, pages: Mapping[str, str]) -> Findings:
    """Return what the judge finds, all in one run, each finding once."""
    node, code = program("node", "nodejs"), package("caniemail/dist/index.js")
    done = subprocess.run(  # noqa: S603 - the judge, on pages of our own
        [node, Path(__file__).parent / "clients.mjs", code],
        input=json.dumps({"clients": CLIENTS, "pages": pages}),
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return {
        name: {(title, client, said) for title, client, said in all_} for name, all_ in json.loads(done.stdout).items()
    }


@pytest.fixture(scope="module")
def ours(package: PackageFinder) -> Findings:
    """Return the findings of every mail, with a logo too."""
    pages = {name: made.html for name, made in mails()}
    return ask(package, pages | {f"{kind}.logo": mail(kind, logo=True).html for kind in Kind})


@pytest.fixture(scope="module")
def theirs(package: PackageFinder, shared: Path) -> Findings:
    """Return the findings of Postmark's templates."""
    folder = shared / "data/postmark_templates"
    return ask(package, {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.html")})


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_asks_less_of_clients_than_its_yardstick(kind: Kind, ours: Findings, theirs: Findings) -> None:
    """Each kind has fewer findings than the nearest template of Postmark's: of those not known at all, and of all."""
    mine, nearest = ours[f"{kind}.en"], theirs[NEAREST[kind][0]]
    assert 0 < sum("n" == said for *_, said in mine) < sum("n" == said for *_, said in nearest)
    assert len(mine) < len(nearest)


def test_what_clients_do_not_know_is_accounted_for(ours: Findings) -> None:
    """Each feature that some client lacks has its fallback named; what this judge alone names has to be needed."""
    used = {title for found in ours.values() for title, *_ in found}
    assert set() == used - LEFT.keys() - LEFT_BY_TITLE.keys()
    assert set() == LEFT_BY_TITLE.keys() - used
    assert LEFT.keys().isdisjoint(LEFT_BY_TITLE)


def test_the_judge_sees_every_client(package: PackageFinder) -> None:
    """No client is passed over because its name is not known."""
    found = ask(package, {"page": '<meta name="color-scheme" content="light dark">'})
    # The one client that knows this.
    assert {"apple-mail.macos"} == set(CLIENTS) - {client for _, client, _ in found["page"]}
