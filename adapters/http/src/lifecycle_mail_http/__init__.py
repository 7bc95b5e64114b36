"""What adapters for e-mail service providers share: one pooled transport, retries, errors, checks of webhook bodies."""

from lifecycle_mail_http.answers import Answer, Unfit, masked
from lifecycle_mail_http.calls import Operation, Promise
from lifecycle_mail_http.judging import Explain, Refusal, refused
from lifecycle_mail_http.keys import Key, checked_host, checked_key
from lifecycle_mail_http.retrying import Retries, pause_asked
from lifecycle_mail_http.transport import LIMIT, Timeouts, Transport

__all__ = [
    "LIMIT",
    "Answer",
    "Explain",
    "Key",
    "Operation",
    "Promise",
    "Refusal",
    "Retries",
    "Timeouts",
    "Transport",
    "Unfit",
    "checked_host",
    "checked_key",
    "masked",
    "pause_asked",
    "refused",
]
