"""`python -m lifecycle_mail.cli`."""

from lifecycle_mail.cli import main

main()
