"""SendGrid behind `lifecycle_mail`."""
