"""Texts that hold what cannot be seen, by what it is (F55)."""

HIDDEN = {
    "CR LF": "a\r\nBcc: eve@evil.example",
    "LF": "a\nb",
    "CR": "a\rb",
    "NUL": "a\0b",
    "escape": "\x1b[2J",
    "tab": "a\tb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "right-to-left override": "a\u202eb",
    "right-to-left isolate": "a\u2067b",
    "right-to-left mark": "a\u200fb",
    "zero width space": "a\u200bb",
    "byte order mark": "\ufeffa",
    "soft hyphen": "a\u00adb",
    "tag": "a\U000e0041b",
    "half a character": "a\ud800b",
    "private use": "a\ue000b",
    "no character": "a\uffffb",
    "unassigned": "a\u0378b",
}
