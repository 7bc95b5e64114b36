"""Benchmarks are run by hand, and go stale unseen: the one that reaches into the library is started here."""

import subprocess
import sys
from pathlib import Path

from lifecycle_mail.mails import Kind

ROOT = Path(__file__).parent.parent


def test_the_benchmark_of_mails_runs() -> None:
    """With the least of everything it measures every kind, and the memory of two numbers of mails."""
    script = ROOT / "benchmarks" / "mails.py"
    least = ("--repeats", "1", "--calls", "1", "--mails", "10")
    done = subprocess.run([sys.executable, str(script), *least], capture_output=True, text=True, check=False)  # noqa: S603 - our own interpreter
    assert 0 == done.returncode, done.stderr
    measured = {line.split()[0] for line in done.stdout.splitlines() if line.count("us ") >= 3}
    assert set(Kind) == measured
    assert 2 == done.stdout.count(" MiB")
