"""Measuring: what mails achieved, and what they cost in people who left."""
