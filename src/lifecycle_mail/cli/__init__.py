"""The command line: `lifecycle-mail`. Needs the extra `cli`."""

from __future__ import annotations


def main() -> None:
    """Run the command line; without the extra installed, say how to get it."""
    try:
        from lifecycle_mail.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        raise SystemExit("the command line needs more packages: pip install 'lifecycle-mail[cli]'") from None
    app(prog_name="lifecycle-mail")


__all__ = ["main"]
