"""Alembic looks for this file; the store runs the migrations itself, on its own connection and in one transaction."""
