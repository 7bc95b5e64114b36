import io
from pathlib import Path

from rich.console import Console

from lifecycle_mail.cli.printing import bar_of_rows
from tests.cli.running import written


def _shown(path: Path, *, terminal: bool) -> str:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80)
    with bar_of_rows(path, console) as progress:
        progress(2)
    return out.getvalue()


def test_a_bar_shows_how_many_rows_are_done(tmp_path: Path) -> None:
    """On a terminal the bar goes up to the number of lines of the file, and is wiped away at the end."""
    path = written(tmp_path / "out.csv", "email\na@example.com\nb@example.com\nc@example.com\n")
    shown = _shown(path, terminal=True)
    assert "out.csv" in shown
    assert "50%" in shown
    assert shown.endswith("\x1b[2K")


def test_programs_see_no_bar(tmp_path: Path) -> None:
    """Where nobody looks nothing is drawn, also for a file without lines."""
    assert "" == _shown(written(tmp_path / "out.csv", ""), terminal=False)
    assert "out.csv" in _shown(tmp_path / "out.csv", terminal=True)
