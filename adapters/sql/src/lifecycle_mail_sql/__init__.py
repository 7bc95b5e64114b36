"""Durable stores for lifecycle_mail: SQLite in a file, Postgres for many workers.

from lifecycle_mail import Lifecycle

mail = Lifecycle("mailchimp", "sqlite:///mail.db")
mail = Lifecycle("mailchimp", "postgresql://localhost/mail")
"""

from lifecycle_mail_sql.opening import JournalWarning, NetworkDiskWarning
from lifecycle_mail_sql.store import SqlStore

__all__ = ["JournalWarning", "NetworkDiskWarning", "SqlStore"]
