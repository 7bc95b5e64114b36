"""The laws of a store, port by port, and all of them together."""

from lifecycle_mail.testing.stores.claims import ClaimsConformance
from lifecycle_mail.testing.stores.contacts import ContactsConformance
from lifecycle_mail.testing.stores.engagement import EngagementConformance
from lifecycle_mail.testing.stores.log import ConsentLogConformance
from lifecycle_mail.testing.stores.making import MakesStores
from lifecycle_mail.testing.stores.transactions import TransactionConformance


class StoreConformance(
    ConsentLogConformance,
    ContactsConformance,
    EngagementConformance,
    ClaimsConformance,
    TransactionConformance,
    suite=True,
):
    """Every law of `ports.Store`.

    Subclass it and define `make_store`; for a store that outlives the process `reopen` as well::

    class TestMyStore(StoreConformance):
        def make_store(self):
            return MyStore("my:")
    """


__all__ = [
    "ClaimsConformance",
    "ConsentLogConformance",
    "ContactsConformance",
    "EngagementConformance",
    "MakesStores",
    "StoreConformance",
    "TransactionConformance",
]
