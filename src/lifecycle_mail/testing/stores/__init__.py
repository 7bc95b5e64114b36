"""The laws of a store, port by port, and all of them together."""

from lifecycle_mail.testing.stores.after_erasure import AfterErasureConformance
from lifecycle_mail.testing.stores.answers import AnswersConformance
from lifecycle_mail.testing.stores.aside import AsideConformance
from lifecycle_mail.testing.stores.bookmarks import BookmarksConformance
from lifecycle_mail.testing.stores.claims import ClaimsConformance
from lifecycle_mail.testing.stores.contacts import ContactsConformance
from lifecycle_mail.testing.stores.engagement import EngagementConformance
from lifecycle_mail.testing.stores.erased_hashes import ErasedHashesConformance
from lifecycle_mail.testing.stores.erasure import ErasureConformance
from lifecycle_mail.testing.stores.hashes import HashesConformance
from lifecycle_mail.testing.stores.leases import LeasesConformance
from lifecycle_mail.testing.stores.log import ConsentLogConformance
from lifecycle_mail.testing.stores.making import NEWER_PEPPERS, PEPPERS, MakesStores
from lifecycle_mail.testing.stores.marks import MarksConformance
from lifecycle_mail.testing.stores.outbox import OutboxConformance
from lifecycle_mail.testing.stores.transactions import TransactionConformance


class StoreConformance(
    ConsentLogConformance,
    MarksConformance,
    ContactsConformance,
    EngagementConformance,
    AnswersConformance,
    AsideConformance,
    ErasureConformance,
    AfterErasureConformance,
    ErasedHashesConformance,
    HashesConformance,
    LeasesConformance,
    ClaimsConformance,
    OutboxConformance,
    BookmarksConformance,
    TransactionConformance,
    suite=True,
):
    """Every law of `ports.Store`.

    Subclass it and define `make_store` and `with_peppers`; for a store that outlives the process `reopen` as well, and
    `raw`, so that the laws of erasure see what no call tells::

        class TestMyStore(StoreConformance):
            def make_store(self):
                return MyStore("my:", peppers=PEPPERS)

            def with_peppers(self, store, peppers):
                store.close()
                return MyStore(store.url, peppers=peppers)
    """


__all__ = [
    "NEWER_PEPPERS",
    "PEPPERS",
    "AfterErasureConformance",
    "AnswersConformance",
    "AsideConformance",
    "BookmarksConformance",
    "ClaimsConformance",
    "ConsentLogConformance",
    "ContactsConformance",
    "EngagementConformance",
    "ErasedHashesConformance",
    "ErasureConformance",
    "HashesConformance",
    "LeasesConformance",
    "MakesStores",
    "MarksConformance",
    "OutboxConformance",
    "StoreConformance",
    "TransactionConformance",
]
