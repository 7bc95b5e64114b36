"""The core's own tests of the service, unchanged: a `Lifecycle` on a database behaves as it does in memory.

On SQLite in every run, on Postgres in the long one. Among them are opt-outs, returns and echoes (O1-O4, F30, F31,
F33-F35, F48), answers and what is counted of them (C4, F49), sweeps and old backups (F13, F32), erasure and imports
after it (O5, F61-F63), clocks that jump (F64), the breaker (F66, F67), the rate watch (O6), and the CRM (O9).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from hypothesis import is_hypothesis_test

from adapters.sql.tests.model.simulation import SCRATCH
from adapters.sql.tests.servers import new_schema
from lifecycle_mail import Lifecycle
from lifecycle_mail.ports import Store
from lifecycle_mail.testing import builders
from tests.service import (
    test_answering,
    test_archiving,
    test_breaker,
    test_cleaning,
    test_consent,
    test_crm,
    test_deciding,
    test_erasing,
    test_in_doubt,
    test_lifecycle,
    test_matching,
    test_outbox,
    test_past,
    test_receiving,
    test_returning,
    test_sending,
    test_sweep,
    test_watching,
    worlds,
)

ROOMS = (
    test_answering, test_archiving, test_breaker, test_cleaning, test_consent, test_crm, test_deciding, test_erasing,
    test_in_doubt, test_lifecycle, test_matching, test_outbox, test_past, test_receiving, test_returning, test_sending,
    test_sweep, test_watching,
)  # fmt: skip


def _adopt(room: ModuleType) -> None:
    """Let the tests of a module be collected here, each under the name of its room."""
    begin = room.__name__.rpartition(".")[2].removeprefix("test_")
    for name, one in vars(room).items():
        if name.startswith("test_") and callable(one):
            globals()[f"test_{begin}_{name.removeprefix('test_')}"] = one
        elif name.startswith("Test"):
            globals()[f"Test_{begin}_{name.removeprefix('Test')}"] = one


for _room in ROOMS:
    _adopt(_room)


@pytest.fixture(autouse=True, params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def _durable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let every world that names no store live in a registry of its own."""
    if request.param == "postgresql" and is_hypothesis_test(request.function):
        pytest.skip("a schema for each of a thousand examples takes hours; SQLite has them")
    made: list[Store] = []  # as they were opened: a test may put another in the place of one
    with tempfile.TemporaryDirectory(prefix="lifecycle-mail-", dir=SCRATCH) as folder:

        def lifecycle(*items: Any, **options: Any) -> Lifecycle:
            if request.param == "sqlite":
                url = f"sqlite:///{folder}/{len(made)}.db?verify=off"
            else:
                url = request.getfixturevalue("postgres").url(new_schema())
            mail = builders.lifecycle(*items, **{"store": url} | options)
            if "store" not in options:
                made.append(mail.store)
            return mail

        monkeypatch.setattr(worlds, "lifecycle", lifecycle)
        yield
        for store in made:
            store.close()
