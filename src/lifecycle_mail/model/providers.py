"""Mailbox providers, told by the domain of an address (O6, S13).

Only what the domain itself says: a company's own domain that Gmail or Microsoft hosts counts as `other`, because
nobody asks the DNS here.
"""

from __future__ import annotations

OTHER = "other"
"""A domain of nobody's in particular."""

_DOMAINS = {
    "apple": ("icloud.com", "me.com", "mac.com"),
    "aol": ("aol.com", "aim.com"),
    "gmail": ("gmail.com", "googlemail.com"),
    "gmx": ("gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "web.de"),
    "mail.ru": ("bk.ru", "inbox.ru", "list.ru", "mail.ru"),
    "proton": ("pm.me", "proton.me", "protonmail.com"),
    "yandex": ("ya.ru", "yandex.com", "yandex.ru"),
}
_PROVIDER_OF = {domain: provider for provider, domains in _DOMAINS.items() for domain in domains}
_BRANDS = {"hotmail": "microsoft", "live": "microsoft", "msn": "microsoft", "outlook": "microsoft", "yahoo": "yahoo"}
"""Names that a provider uses under many countries' endings: hotmail.fr, yahoo.co.uk."""


def provider_of(domain: str) -> str:
    """Return the provider of a domain (lower-case A-labels), or `other`; an empty domain has none: empty."""
    if not domain:
        return ""
    known = _PROVIDER_OF.get(domain)
    if known is not None:
        return known
    brand, _, ending = domain.partition(".")
    # Two labels after the brand at most (co.uk): outlook.example.com is somebody's own.
    return _BRANDS[brand] if brand in _BRANDS and len(ending.replace(".", "")) <= 5 else OTHER
