"""All the laws of an ESP adapter."""

# ruff: noqa: S101 - a suite is made of tests

from __future__ import annotations

from lifecycle_mail.ports import (
    Capability,
    CompilesSegments,
    Esp,
    Forgets,
    HearsWebhooks,
    HoldsSegments,
    KeepsContacts,
    ListsOptOuts,
    Reports,
    SendsCampaigns,
    SendsMails,
    TagsContacts,
    TakesOptOuts,
)
from lifecycle_mail.testing.esps.campaigns import CampaignsConformance
from lifecycle_mail.testing.esps.contacts import ContactsConformance
from lifecycle_mail.testing.esps.mails import MailsConformance
from lifecycle_mail.testing.esps.opt_outs import OptOutsConformance
from lifecycle_mail.testing.esps.syncing import SegmentsConformance

_PROTOCOLS: dict[Capability, type] = {
    Capability.CAMPAIGNS: SendsCampaigns,
    Capability.SINGLE_MAILS: SendsMails,
    Capability.OUTCOMES: SendsMails,
    Capability.OPT_OUTS: TakesOptOuts,
    Capability.OPT_OUT_LIST: ListsOptOuts,
    Capability.REPORTS: Reports,
    Capability.WEBHOOKS: HearsWebhooks,
    Capability.CONTACTS: KeepsContacts,
    Capability.SEGMENTS: CompilesSegments,
    Capability.MEMBERS: HoldsSegments,
    Capability.TAGS: TagsContacts,
    Capability.ERASURE: Forgets,
}


class EspConformance(
    CampaignsConformance, MailsConformance, OptOutsConformance, ContactsConformance, SegmentsConformance, suite=True
):  # fmt: skip
    """Every law of the ESP ports.

    A subclass says how to make the adapter, in front of whatever stands in for the provider (recorded answers, a fake
    server), and defines the hooks that let the suite see and upset the provider's side. What the adapter does not
    claim in `capabilities` is not asked of it; a hook that is missing fails the tests that need it, unless they are
    waived::

        class TestMailchimp(EspConformance):
            waivers = {"test_an_echo_is_recognised": "reports come by webhook only"}

            def make_esp(self): ...
            def left(self, esp, campaign): ...
    """

    def test_it_can_do_what_it_claims(self) -> None:
        """Each capability stands for a port, and its methods are there."""
        esp = self.make_esp()
        assert isinstance(esp, Esp)
        assert esp.name == esp.name.strip() != ""
        assert set(esp.capabilities) <= set(Capability) == set(_PROTOCOLS)
        for capability, protocol in _PROTOCOLS.items():
            if capability in esp.capabilities:
                assert isinstance(esp, protocol), f"{capability} is claimed, {protocol.__name__} is not implemented"
