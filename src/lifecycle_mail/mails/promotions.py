"""What promotes: prices, price cuts and the words of sales, in the languages of the mails (C5, C6).

A cancellation mail reaches people who opted out of marketing, so it names no price, no discount and no offer. Words
are listed that hardly ever mean anything else in a mail; what has an ordinary meaning too is left out by itself
and listed with the word that makes it an offer. "What we offer", a list titled "Ofertas", what "stays free", a
"guarantee" or a "final settlement" promote nothing; a "special offer", "en oferta" and a "free month" do. "Buy now"
and "order now" promote, but not where "your order now" goes on; "save 20 on" promotes, and "save 20 drafts" does not.

A time that is free promotes: "30 days free", "free for a month", "the first week is free". What is free, and for how
long something is kept, does not: "free exports", "30 days of history". Nor does what costs nothing to do within a time,
as in "cancel within 14 days free of charge", or a time free of something, as in "30 days free of sugar".

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
        *(f"{time} {on_us}" for time in ("day", "week", "month", "year") for on_us in ("on us", "is on us")),
        *(f"{time} {on_us}" for time in ("days", "weeks", "months") for on_us in ("on us", "are on us")),
        "cheaper", "cheapest", "less expensive", "costs less", "cost less", "pay less", "paying less", "for less money",
        "lower price", "lower prices", "lowered price", "lowered prices", "price is lower", "price is now lower",
        "prices are lower", "prices are now lower", "at a lower cost", "at lower cost", "better price",
        "better prices", "price reduction", "price reductions", "lowered the price", "lowered our price",
        "lowered the prices", "lowered our prices", "cut our prices", "dropped our prices", "half the price",
        "free shipping", "free delivery", "free gift", "free gifts", "bonus gift", "bonus gifts", "shipping is on us",
        "save big", "save up to half", "big savings", "huge savings",
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
        "meses por nuestra cuenta", "días por nuestra cuenta", "semana por nuestra cuenta",
        "semanas por nuestra cuenta", "mes de regalo", "meses de regalo", "semana gratis", "semanas gratis",
        "semana gratuita", "semanas gratuitas", "más barat*", "baratísim*", "más económic*", "menos caro", "menos cara",
        *(f"precio {is_} {low}" for is_ in ("es", "ahora es", "es ahora") for low in ("más bajo", "menor", "inferior")),
        "precio más bajo", "precios más bajos", "precio menor", "precios menores", "menor precio", "menores precios",
        "precio inferior", "precios inferiores", "precios reducidos", "mitad del precio", "cuesta menos",
        "cuestan menos", "costará menos", "paga menos", "pague menos", "pagas menos", "pagarás menos", "pagar menos",
        *(f"{lowered} {price}" for lowered in ("bajado", "bajamos", "reducido", "rebajado", "rebajamos")
          for price in ("el precio", "los precios", "nuestros precios")),
        "bajado de precio", "bajada de precio", "bajada de precios", "bajada del precio", "reducción de precio",
        "reducción de precios", "reducción del precio", "por ciento menos en tu", "por ciento menos en su",
        "compre ya", "compre ahora",
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
        "queima de estoque", "mês por nossa conta", "meses por nossa conta", "dias por nossa conta",
        "semana por nossa conta", "semanas por nossa conta", "mês de graça", "meses de graça", "semana grátis",
        "semanas grátis", "semana gratuita", "semanas gratuitas", "mais barat*", "baratíssim*", "mais econômico",
        "mais econômica", "preço mais em conta", "plano mais em conta", "sai mais em conta",
        "saem mais em conta", "menos caro", "menos cara",
        *(f"preço {is_} {low}" for is_ in ("é", "agora é", "é agora") for low in ("mais baixo", "menor", "inferior")),
        "preço mais baixo", "preços mais baixos", "preço menor", "preços menores", "menor preço", "menores preços",
        "preço inferior", "preços inferiores", "preço reduzido", "preços reduzidos", "preço melhor",
        "preços melhores", "custa menos", "custam menos", "custará menos", "custar menos", "pague menos",
        "paga menos", "pagas menos", "pagar menos",
        *(f"{lowered} {price}" for lowered in ("baixamos", "reduzimos")
          for price in ("o preço", "os preços", "nossos preços", "os nossos preços")),
        "redução de preço", "redução de preços", "redução do preço", "redução dos preços", "baixa de preço",
        "queda de preço", "queda de preços", "compre já", "compre agora",
        "encomende já", "encomende agora", "peça já o seu", "peça agora o seu", "faça upgrade já",
        "faça upgrade agora", "faça o upgrade agora",
    )),
    "ms": Phrases((
        "diskaun", "diskaunnya", "potongan harga", "rebat", "baucar", "baucer", "kupon", "kod promo", "kod promosi",
        "harga promosi", "harga istimewa", "harga runtuh", "harga terbaik", "harga rendah", "separuh harga",
        "tawaran istimewa", "tawaran hebat", "tawaran eksklusif", "tawaran terhad", "tawaran khas", "jualan murah",
        "jualan hebat", "jualan mega", "pulangan tunai", "bulan percuma", "sebulan percuma", "penghantaran percuma",
        "minggu percuma", "tahun percuma", "seminggu percuma", "setahun percuma", "lebih murah", "paling murah",
        "termurah", "kurang mahal", "lebih berpatutan", "setengah harga", "harga separuh", "harga murah",
        *(f"{price} {low}" for price in ("harga", "harga yang", "harga kami", "harganya", "harga kini", "harganya kini",
          "harga kami kini", "kos", "kosnya", "kos yang", "bayaran", "bayaran yang")
          for low in ("lebih rendah", "lebih baik", "dikurangkan")),
        "harga terendah", "harga paling rendah", "pengurangan harga", "penurunan harga", "turunkan harga",
        "menurunkan harga", "kurangkan harga", "mengurangkan harga", "turun harga", "harga turun", "harga telah turun",
        "harga diturunkan", "bayar lebih sedikit", "bayar lebih rendah", "bayar kurang",
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
        "tellige nüüd", "telli kohe", "tellige kohe", "protsenti odavam*", "protsenti soodsam*", "päeva meie kulul",
        "nädal meie kulul", "nädalat meie kulul", "tasuta nädal", "tasuta nädalat", "nädal tasuta", "nädalat tasuta",
        *(f"tasuta {time}ks" for time in ("päeva", "nädala", "kuu", "aasta")),
        *(f"{time} aega tasuta" for time in ("kuu", "nädal", "aasta")),
        *(f"{time} ajaks tasuta" for time in ("kuuks", "nädalaks", "aastaks")),
        "odavam*", "odavaim*", "odavne*", "soodsamalt", "hinnalang*", "hind langes", "hinnad langesid",
        *(f"{low}{ending}" for low in ("madalam", "soodsam", "parem", "väiksem") for ending in (
            " hind", "a hinna", "a hinnaga", "a hinnale", "at hinda", "ad hinnad", "ate hindade", "ate hindadega",
            "aid hindu")),
        *(f"{price} {low}" for price in ("hind", "hind on", "hind on nüüd", "hind on veelgi")
          for low in ("madalam", "soodsam", "parem")),
        *(f"{prices} {low}" for prices in ("hinnad", "hinnad on", "hinnad on nüüd") for low in (
            "madalamad", "soodsamad", "paremad")),
        "odav hind", "odava hinnaga", "odavad hinnad", "soodne hind", "soodsa hinnaga", "soodsad hinnad",
        *(f"alandatud {price}" for price in ("hind", "hinna", "hinnaga", "hinda", "hinnad", "hindadega")),
        *(f"{lowered} {price}" for lowered in ("langetasime", "langetame", "alandasime", "alandame")
          for price in ("hinda", "hindu")),
        "maksa vähem", "makske vähem", "maksab vähem", "maksavad vähem", "maksad vähem", "maksate vähem",
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

_NUMBER: Final = (
    r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fourteen|fifteen|twenty|thirty|forty|fifty|"
    "sixty|ninety|un|una|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|doce|catorce|quince|veinte|treinta|cuarenta|"
    "sesenta|noventa|otr[ao]|um|uma|dois|duas|quatro|sete|oito|nove|dez|doze|quatorze|quinze|vinte|trinta|quarenta|"
    "sessenta|outr[ao]|satu|dua|tiga|empat|lima|enam|tujuh|lapan|sembilan|sepuluh|belas|puluh|"
    "(?:uhe|kahe|kolme|nelja|viie|kuue|seitsme|kumne|terve)(?:ks)?|uks|kaks|kolm|neli|viis|kuus|seitse|kumme|"
    "neliteist|neljateist|viisteist|kolmkummend|kolmekumne)"
)
_COUNT: Final = rf"(?:{_NUMBER}{_SPACE}){{0,2}}{_NUMBER}"
"""So many, in figures or in words, folded, in any language."""
_EN_TIME: Final = "(?:days?|weeks?|months?|years?)"
_EN_MORE: Final = rf"(?:(?:more|extra|full|whole|additional){_SPACE})?"
_EN_FREE: Final = rf"(?:(?:for|completely|absolutely|totally|entirely){_SPACE})?free(?!{_SPACE}(?:of|from|trial)(?!\w))"
_ES_TIME: Final = "(?:dias?|semanas?|mes(?:es)?|anos?)"  # Portuguese, too
_ES_FIRST: Final = "(?:primer[ao]?s?|primeir[ao]s?|proxim[ao]s?)"
_ES_THE: Final = rf"(?:(?:el|la|los|las|tus?|sus?|o|a|os|as|seus?|suas?|teus?|tuas?){_SPACE})?"
_ES_MORE: Final = (
    r"(?:(?:mas|mais|extras?|adicionales|adicionais|enter[ao]s?|inteir[ao]s?|complet[ao]s?|totalmente|completamente)"
    rf"{_SPACE}){{0,2}}"
)
_ES_FREE: Final = rf"(?:gratis|gratuit[ao]s?|de{_SPACE}(?:graca|regalo))"
_MS_TIME: Final = "(?:hari|minggu|bulan|tahun)"
_MS_LONG: Final = rf"(?:{_COUNT}{_SPACE}{_MS_TIME}|sehari|seminggu|sebulan|setahun)"
_ET_TIME: Final = "(?:paeva[dl]?|nadal(?:a[dlt]?)?|kuu[dl]?|aasta[dlt]?)"
_ET_LONG: Final = "(?:paevaks|nadalaks|kuuks|aastaks)"
_ET_FIRST: Final = r"(?:esimene|esimes\w{1,4}|jargmi\w{2,5})"
_ENDS: Final = rf"(?!\w)(?!{_SPACE}(?!(?:jika|apabila|bila|kalau|untuk|bagi|dan|kui|ja|ning|sulle|teile)(?!\w))\w)"
"""Nothing comes after it that would be free instead: "akaun percuma 30 hari sejarah" is no time that is free."""
_FREE_TIME: Final = re.compile(
    r"(?<!\w)(?=\w)(?:" + "|".join((
        # 30 days free, get a month free, 14 free days, the first month is free, free for 30 days
        rf"{_COUNT}{_SPACE}{_EN_MORE}{_EN_TIME}{_SPACE}{_EN_FREE}",
        rf"(?<!s[ -])(?:a|another){_SPACE}{_EN_MORE}(?:week|month|year){_SPACE}{_EN_FREE}",
        rf"{_COUNT}{_SPACE}{_EN_MORE}free{_SPACE}(?:days|weeks?|years?)",
        rf"(?:a|another){_SPACE}free{_SPACE}(?:week|year)",
        (
            rf"(?:first|next){_SPACE}(?:{_COUNT}{_SPACE})?{_EN_TIME}{_SPACE}"
            rf"(?:(?:is|are|comes?|will{_SPACE}be){_SPACE})?(?:{_EN_FREE}|free{_SPACE}of{_SPACE}charge)"
        ),
        (
            rf"(?<!-)free{_SPACE}for{_SPACE}(?:{_COUNT}{_SPACE}{_EN_MORE}{_EN_TIME}|"
            rf"(?:a|another){_SPACE}{_EN_MORE}(?:week|month|year))"
        ),
        (
            rf"(?<!-)free{_SPACE}(?:for{_SPACE}(?:the|your){_SPACE}next|(?:(?:for|in|during){_SPACE})?(?:the|your){_SPACE}first)"
            rf"{_SPACE}(?:{_COUNT}{_SPACE})?{_EN_TIME}"
        ),
        # 30 días gratis, los primeros 30 días son gratis, gratis durante 30 días, gratis los primeros 30 días
        rf"{_COUNT}{_SPACE}{_ES_TIME}{_SPACE}{_ES_MORE}{_ES_FREE}",
        (
            rf"{_ES_FIRST}{_SPACE}(?:{_COUNT}{_SPACE})?{_ES_TIME}{_SPACE}"
            rf"(?:(?:es|son|sera|seran|sale|salen|e|sao|serao|sai|saem|fica|ficam){_SPACE})?{_ES_MORE}{_ES_FREE}"
        ),
        rf"{_ES_FREE}{_SPACE}(?:durante|por){_SPACE}{_ES_THE}{_COUNT}{_SPACE}{_ES_TIME}",
        (
            rf"{_ES_FREE}{_SPACE}(?:(?:durante|por|en|em|no|na|nos|nas|pel[ao]s?){_SPACE})?{_ES_THE}(?:{_COUNT}{_SPACE})?"
            rf"{_ES_FIRST}{_SPACE}(?:{_COUNT}{_SPACE})?{_ES_TIME}"
        ),
        rf"{_ES_FREE}{_SPACE}{_ES_THE}{_COUNT}{_SPACE}{_ES_TIME}(?!{_SPACE}d[aeo]s?(?!\w))",
        # 30 hari percuma, bulan pertama anda adalah percuma, percuma selama 30 hari, percuma pada bulan pertama
        rf"{_MS_LONG}{_SPACE}(?:(?:pertama|lagi|penuh|tambahan){_SPACE})?percuma",
        rf"{_MS_TIME}{_SPACE}pertama{_SPACE}(?:anda{_SPACE})?(?:(?:adalah|ialah){_SPACE})?(?:secara{_SPACE})?percuma",
        rf"percuma{_SPACE}(?:selama|untuk|bagi|sepanjang){_SPACE}{_MS_LONG}",
        (
            rf"percuma{_SPACE}(?:(?:selama|untuk|bagi|sepanjang|pada|dalam){_SPACE})?(?:{_COUNT}{_SPACE})?"
            rf"{_MS_TIME}{_SPACE}pertama"
        ),
        rf"percuma{_SPACE}{_MS_LONG}{_ENDS}",
        # 30 päeva tasuta, 30 tasuta päeva, esimene kuu on tasuta, tasuta 30 päevaks, tasuta esimesed 30 päeva
        rf"{_COUNT}{_SPACE}(?:{_ET_TIME}|{_ET_LONG}){_SPACE}(?:(?:aega|taiesti){_SPACE}){{0,2}}tasuta",
        rf"{_COUNT}{_SPACE}tasuta{_SPACE}(?:paeva|nadalat|aastat)",
        (
            rf"{_ET_FIRST}{_SPACE}(?:{_COUNT}{_SPACE})?(?:{_ET_TIME}|paev){_SPACE}(?:(?:on|oleks){_SPACE})?"
            rf"(?:taiesti{_SPACE})?tasuta"
        ),
        rf"tasuta{_SPACE}{_COUNT}{_SPACE}(?:{_ET_LONG}|{_ET_TIME}{_ENDS})",
        rf"tasuta{_SPACE}{_ET_FIRST}{_SPACE}(?:{_COUNT}{_SPACE})?(?:{_ET_TIME}|paev(?:al)?)",
    )) + r")(?!\w)"
)  # fmt: skip
"""A time that is free, in the orders of words that languages have for it."""
_AT_NO_COST: Final = re.compile(
    rf"(?<!\w)(?=\w)(?:(\w{{1,12}}){_SPACE})?({_COUNT}{_SPACE}(?:{_EN_TIME}|{_ES_TIME}|{_MS_TIME}){_SPACE}"
    rf"(?:free{_SPACE}of{_SPACE}charge|at{_SPACE}no{_SPACE}(?:extra{_SPACE})?(?:cost|charge)|"
    rf"sin{_SPACE}(?:coste|costo|cargo)|sem{_SPACE}(?:custos?|encargos)|tanpa{_SPACE}(?:bayaran|caj|kos)|"
    rf"secara{_SPACE}percuma))(?!\w)"
)
_SAYS_FREE: Final = (
    "free", "gratis", "gratuit", "graca", "regalo", "percuma", "tasuta",
    "cost", "custo", "charge", "cargo", "bayaran", "caj", "kos",
)  # fmt: skip
"""What stands, folded, in all that the two patterns find: most mails hold none of it, and are done sooner."""
_WITHIN: Final = frozenset({
    "within", "in", "after", "until", "the", "en", "de", "los", "las", "tras", "em", "nos", "dos", "ate", "apos",
    "dalam", "tempoh", "selepas",
})  # fmt: skip
"""Words, folded, after which it is a time limit: "cancel within 14 days free of charge"."""

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
    return _price_cut(folded) or _request(folded) or _ALL_WORDS.find(folded) or _free_time(folded)


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


def _free_time(folded: Folded) -> str | None:
    """Find a time that is free or costs nothing, and is no time limit."""
    if not any(word in folded.text for word in _SAYS_FREE):
        return None
    if free := _FREE_TIME.search(folded.text):
        return folded.as_written(*free.span())
    for found in _AT_NO_COST.finditer(folded.text):
        if found[1] not in _WITHIN:
            return folded.as_written(*found.span(2))
    return None
