"""The service: `Lifecycle(esp=..., store=...)`, the one place that calls ports."""

from lifecycle_mail.service.consenting import NeedsConfirmation, OptedOut, Subscribed
from lifecycle_mail.service.lifecycle import AsOf, Lifecycle
from lifecycle_mail.service.receiving import Received
from lifecycle_mail.service.sending import SendReport

__all__ = ["AsOf", "Lifecycle", "NeedsConfirmation", "OptedOut", "Received", "SendReport", "Subscribed"]
