"""A simulated account of Mailchimp, behind a server that holds every request to the contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lifecycle_mail_mailchimp.testing import MailchimpSimulator, mailchimp_server

from adapters.mailchimp.tests.simulated import Api
from tests.conftest import shared

__all__ = ["shared"]


@pytest.fixture
def spec(shared: Path) -> Path:
    """Return Mailchimp's specification, or skip the test."""
    return shared / "contracts" / "mailchimp" / "marketing-3.0.55.openapi.json"


@pytest.fixture
def api(spec: Path) -> Iterator[Api]:
    """Return a client of a simulated account; whatever it sends must keep the contract."""
    simulator = MailchimpSimulator()
    with mailchimp_server(spec, simulator) as server:
        api = Api(simulator, server)
        yield api
        api.close()
        server.require_clean()
