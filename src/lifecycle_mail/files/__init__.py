"""Reading what ESPs and people export, and writing what can be opened safely."""

from lifecycle_mail.files.mapping import Columns, FieldColumn, Format, Source
from lifecycle_mail.files.opening import read
from lifecycle_mail.files.reading import FileReport, Part, Reading, Reject, RowRefused
from lifecycle_mail.files.writing import raw_cell, safe_cell, write_csv, write_jsonl, write_rejects

__all__ = [
    "Columns",
    "FieldColumn",
    "FileReport",
    "Format",
    "Part",
    "Reading",
    "Reject",
    "RowRefused",
    "Source",
    "raw_cell",
    "read",
    "safe_cell",
    "write_csv",
    "write_jsonl",
    "write_rejects",
]
