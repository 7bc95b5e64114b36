"""Migrations, one module a schema."""
