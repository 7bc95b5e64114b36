"""Everything that is checked before a change lands: `python -m uv tool run nox`."""

import json
import os
import shutil
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
THIS_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
OTHER_PYTHONS = [python for python in nox.project.python_versions(PYPROJECT) if python != THIS_PYTHON]

# One more than there are processors: tests of the registry wait for servers, disks and processes that they kill.
IN_PARALLEL = f"--numprocesses={min(4, (os.cpu_count() or 1) + 1)}"

# What the other Pythons need not run again, since it reads something else than the code. The pages: what they show is
# printed by commands that have tests of their own. The shared data: it shows that rules fit the world, and no rule
# knows Python's version; generated data goes through the same code everywhere. The benchmarks measure, and check
# nothing.
READ_ONCE = ["tests/test_docs.py", "tests/acceptance", "tests/test_benchmarks.py"]

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False

# pyenv puts only the selected versions on the path; the others are installed all the same.
PYENV = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
os.environ["PATH"] = os.pathsep.join(
    [
        os.environ["PATH"],
        *(str(found) for python in OTHER_PYTHONS for found in sorted(PYENV.glob(f"versions/{python}.*/bin"))),
    ]
)


def sync(session: nox.Session, *arguments: str) -> None:
    """Install the workspace, in editable form, with what the arguments ask for."""
    session.run_install(
        os.environ.get("UV", "uv"),
        "sync",
        "--quiet",
        f"--python={session.virtualenv.location}",
        *arguments,
        env={"UV_PROJECT_ENVIRONMENT": session.virtualenv.location},
        external=True,
    )


def empty_folder(session: nox.Session, name: str) -> Path:
    """Return a folder of the session, emptied of what an earlier run left there."""
    folder = Path(session.create_tmp()).resolve() / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests and the examples of the docs."""
    sync(session, "--all-packages", "--group=tests", "--group=sql", "--group=esps")
    session.run("pytest", IN_PARALLEL, *session.posargs)


@nox.session(python=OTHER_PYTHONS)
def core(session: nox.Session) -> None:
    """Run the tests of the code, without the docs and the shared data, on the other Pythons that are installed."""
    sync(session, "--group=tests")
    session.run("pytest", IN_PARALLEL, *(session.posargs or ["tests", *(f"--ignore={path}" for path in READ_ONCE)]))


@nox.session
def mails(session: nox.Session) -> None:
    """Hold every mail against independent judges: a checker of HTML, axe, a browser, what mail clients know."""
    sync(session, "--group=tests", "--group=browser")
    judges = Path(session.create_tmp()).resolve() / "judges"
    judges.mkdir(exist_ok=True)
    named = json.loads((ROOT / "tests/mails/judged/tools.json").read_text(encoding="utf-8"))
    if npm := shutil.which("npm"):
        session.run_install(
            npm, "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--no-audit", "--no-fund",
            "--loglevel=error", f"--prefix={judges}", *(f"{name}@{version}" for name, version in named.items()),
            external=True,
        )  # fmt: skip
    else:
        session.warn("npm is not installed: what it brings is skipped")
    pictures = empty_folder(session, "pictures")
    session.run(
        "pytest", "-rs", *(session.posargs or ["tests/mails/judged"]),
        env={"LIFECYCLE_MAIL_JUDGES": str(judges), "LIFECYCLE_MAIL_PICTURES": str(pictures)},
    )  # fmt: skip
    session.log(f"look at the sheets in {pictures}")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    sync(session, "--all-packages", "--group=tests", "--group=types", "--group=sql", "--group=esps", "--group=browser")
    adapters = [str(path.relative_to(ROOT)) for name in ("src", "tests") for path in ROOT.glob(f"adapters/*/{name}")]
    session.run("mypy", "src", "tests", *sorted(adapters))


@nox.session
def lint(session: nox.Session) -> None:
    """Check the style, and that the code is formatted."""
    sync(session, "--only-group=lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def floors(session: nox.Session) -> None:
    """Check that no floor imports from a floor above it."""
    sync(session, "--group=lint")
    session.run("lint-imports", "--no-cache")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that generated pages are fresh, and build the docs."""
    sync(session, "--all-packages", "--group=docs")
    if (ROOT / "docs/generate.py").exists():
        session.run("python", "docs/generate.py", "--check")
    session.run("sphinx-build", "-W", "--keep-going", "-q", "docs", str(empty_folder(session, "html")))


@nox.session
def wheels(session: nox.Session) -> None:
    """Build every distribution, and try the wheels where nothing else is installed."""
    dist = empty_folder(session, "dist")
    uv = os.environ.get("UV", "uv")
    session.run(uv, "build", "--quiet", "--all-packages", "--out-dir", str(dist), external=True)
    session.install(*map(str, sorted(dist.glob("*.whl"))))
    session.run("python", "-I", "-c", "import lifecycle_mail")
    readme = ROOT / "tests/readme_in_fresh_venv.py"
    if readme.exists():
        session.run("python", "-I", str(readme))
    (wheel,) = dist.glob("lifecycle_mail-*.whl")
    session.install(f"lifecycle-mail[cli] @ {wheel.as_uri()}")
    session.run("lifecycle-mail", "--help", silent=True)


@nox.session(default=False)
def long(session: nox.Session) -> None:
    """Run the tests that are marked long, with many more examples for the generated ones."""
    sync(session, "--all-packages", "--group=tests", "--group=sql", "--group=esps")
    # Some of them take minutes, and stand together: who is done takes over what others have not begun.
    session.run(
        "pytest", "-m", "long", IN_PARALLEL, "--dist=worksteal", *session.posargs, env={"HYPOTHESIS_PROFILE": "long"}
    )


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Run every benchmark."""
    sync(session, "--all-packages", "--group=sql", "--group=esps")
    for benchmark in sorted(ROOT.glob("benchmarks/*.py")):
        session.run("python", str(benchmark.relative_to(ROOT)), *session.posargs)
