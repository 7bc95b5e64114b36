import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

import pytest

from lifecycle_mail.cli.demo_esp import FileEsp
from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.ports import Esp
from lifecycle_mail.testing import campaign, contact, screened
from lifecycle_mail.testing.esps import CampaignsConformance

SPRING = CampaignKey("spring")


class TestFileEsp(CampaignsConformance):
    """The ESP of the demo keeps the laws of ESPs that send campaigns."""

    waivers: ClassVar = {
        "test_one_refused_recipient_does_not_stop_the_others": "the demo's ESP refuses nobody",
        "test_a_rate_limit_while_staging_can_be_waited_out": "a file has no rate limit",
        "test_a_release_whose_answer_is_lost_is_unknown": "no answer of a file is lost; the demo is killed instead",
    }

    @pytest.fixture(autouse=True)
    def _files(self, tmp_path: Path) -> Iterator[None]:
        self.path = tmp_path / "mails.jsonl"
        with ExitStack() as self.open:
            yield

    def make_esp(self) -> Esp:
        """Return one on an empty file."""
        self.open.close()
        self.path.unlink(missing_ok=True)
        return self.open.enter_context(FileEsp(self.path))

    def left(self, _esp: Esp, campaign: CampaignKey) -> list[ContactId]:
        """Read the mails from the lines of the file, as anybody would."""
        lines = map(json.loads, self.path.read_text(encoding="utf-8").splitlines())
        released = [did for did in lines if (did["did"], did["campaign"]) == ("release", campaign)]
        return [ContactId(mail["contact_id"]) for did in released for mail in did["mails"]]


def _stage(esp: FileEsp, *names: str) -> None:
    esp.stage(SPRING, [screened(contact(name), campaign("spring")) for name in names], content=None)


def test_what_was_staged_and_what_left_is_read_again(tmp_path: Path) -> None:
    """A new process knows who is staged, who was taken out, and what has left."""
    path = tmp_path / "mails.jsonl"
    with FileEsp(path) as esp:
        _stage(esp, "ada", "bob")
        esp.unstage(SPRING, [ContactId("bob")])
    with FileEsp(path) as esp:
        assert {"ada"} == set(esp.staged(SPRING))
        assert not esp.released(SPRING)
        esp.release(SPRING)
    with FileEsp(path) as esp:
        assert esp.released(SPRING)
        assert [{"to": "ada@example.com", "contact_id": "ada"}] == list(esp.mails)


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_off_never_happened(cut: int, tmp_path: Path) -> None:
    """Killed while a line is written, nothing of it counts, and the next line is whole."""
    path = tmp_path / "mails.jsonl"
    with FileEsp(path) as esp:
        _stage(esp, "ada")
        before = path.read_bytes()
        esp.release(SPRING)
    path.write_bytes(path.read_bytes()[:-cut])
    with FileEsp(path) as esp:
        assert before == path.read_bytes()
        assert not esp.released(SPRING)
        esp.release(SPRING)
    assert ["stage", "release"] == [json.loads(line)["did"] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "[]",
        "{}",
        '{"did": "stage", "campaign": "spring"}',
        '{"did": "release", "campaign": "x", "mails": 1}',
    ],
)
def test_a_file_of_somebody_else_is_refused(line: str, tmp_path: Path) -> None:
    """A line that no demo wrote is told with its place and what to do, and the file stays as it is."""
    path = tmp_path / "mails.jsonl"
    path.write_text(f"{line}\n")
    with pytest.raises(Misconfigured, match=r"mails.jsonl:1: no demo wrote this: delete it"):
        FileEsp(path)
    assert f"{line}\n" == path.read_text()


def test_one_demo_at_a_time_uses_a_file(tmp_path: Path) -> None:
    """Two at once would each think that nothing has left: the second is refused, and may come later."""
    pytest.importorskip("fcntl")
    path = tmp_path / "mails.jsonl"
    with FileEsp(path), pytest.raises(Misconfigured, match="another demo uses it"):
        FileEsp(path)
    with FileEsp(path) as esp:
        assert [] == list(esp.mails)
