"""The Nu HTML checker reads every mail."""

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest

from lifecycle_mail.mails.kinds import Kind
from tests.mails.judged.conftest import PackageFinder, program
from tests.mails.rendered import EVERY, mail, mails, render, specifications
from tests.mails.stretched import stretched

BROKEN = "<!DOCTYPE html><html lang=en><title></title><p><b>x</p><table align=left></table>"


@pytest.fixture(scope="module")
def messages(package: PackageFinder, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[str]]:
    """Return what the checker says about each page: all in one run, because a JVM starts slowly."""
    jar, java = package("vnu-jar/build/dist/vnu.jar"), program("java")
    folder = tmp_path_factory.mktemp("html")
    pages = {name: made.html for name, made in mails()}
    pages |= {f"{kind}.logo": mail(kind, logo=True).html for kind in Kind}
    pages |= {f"{kind}.he": mail(kind, "he").html for kind in Kind}
    pages |= {f"{kind}.long": render(stretched(spec)).html for kind, spec in specifications("en").items()}
    for name, html in {**pages, "broken": BROKEN}.items():
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - the checker, on files of our own
        [java, "-jar", jar, "--format", "json", "--stdout", "--exit-zero-always", folder],
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    found = defaultdict[str, list[str]](list)
    for one in json.loads(done.stdout)["messages"]:
        said = f"{one.get('subType', one['type'])} at line {one.get('lastLine')}: {one['message']}"
        found[Path(one["url"]).stem].append(said)
    return found


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_a_mail_is_valid(kind: Kind, language: str, messages: Mapping[str, list[str]]) -> None:
    """No error and no warning, of HTML or of CSS."""
    assert [] == messages.get(f"{kind}.{language}", [])


@pytest.mark.parametrize("form", ["logo", "he", "long"])
@pytest.mark.parametrize("kind", Kind)
def test_a_mail_stays_valid(kind: Kind, form: str, messages: Mapping[str, list[str]]) -> None:
    """The same with a logo, from right to left, and with words that are far too long."""
    assert [] == messages.get(f"{kind}.{form}", [])


def test_the_checker_finds_what_is_wrong(messages: Mapping[str, list[str]]) -> None:
    """Errors and warnings are both seen."""
    assert {"error", "warning"} <= {said.split()[0] for said in messages["broken"]}
