"""Each mail is what its golden file says; see `golden_files` for how they are written anew."""

from pathlib import Path

import pytest

from tests.mails import golden_files
from tests.mails.golden_files import FOLDER, HOW


@pytest.mark.parametrize("name", golden_files.names())
def test_a_mail_is_what_it_was(name: str) -> None:
    """Headers, subject, preheader, text and HTML stay as they were last read, every link included."""
    path = FOLDER / name
    assert path.exists(), HOW
    assert path.read_text(encoding="utf-8") == golden_files.content(name), HOW


def test_no_golden_file_is_left_over() -> None:
    """A kind that is gone takes its files along."""
    assert set(golden_files.names()) == {path.name for path in FOLDER.iterdir()}, HOW


def test_writing_takes_away_what_is_left_over(tmp_path: Path) -> None:
    """What is written anew is all there is."""
    (tmp_path / "letter.en.txt").write_text("of a kind that there is no more", encoding="utf-8")
    golden_files.write(tmp_path)
    assert set(golden_files.names()) == {path.name for path in tmp_path.iterdir()}
