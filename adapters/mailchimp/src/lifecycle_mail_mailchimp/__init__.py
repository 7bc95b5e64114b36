"""Mailchimp behind `lifecycle_mail`."""
