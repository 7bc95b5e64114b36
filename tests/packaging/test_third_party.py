"""Anyone can write an adapter outside this repository, register it, and prove it with the conformance suite (E5)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
THEIRS = Path(__file__).parent / "maildir_esp"


def uv() -> str:
    """Return the program that builds and installs, or skip."""
    beside = Path(sys.executable).with_name("uv")
    found = os.environ.get("UV") or shutil.which("uv") or (str(beside) if beside.exists() else None)
    if found is None:
        pytest.skip("uv is not installed: python -m pip install uv")
    return found


def run(*arguments: object, cwd: Path) -> str:
    """Run a program, and return what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "VIRTUAL"))}
    done = subprocess.run(  # noqa: S603 - programs of ours
        list(map(str, arguments)), cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert 0 == done.returncode, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_an_adapter_from_elsewhere_is_built_installed_and_proved(tmp_path: Path) -> None:
    """Its folder lies elsewhere, only built wheels are installed, and the suite of the installed library holds it."""
    tool, dist, python = uv(), tmp_path / "dist", tmp_path / "venv/bin/python"
    theirs = Path(shutil.copytree(THEIRS, tmp_path / "somewhere/else"))
    run(tool, "build", "--quiet", "--wheel", "--out-dir", dist, ROOT, cwd=tmp_path)
    run(tool, "build", "--quiet", "--wheel", "--out-dir", dist, theirs, cwd=tmp_path)
    run(tool, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv", cwd=tmp_path)
    wheels = sorted(dist.glob("*.whl"))
    assert ["acme_maildir", "lifecycle_mail"] == [one.name.split("-")[0] for one in wheels]
    run(tool, "pip", "install", "--quiet", "--python", python, *wheels, "pytest", cwd=tmp_path)
    out = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", theirs / "tests", cwd=tmp_path)
    passed = int(out.rpartition(" passed")[0].split()[-1])
    assert passed >= 15, out
    assert "failed" not in out
