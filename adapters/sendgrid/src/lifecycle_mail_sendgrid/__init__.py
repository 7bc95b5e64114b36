"""SendGrid behind `lifecycle_mail`."""

from lifecycle_mail_sendgrid.esp import SendgridEsp

__all__ = ["SendgridEsp"]
