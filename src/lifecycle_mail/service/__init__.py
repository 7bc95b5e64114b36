"""The service: `Lifecycle(esp=..., store=...)`, the one place that calls ports."""

from lifecycle_mail.service.answering import Answered, Asked
from lifecycle_mail.service.applying import Applied
from lifecycle_mail.service.archiving import Archived
from lifecycle_mail.service.breaker import Breaker
from lifecycle_mail.service.causes import OptOutCauses
from lifecycle_mail.service.cleaning import Verdict
from lifecycle_mail.service.consenting import NeedsConfirmation, OptedOut, Subscribed
from lifecycle_mail.service.exporting import Exported
from lifecycle_mail.service.forgetting import Erased
from lifecycle_mail.service.handoff import SendReport
from lifecycle_mail.service.lifecycle import Lifecycle
from lifecycle_mail.service.moving import Imported
from lifecycle_mail.service.outbox import Drained
from lifecycle_mail.service.past import AsOf
from lifecycle_mail.service.receiving import Received

__all__ = [
    "Answered",
    "Applied",
    "Archived",
    "AsOf",
    "Asked",
    "Breaker",
    "Drained",
    "Erased",
    "Exported",
    "Imported",
    "Lifecycle",
    "NeedsConfirmation",
    "OptOutCauses",
    "OptedOut",
    "Received",
    "SendReport",
    "Subscribed",
    "Verdict",
]
