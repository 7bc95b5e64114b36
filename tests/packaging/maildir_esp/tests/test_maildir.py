"""The adapter keeps every law of an ESP that it claims to keep."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from acme_maildir import MaildirEsp

from lifecycle_mail.errors import EspError, EspUnavailable, OutcomeUnknown
from lifecycle_mail.model.addresses import EmailAddress
from lifecycle_mail.model.lists import Scope
from lifecycle_mail.model.names import CampaignKey, ContactId
from lifecycle_mail.plugins import load_esp
from lifecycle_mail.ports import Esp
from lifecycle_mail.testing import EspConformance


class Upset(MaildirEsp):
    """Fails when the suite says so: a folder itself is never busy."""

    upset: tuple[str, type[EspError], bool] | None = None

    def _go(self, operation: str, *, after: bool) -> None:
        if self.upset is not None and self.upset[0] == operation and self.upset[2] is after:
            error = self.upset[1]
            self.upset = None
            raise error(esp=self.name, operation=operation)

    def send(self, recipient, *, content):  # type: ignore[no-untyped-def]
        """Send, or fail before or after."""
        self._go("send", after=False)
        super().send(recipient, content=content)
        self._go("send", after=True)

    def opt_outs(self, *, since, now):  # type: ignore[no-untyped-def]
        """List, or fail."""
        self._go("opt_outs", after=False)
        return super().opt_outs(since=since, now=now)


class TestMaildir(EspConformance):
    """One suite for every adapter."""

    def make_esp(self) -> Esp:
        """Return one on a new folder."""
        return Upset(folder=tempfile.mkdtemp(prefix="maildir-"))

    def left(self, esp: Esp, campaign: CampaignKey) -> Sequence[ContactId]:
        """Read the folder."""
        names = {"ada", "bob", "cem"}
        assert isinstance(esp, MaildirEsp)
        return [ContactId(one) for one in sorted(names) if esp.path_of(campaign, ContactId(one)).exists()]

    def refuse(self, esp: Esp, address: EmailAddress) -> None:
        """Block an address."""
        assert isinstance(esp, MaildirEsp)
        esp.blocked.add(str(address).casefold())

    def limit(self, esp: Esp, operation: str) -> None:
        """Be busy once."""
        assert isinstance(esp, Upset)
        esp.upset = (operation, EspUnavailable, False)

    def cut(self, esp: Esp, operation: str, *, done: bool) -> None:
        """Lose the answer."""
        assert isinstance(esp, Upset)
        esp.upset = (operation, OutcomeUnknown, done)

    def unsubscribe(self, esp: Esp, address: EmailAddress, scope: Scope, *, at: datetime) -> None:
        """Write them into the list, as a person at the provider would."""
        assert isinstance(esp, MaildirEsp)
        esp.put_out(str(address), str(scope), at)


def test_it_is_found_by_its_name(tmp_path: Path) -> None:
    """Installed, it registers itself; its options come from whoever asks for it."""
    esp = load_esp("maildir", folder=str(tmp_path))
    assert isinstance(esp, MaildirEsp)
    assert tmp_path == esp.folder


def test_the_library_under_test_is_the_installed_one() -> None:
    """Nothing is imported from a checkout."""
    import acme_maildir

    import lifecycle_mail

    for module in (lifecycle_mail, acme_maildir):
        assert "site-packages" in Path(str(module.__file__)).parts
