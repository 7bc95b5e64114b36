"""Mailchimp behind `lifecycle_mail`."""

from lifecycle_mail_mailchimp.esp import MailchimpEsp

__all__ = ["MailchimpEsp"]
