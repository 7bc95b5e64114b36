"""Reading what ESPs and people export, and writing what can be opened safely."""

from lifecycle_mail.files.config import Config, read_policy
from lifecycle_mail.files.mapping import Columns, FieldColumn, Format, Source
from lifecycle_mail.files.opening import read
from lifecycle_mail.files.reading import FileReport, Part, Reading, Reject, RowRefused
from lifecycle_mail.files.writing import (
    DECISION_COLUMNS,
    PLAN_COLUMNS,
    raw_cell,
    safe_cell,
    write_csv,
    write_jsonl,
    write_rejects,
)

__all__ = [
    "DECISION_COLUMNS",
    "PLAN_COLUMNS",
    "Columns",
    "Config",
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
    "read_policy",
    "safe_cell",
    "write_csv",
    "write_jsonl",
    "write_rejects",
]
