"""What both fakes share: which operations a test may let fail."""

from __future__ import annotations

from lifecycle_mail.errors import UnknownName


def require_operation(fake: object, operation: str) -> None:
    """Refuse an operation that the fake does not have: a script that never fires would prove nothing."""
    if operation.startswith("_") or not callable(getattr(fake, operation, None)):
        known = [name for name in dir(fake) if not name.startswith("_") and callable(getattr(fake, name))]
        raise UnknownName("operation", operation, known)
