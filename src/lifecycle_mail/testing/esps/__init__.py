"""The laws of an ESP adapter, capability by capability, and all of them together."""

from lifecycle_mail.testing.esps.campaigns import CampaignsConformance
from lifecycle_mail.testing.esps.contacts import ContactsConformance
from lifecycle_mail.testing.esps.mails import MailsConformance
from lifecycle_mail.testing.esps.making import MakesEsps
from lifecycle_mail.testing.esps.opt_outs import OptOutsConformance
from lifecycle_mail.testing.esps.suite import EspConformance

__all__ = [
    "CampaignsConformance",
    "ContactsConformance",
    "EspConformance",
    "MailsConformance",
    "MakesEsps",
    "OptOutsConformance",
]
