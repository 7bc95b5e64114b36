"""What adapters for e-mail service providers share: one pooled transport, retries, errors, checks of webhook bodies."""
