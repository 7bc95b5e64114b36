"""The simulator behind a server that holds all that goes over the wire against SendGrid's own files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lifecycle_mail.errors import Misconfigured
from lifecycle_mail.testing.contract import ContractServer
from lifecycle_mail_sendgrid.testing.overlay import OVERLAY
from lifecycle_mail_sendgrid.testing.simulator import SendgridSimulator

SPECS: Final = (
    "email_activity", "mail", "mc_contacts", "mc_custom_fields", "mc_lists", "mc_segments_2.0", "mc_senders",
    "mc_singlesends", "recipients_data_erasure", "scheduled_sends", "scopes", "suppressions", "verified_senders",
    "webhooks",
)  # fmt: skip
"""The files that specify what the simulator answers: `tsg_<name>_v3.json` in Twilio's `sendgrid-oai`."""


def specs_in(folder: Path) -> list[Path]:
    """Return the files that the simulator needs, from a folder that holds them.

    Raises:
        Misconfigured: some of them are missing.
    """
    paths = [folder / f"tsg_{name}_v3.json" for name in SPECS]
    if missing := [path.name for path in paths if not path.is_file()]:
        raise Misconfigured(
            f"{folder} lacks {', '.join(missing)}: take them from twilio/sendgrid-oai, folder spec/json"
        )
    return paths


class SendgridServer(ContractServer):
    """A contract server that shows its simulator.

    Attributes:
        simulator: the account behind it.
    """

    def __init__(self, specs: Sequence[Path], simulator: SendgridSimulator, *, latency: float = 0) -> None:
        self.simulator = simulator
        super().__init__(specs, simulator, overlay=OVERLAY, latency=latency)

    def __enter__(self) -> SendgridServer:
        return self


def sendgrid_server(specs: Sequence[Path], *, latency: float = 0, **options: Any) -> SendgridServer:
    """Return a server with an account of its own behind it.

    Args:
        specs: SendGrid's OpenAPI files (see `specs_in`).
        latency: for how many seconds every answer is held back. Only benchmarks want that.
        options: those of `SendgridSimulator`.
    """
    return SendgridServer(specs, SendgridSimulator(**options), latency=latency)
