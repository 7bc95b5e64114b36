"""What promotes: prices, price cuts and the words of sales, in the languages of the mails (C5, C6).

A cancellation mail reaches people who opted out of marketing, so it names no price, no discount and no offer. Words
are listed that hardly ever mean anything else in a mail; what has an ordinary meaning too is left out by itself
and listed with the word that makes it an offer. "What we offer", a list titled "Ofertas", what "stays free", a
"guarantee" or a "final settlement" promote nothing; a "special offer", "en oferta" and a "free month" do. "Buy now"
and "order now" promote, but not where "your order now" goes on; "save 20 on" promotes, and "save 20 drafts" does not.

A sum of money counts whatever it is for: C6 allows none. A percentage counts as a price cut, unless

- the next word says what it is a share of or how far something is ("100 % of your data", "80 % full", "22 % VAT"); or
- it is 100 % or more, which nobody takes off a price, unless the next word is one such as "free" or "off".

All languages are looked for in every text: people mix them, and a promotion is one in any of them. The text is read as
people see it: give the plain text of a mail, not its HTML. Links in it are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lifecycle_mail.mails.phrases import Folded, Phrases

_NUMBERS: Final = (
    "five", "ten", "fifteen", "twenty", "twenty five", "thirty", "thirty five", "forty", "fifty", "sixty", "seventy",
    "seventy five", "eighty", "ninety",
)  # fmt: skip

WORDS: Final[Mapping[str, Phrases]] = {
    "en": Phrases((
        "discount", "discounts", "discounted", "coupon", "coupons", "voucher", "vouchers", "promo code",
        "promo codes", "promotional code", "promotional codes", "promotional price", "promotional prices",
        "special offer", "special offers", "exclusive offer", "exclusive offers", "limited offer",
        "limited time offer", "introductory offer", "unbeatable offer", "special price", "special prices",
        "reduced price", "reduced prices", "best price", "best prices", "lowest price", "lowest prices",
        "price drop", "price cut", "half price", "half off", "on sale", "flash sale", "summer sale", "winter sale",
        "clearance sale", "black friday", "cyber monday", "bargain", "bargains", "hot deal", "hot deals",
        "deal of the day", "cashback", "cash back", "bogo", "buy one get one", "2 for 1", "two for one",
        "off your next", "off your first", "free month", "free months", "first month free", "next month free",
        "one month free", "two months free", "three months free", "# month free", "# months free", "months for free",
        "free shipping", "free delivery", "free gift", "free gifts", "bonus gift", "bonus gifts", "month on us",
        "months on us", "year on us", "shipping is on us", "save big", "save up to half", "big savings", "huge savings",
        "percent off", "per cent off", *(f"{number} percent off" for number in _NUMBERS),
        *(f"{number} per cent off" for number in _NUMBERS),
    )),
    "es": Phrases((
        "descuento", "descuentos", "dto", "rebaja", "rebajas", "rebajado", "rebajada", "rebajados", "rebajadas",
        "cupón", "cupones", "código promocional", "códigos promocionales", "código de promoción", "oferta especial",
        "ofertas especiales", "oferta exclusiva", "ofertas exclusivas", "oferta limitada", "oferta irrepetible",
        "oferta única", "en oferta", "en promoción", "precio especial", "precios especiales", "precio reducido",
        "mejor precio", "mejores precios", "mitad de precio", "2x1", "dos por uno", "mes gratis", "meses gratis",
        "mes gratuito", "meses gratuitos", "envío gratis", "envíos gratis", "envío gratuito",
        "gastos de envío gratis", "regalo gratis", "regalo exclusivo", "mes por nuestra cuenta",
        "meses por nuestra cuenta", "por ciento menos en tu", "por ciento menos en su", "compre ya", "compre ahora",
        "cómpralo ya", "cómpralo ahora", "cómprelo ya", "cómprelo ahora", "haz tu pedido ya", "haz tu pedido ahora",
        "haga su pedido ya", "haga su pedido ahora", "mejora tu plan ahora", "mejore su plan ahora",
        "ahorra a lo grande",
    )),
    "pt": Phrases((
        "desconto", "descontos", "cupom", "cupons", "cupão", "cupões", "código promocional", "códigos promocionais",
        "código de promoção", "preço promocional", "preços promocionais", "em promoção", "promoção relâmpago",
        "oferta especial", "ofertas especiais", "oferta exclusiva", "ofertas exclusivas", "oferta imperdível",
        "ofertas imperdíveis", "oferta limitada", "oferta relâmpago", "em oferta", "preço especial",
        "preços especiais", "melhor preço", "melhores preços", "metade do preço", "leve 2 pague 1", "leve 3 pague 2",
        "mês grátis", "meses grátis", "mês gratuito", "meses gratuitos", "frete grátis", "portes grátis",
        "portes gratuitos", "envio grátis", "envio gratuito", "entrega grátis", "brinde grátis", "brinde exclusivo",
        "queima de estoque", "mês por nossa conta", "meses por nossa conta", "compre já", "compre agora",
        "encomende já", "encomende agora", "peça já o seu", "peça agora o seu", "faça upgrade já",
        "faça upgrade agora", "faça o upgrade agora",
    )),
    "ms": Phrases((
        "diskaun", "diskaunnya", "potongan harga", "rebat", "baucar", "baucer", "kupon", "kod promo", "kod promosi",
        "harga promosi", "harga istimewa", "harga runtuh", "harga terbaik", "harga rendah", "separuh harga",
        "tawaran istimewa", "tawaran hebat", "tawaran eksklusif", "tawaran terhad", "tawaran khas", "jualan murah",
        "jualan hebat", "jualan mega", "pulangan tunai", "bulan percuma", "sebulan percuma", "penghantaran percuma",
        "hadiah percuma", "beli satu percuma satu", "beli sekarang", "tempah sekarang",
        "naik taraf sekarang", "jimat besar",
    )),
    "et": Phrases((
        "allahindlus*", "hinnaalandus*", "sooduskood*", "sooduskupong*", "sooduskampaania*", "soodushin*",
        "sooduspakkumi*", "soodustus*", "hinnasoodustus*", "kupong*", "kampaaniahin*", "kampaaniakood*", "alehin*",
        "erihind*", "erihinna*", "eripakkumi*", "parim hind", "parima hinnaga", "pool hinda", "poole hinnaga",
        "tasuta kuu", "tasuta kuud", "kuu tasuta", "kuud tasuta", "tasuta tarne", "tasuta transport",
        "tasuta saatmi*", "tasuta kohaletoimetami*", "tasuta kingitus*", "kaks ühe hinnaga",
        "kuu meie kulul", "kuud meie kulul", "osta kohe", "ostke kohe", "osta nüüd", "ostke nüüd", "telli nüüd",
        "tellige nüüd", "telli kohe", "tellige kohe", "protsenti odavam*", "protsenti soodsam*",
    )),
}  # fmt: skip
"""Words that promote, by language."""

_ALL_WORDS: Final = Phrases(tuple(phrase for phrases in WORDS.values() for phrase in phrases.written))
_SPACE: Final = r"[ -]{1,4}"
_BUY_NOW: Final = re.compile(
    rf"(?<!\w)(?:(\w{{1,12}}){_SPACE})?((?:buy|order|shop|upgrade){_SPACE}now|compra{_SPACE}(?:ya|ahora))(?!\w)"
)
_NO_CALL: Final = frozenset({
    "a", "an", "any", "each", "every", "her", "his", "its", "my", "no", "our", "that", "the", "their", "this", "your",
    "online", "web", "who", "we", "you", "they", "i",
    "cada", "esta", "la", "mi", "nuestra", "su", "tu", "una",
})  # fmt: skip
"""Words, folded, after which it is no request: "your order now ships", "tu compra ahora"."""
_SAVE: Final = re.compile(
    r"(?<!\w)(?:save|saving|ahorra|ahorre|economize|poupe|jimat|jimatkan|saasta|saastke|saastad|saastate)"
    rf"(?:{_SPACE}(?:up to|hasta|ate|sehingga|hingga|kuni))?{_SPACE}\d{{1,6}}(?:[.,]\d{{1,2}})?{_SPACE}"
    r"(?:on|off|when|today|now|en tu|en su|al ano|hoy|no seu|na sua|por mes|por ano|hoje|pada|setahun|hari ini|tana)"
    r"(?!\w)"
)
"""To save so many, and no word for what: it is money. A number of charts, hours or drafts can be saved, too."""

_SUM: Final = r"\d[\d.,]{0,12}"
_SIGN: Final = r"(?:R\$|US\$|[$\u20ac\u00a3\u00a5\u20b9])"
# Codes in capitals only, and none that is also an abbreviation beside numbers ("20 CAD files", "PHP 8").
_CODE: Final = (
    "(?:RM|EUR|USD|GBP|CHF|SEK|NOK|DKK|PLN|CZK|HUF|RON|UAH|BRL|MYR|MXN|ARS|CLP|COP|PEN|UYU|AUD|NZD|INR|JPY|CNY|SGD|"
    "HKD|IDR|THB|ZAR)"
)
_MONEY: Final = re.compile(
    rf"{_SIGN}\s?{_SUM}|{_SUM}\s?{_SIGN}|(?<![A-Za-z]){_CODE}\s?{_SUM}|{_SUM}\s?{_CODE}(?![A-Za-z])"
)
_MONEY_IN_WORDS: Final = re.compile(
    rf"{_SUM} ?(?:eur|euros?|eurot|usd|gbp|dollars?|dolar|dolares|dollarit|ringgit|reais|pesos)(?!\w)"
)
# Two hexadecimal digits after the sign are an escape of a link.
_PERCENT: Final = re.compile(
    r"(?<![\w.,])(\d{1,4})(?:[.,]\d{1,2})? ?"
    r"(?:%(?![\da-f]{2})|(?:per ?cent|por ciento|por cento|peratus|protsenti?)(?!\w))"
    r"(?: {0,2}(\w{1,20}))?"
)
_FREE: Final = frozenset({"off", "free", "gratis", "gratuito", "gratuita", "percuma", "tasuta", "bonus"})
_SHARE: Final = frozenset({
    "of", "full", "complete", "completed", "done", "used", "ready", "charged", "vat",
    "de", "del", "completo", "completa", "lleno", "llena", "usado", "usada", "iva",
    "do", "da", "dos", "das", "cheio", "cheia", "concluido", "concluida",
    "daripada", "penuh", "lengkap", "siap", "digunakan", "sst",
    "sinu", "teie", "koigist", "kogu", "tais", "valmis", "kasutatud", "kaibemaks", "kaibemaksu",
})  # fmt: skip
"""Words, folded, after which a percentage is a share and no price cut."""
_UNSEEN_GAP: Final = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+")
"""What is not seen may stand in a word, or between two."""
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def find_promotion(text: str) -> str | None:
    """Return the words of a text that promote, as they are written there, or None.

    Args:
        text: as people see it, in any language; its length is not limited, and takes linear time.

    Source: C6. See the top of this module for what promotes and what does not.
    """
    text = _LINK.sub(" ", text)
    return _promotion(text) or (_promotion(_UNSEEN_GAP.sub(" ", text)) if _UNSEEN_GAP.search(text) else None)


def _promotion(text: str) -> str | None:
    if money := _MONEY.search(text):
        return money[0]
    folded = Folded.of(text)
    if in_words := _MONEY_IN_WORDS.search(folded.text):
        return folded.as_written(*in_words.span())
    return _price_cut(folded) or _request(folded) or _ALL_WORDS.find(folded)


def find_sales_words(text: str) -> str | None:
    """Return the words of what somebody keeps that promote, as they are written there, or None.

    A credit of 12 EUR, vouchers and "50 % opacity presets" may be somebody's own. What promotes is what nobody has: a
    price cut that says so ("50 % off") and a request to buy.

    Args:
        text: as customers know it, in any language.

    Source: C6.
    """
    folded = Folded.of(_LINK.sub(" ", text))
    return _price_cut(folded, said=True) or _request(folded)


def _price_cut(folded: Folded, *, said: bool = False) -> str | None:
    """Find a percentage that is no share; if `said`, only one that says what it is."""
    for found in _PERCENT.finditer(folded.text):
        number, following = found[1], found[2] or ""
        is_share = following not in _FREE if said or int(number) >= 100 else following in _SHARE
        if not is_share:
            end = found.end() if following in _FREE else found.start(2) if following else found.end()
            return folded.as_written(found.start(), end).strip()
    return None


def _request(folded: Folded) -> str | None:
    """Find a request to buy, or to save money."""
    for found in _BUY_NOW.finditer(folded.text):
        if found[1] not in _NO_CALL:
            return folded.as_written(*found.span(2))
    saved = _SAVE.search(folded.text)
    return None if saved is None else folded.as_written(*saved.span())
