import subprocess
import sys

import pytest

HEAVY = {
    "alembic", "attr.validators", "babel", "click", "dateutil", "duckdb", "email_validator", "idna", "itsdangerous",
    "jinja2", "mailchimp_marketing", "narwhals", "pandas", "polars", "pyarrow", "pytest", "requests", "rich",
    "sendgrid", "sqlalchemy", "starlette", "tomli_w",
} - {"attr.validators"}  # fmt: skip


def modules_after(code: str) -> set[str]:
    """Run code in a new interpreter and return the modules that it has loaded."""
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", f"{code}\nimport sys; print('\\n'.join(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(done.stdout.split())


def test_importing_the_package_stays_light() -> None:
    """Nothing heavy is loaded before it is needed, nor the parts of the package itself."""
    loaded = modules_after("import lifecycle_mail")
    assert set() == loaded & HEAVY
    assert {"lifecycle_mail"} == {name for name in loaded if name.partition(".")[0] == "lifecycle_mail"}


@pytest.mark.parametrize("name", ["Lifecycle", "MailingList", "where", "Plan", "Policy", "Content"])
def test_importing_any_public_name_stays_light(name: str) -> None:
    """Address validation, signing and TOML wait for their first use."""
    assert set() == modules_after(f"from lifecycle_mail import {name}") & HEAVY


def test_making_one_in_memory_stays_light() -> None:
    """An application that starts up pays for what it uses only."""
    code = "import lifecycle_mail as lm\nlm.Lifecycle.in_memory()"
    assert set() == modules_after(code) & HEAVY


def test_importing_the_builders_needs_no_test_runner() -> None:
    """The suites are plain classes: nothing of pytest or Hypothesis is loaded by them."""
    loaded = modules_after("import lifecycle_mail.testing")
    assert {"pytest", "_pytest", "hypothesis"}.isdisjoint(loaded)


def test_the_first_address_loads_what_reads_addresses() -> None:
    """The list of heavy modules is checked the other way round: the test can fail."""
    assert "email_validator" in modules_after("import lifecycle_mail; lifecycle_mail.parse_address('a@example.com')")
