"""The words that mails do without (C1, S8)."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_mail.lint.words import GUILT, SPAM, URGENCY, find_words
from lifecycle_mail.mails.phrases import Phrases

TABLES = pytest.mark.parametrize("words", [URGENCY, SPAM, GUILT], ids=["urgency", "spam", "guilt"])


@TABLES
def test_every_language_of_the_mails_has_a_list(words: Mapping[str, Phrases]) -> None:
    """The languages that ship are all there (C5), each with a list worth the name, and no phrase twice."""
    assert ["en", "es", "pt", "ms", "et"] == list(words)
    for phrases in words.values():
        assert 20 <= len(phrases.written) == len(set(phrases.written))


@TABLES
def test_every_phrase_is_found(words: Mapping[str, Phrases]) -> None:
    """Each phrase is found amid others, in capitals, and only in its own language."""
    for language, phrases in words.items():
        for phrase in phrases.written:
            text = phrase.replace("#", "24")
            assert (text,) == find_words(words, text, language)
            assert (text.upper(),) == find_words(words, f"\u2013 {text.upper()}, ...", f"{language}-XX")
            assert () == find_words(words, text, "fi")


LANGUAGES = ("en", "es", "pt", "ms", "et")
HURRIES = {
    "last chance": ("Last chance", "Última oportunidad", "Última chance", "Peluang terakhir", "Viimane võimalus"),
    "last call": ("Last call", "Última llamada", "Última chamada", "Panggilan terakhir", "Viimane kutse"),
    "last hours": ("The final hours", "Las últimas horas", "As últimas horas", "Jam terakhir", "Viimased tunnid"),
    "last days": (
        "Last days to join", "Últimos días para entrar", "Últimos dias para entrar", "Hari terakhir untuk masuk",
        "Viimased päevad, et liituda",
    ),
    "last notice": ("Final notice", "Último aviso", "Último aviso", "Notis terakhir", "Viimane teade"),
    "last reminder": (
        "Final reminder", "Último recordatorio", "Último lembrete", "Peringatan terakhir", "Viimane meeldetuletus",
    ),
    "last warning": ("Final warning", "Última advertencia", "Última advertência", "Amaran terakhir", "Viimane hoiatus"),
    "last places": ("The last few seats", "Últimas plazas", "Últimas vagas", "Tempat duduk terakhir", "Viimased kohad"),
    "act now": ("Act now", "Actúa ahora", "Aja agora", "Bertindak sekarang", "Tegutse kohe"),
    "act fast": ("Act fast", "Actúa rápido", "Aja rápido", "Bertindak pantas", "Tegutse kiiresti"),
    "act today": ("Act today", "Actúa hoy", "Aja hoje", "Bertindak hari ini", "Tegutse täna"),
    "hurry": ("Hurry up", "Date prisa", "Apresse-se", "Cepat sebelum habis", "Kiirusta!"),
    "urgent": ("Urgent", "Urgente", "Urgente", "Mendesak", "Kiireloomuline"),
    "expires": ("It expires", "Caduca", "Expira", "Luput", "Aegub"),
    "about to expire": ("Expiring", "A punto de caducar", "Prestes a expirar", "Hampir tamat", "Kohe aegumas"),
    "only today": ("Today only", "Solo hoy", "Só hoje", "Hanya hari ini", "Ainult täna"),
    "today and no longer": ("Only today", "Solo por hoy", "Apenas hoje", "Hari ini sahaja", "Üksnes täna"),
    "only tonight": ("Tonight only", "Solo esta noche", "Só esta noite", "Malam ini sahaja", "Ainult täna õhtul"),
    "now or never": (
        "Now or never", "Ahora o nunca", "Agora ou nunca", "Sekarang atau tidak sama sekali", "Nüüd või mitte kunagi",
    ),
    "ends today": (
        "The offer ends today", "La oferta termina hoy", "A oferta termina hoje", "Tawaran tamat hari ini",
        "Pakkumine lõpeb täna",
    ),
    "ends tonight": ("Ends tonight", "Termina esta noche", "Termina esta noite", "Tamat malam ini", "Lõpeb täna õhtul"),
    "ends tomorrow": ("Ends tomorrow", "Acaba mañana", "Acaba amanhã", "Tamat esok", "Lõpeb homme"),
    "ends at midnight": (
        "Ends at midnight", "Termina a medianoche", "Termina à meia-noite", "Tamat tengah malam", "Lõpeb keskööl",
    ),
    "ends soon": ("Ends soon", "Acaba pronto", "Acaba em breve", "Tamat tidak lama lagi", "Lõpeb peagi"),
    "they end today": (
        "They end today", "Terminan hoy", "Terminam hoje", "Semuanya berakhir hari ini", "Need lõpevad täna",
    ),
    "time runs out": (
        "Time is running out", "Se acaba el tiempo", "O tempo está acabando", "Masa semakin suntuk", "Aeg saab otsa",
    ),
    "limited time": (
        "A limited time", "Por tiempo limitado", "Por tempo limitado", "Untuk masa terhad", "Piiratud aja jooksul",
    ),
    "before it is too late": (
        "Before it's too late", "Antes de que sea tarde", "Antes que seja tarde", "Sebelum terlambat",
        "Enne, kui on hilja",
    ),
    "not to be missed": ("Don't miss it", "No te lo pierdas", "Não perca", "Jangan lepaskan", "Ära maga maha"),
    "while stocks last": (
        "While stocks last", "Hasta agotar existencias", "Enquanto durarem os estoques", "Sementara stok masih ada",
        "Kuni kaupa jätkub",
    ),
    "hours left": ("3 hours left", "Quedan 3 horas", "Faltam 3 horas", "Tinggal 3 jam", "Jäänud 3 tundi"),
    "days left": ("3 days left", "Quedan 3 días", "Restam 3 dias", "Tinggal 3 hari", "3 päeva jäänud"),
    "only so many left": ("Only 3 left", "Solo quedan 3", "Só restam 3", "Hanya tinggal 3", "Ainult 3 jäänud"),
}  # fmt: skip
"""What hurries, said in each of `LANGUAGES`."""
DISTRUSTED = {
    "all free": ("100% free", "100 % gratis", "100% grátis", "100% percuma", "100% tasuta"),
    "free, shouted": ("Free!!", "¡Gratis!!", "Grátis!!", "Percuma!!", "Tasuta!!"),
    "quite free": ("Absolutely free", "Totalmente gratis", "Totalmente grátis", "Percuma sepenuhnya", "Täiesti tasuta"),
    "free money": ("Free money", "Dinero gratis", "Dinheiro grátis", "Wang percuma", "Tasuta raha"),
    "winner": ("Winner", "Ganador", "Vencedor", "Pemenang", "Võitja"),
    "you won": ("You won", "Has ganado", "Você ganhou", "Anda menang", "Sa võitsid"),
    "you are chosen": (
        "You have been selected", "Has sido seleccionado", "Você foi selecionado", "Anda telah dipilih",
        "Sind on valitud",
    ),
    "congratulations": (
        "Congratulations you did it", "Felicidades has llegado", "Parabéns você chegou", "Tahniah anda berjaya",
        "Palju õnne oled kohal",
    ),
    "cash": ("Cash", "Dinero en efectivo", "Dinheiro vivo", "Wang tunai", "Sularaha"),
    "easy money": ("Easy money", "Dinero fácil", "Dinheiro fácil", "Wang mudah", "Kerge raha"),
    "fast money": ("Fast money", "Dinero rápido", "Dinheiro rápido", "Wang segera", "Kiire raha"),
    "signs of money": ("Make $$$ fast", "Gana $$$ ya", "Ganhe $$$ já", "Dapatkan $$$ sekarang", "Saa $$$ kiiresti"),
    "signs of euros": ("\u20ac\u20ac for you", "\u20ac\u20ac", "\u20ac\u20ac", "\u20ac\u20ac", "\u20ac\u20ac sulle"),
    "to make money": ("Make money", "Gana dinero", "Ganhe dinheiro", "Jana wang", "Teeni raha"),
    "more income": ("Extra income", "Ingresos extra", "Renda extra", "Pendapatan tambahan", "Lisasissetulek"),
    "to get rich": ("Get rich quick", "Hazte rico", "Fique rico", "Cepat kaya", "Saa rikkaks"),
    "to win a prize": ("Win a prize", "Gana un premio", "Ganhe um prêmio", "Menangi hadiah", "Võida auhind"),
    "your prize": ("Your prize", "Tu premio", "Seu prêmio", "Hadiah wang", "Sinu auhind"),
    "to claim": ("Claim your bonus", "Reclama tu bono", "Resgate seu bônus", "Tuntut ganjaran", "Lunasta oma boonus"),
    "lottery": ("Lottery", "Lotería", "Loteria", "Loteri", "Loterii"),
    "guaranteed": ("Guaranteed", "Garantizado", "Garantido", "Dijamin", "Garanteeritud"),
    "no risk": ("Risk-free", "Sin riesgo", "Sem risco", "Tanpa risiko", "Riskivabalt"),
    "no obligation": ("No obligation", "Sin compromiso", "Sem compromisso", "Tanpa komitmen", "Ilma kohustusteta"),
    "no catch": ("No catch", "Sin trampa", "Sem pegadinhas", "Tanpa helah", "Ilma konksuta"),
    "click here": ("Click here", "Haz clic aquí", "Clique aqui", "Klik di sini", "Kliki siia"),
    "click below": ("Click below", "Haz clic abajo", "Clique abaixo", "Klik di bawah", "Kliki allpool"),
    "to act at once": ("Act now", "Actúa ya", "Aja agora", "Bertindak sekarang", "Tegutse kohe"),
    "buy now": ("Buy now", "Compra ya", "Compre já", "Beli sekarang", "Osta kohe"),
    "order now": ("Order now", "Pide ahora", "Encomende já", "Tempah sekarang", "Telli kohe"),
    "once in a lifetime": (
        "Once in a lifetime", "Una vez en la vida", "Uma vez na vida", "Sekali seumur hidup", "Kord elus",
    ),
    "unbelievable": (
        "Unbelievable", "Increíble pero cierto", "Inacreditável", "Sukar dipercayai", "Uskumatu pakkumine",
    ),
    "a miracle": ("A miracle", "Un milagro", "Um milagre", "Keajaiban", "Imeline võimalus"),
    "to double": (
        "Double your money", "Duplica tu dinero", "Dobre seu dinheiro", "Gandakan wang", "Kahekordista oma raha",
    ),
    "work from home": ("Work from home", "Trabaja desde casa", "Trabalhe em casa", "Kerja dari rumah", "Tööta kodus"),
    "one's own boss": (
        "Be your own boss", "Sé tu propio jefe", "Seja seu próprio chefe", "Jadi bos sendiri", "Ole iseenda ülemus",
    ),
    "no spam": ("This is not spam", "Esto no es spam", "Isto não é spam", "Ini bukan spam", "See ei ole spämm"),
    "dear friend": ("Dear friend", "Querido amigo", "Caro amigo", "Sahabat yang dikasihi", "Kallis sõber"),
    "secret formula": ("Secret formula", "Fórmula secreta", "Fórmula secreta", "Formula rahsia", "Salajane valem"),
}  # fmt: skip
"""What filters and people distrust, said in each of `LANGUAGES`."""
BLAMES = {
    "a broken heart": (
        "Our hearts are broken", "Nos has partido el corazón", "Partiu o nosso coração", "Hati kami hancur",
        "Süda on murtud",
    ),
    "sad": ("We are so sad", "Estamos tristes", "Estamos tristes", "Kami sedih", "Oleme kurvad"),
    "sad to come": ("We will be sad", "Estaremos tristes", "Ficaremos tristes", "Kami akan sedih", "Jääme kurvaks"),
    "you make us sad": (
        "You make us sad", "Nos pone tristes", "Deixou-nos tristes", "Anda membuat kami sedih", "Tegid meid kurvaks",
    ),
    "sad without you": (
        "Sad without you", "Tristes sin ti", "Tristes sem você", "Sedih tanpa anda", "Kurvad ilma sinuta",
    ),
    "lonely": ("Lonely without you", "Solos sin ti", "Sozinhos sem você", "Sunyi tanpa anda", "Üksildased ilma sinuta"),
    "lost": (
        "Lost without you", "Perdidos sin ti", "Perdidos sem você", "Hilang arah tanpa anda", "Oleme sinuta kadunud",
    ),
    "tears": ("We are crying", "Estamos llorando", "Estamos chorando", "Kami menangis", "Me nutame"),
    "you make us cry": (
        "You made us cry", "Nos haces llorar", "Fez-nos chorar", "Anda membuat kami menangis", "Ajasid meid nutma",
    ),
    "hurt": ("You hurt us", "Nos hiciste daño", "Magoou-nos", "Anda melukai hati kami", "Tegid meile haiget"),
    "do not leave": ("Don't leave us", "No nos dejes", "Não nos deixe", "Jangan tinggalkan kami", "Ära jäta meid"),
    "do not go": ("Please don't go", "No te vayas", "Não vá embora", "Tolong jangan pergi", "Ära mine ära"),
    "abandoned": ("You abandoned us", "Nos has abandonado", "Nos abandonou", "Anda meninggalkan kami", "Hülgasid meid"),
    "we feel abandoned": (
        "We feel abandoned", "Nos sentimos abandonados", "Nos sentimos abandonados", "Kami berasa ditinggalkan",
        "Tunneme end hüljatuna",
    ),
    "given up": (
        "Don't give up on us", "No te rindas con nosotros", "Não desista de nós", "Jangan berputus asa dengan kami",
        "Ära loobu meist",
    ),
    "how could you": ("How could you", "Cómo pudiste", "Como pudeste", "Sampai hati", "Kuidas sa võisid"),
    "disappointed": (
        "We are disappointed", "Estamos decepcionados", "Estamos desapontados", "Kami kecewa", "Oleme pettunud",
    ),
    "you disappointed us": (
        "You disappointed us", "Nos has decepcionado", "Nos decepcionou", "Anda mengecewakan kami",
        "Valmistasid meile pettumuse",
    ),
    "let down": (
        "You let us down", "Nos has fallado", "Nos deixou na mão", "Anda menghampakan kami", "Vedasid meid alt",
    ),
    "regret": ("You will regret it", "Te arrepentirás", "Vai se arrepender", "Anda akan menyesal", "Sa kahetsed"),
    "forgotten": (
        "Have you forgotten us?", "¿Nos has olvidado?", "Você nos esqueceu?", "Anda sudah lupa kami?",
        "Oled meid unustanud?",
    ),
    "do not forget": ("Don't forget us", "No nos olvides", "Não nos esqueça", "Jangan lupakan kami", "Ära unusta meid"),
    "what did we do wrong": (
        "What did we do wrong?", "¿Qué hicimos mal?", "O que fizemos de errado?", "Apa salah kami?",
        "Mida me valesti tegime?",
    ),
    "what did we do to you": (
        "What did we do to you?", "¿Qué te hemos hecho?", "Que mal te fizemos?", "Apa dosa kami?",
        "Mida me sulle tegime?",
    ),
    "what we said": (
        "Was it something we said?", "¿Fue algo que dijimos?", "Foi algo que dissemos?",
        "Adakah kerana kata-kata kami?", "Kas me ütlesime midagi valesti?",
    ),
    "after all": (
        "After all we have done", "Después de todo lo que hemos hecho", "Depois de tudo o que fizemos",
        "Selepas semua yang kami lakukan", "Pärast kõike, mida oleme teinud",
    ),
    "cannot live": (
        "We can't live without you", "No podemos vivir sin ti", "Não vivemos sem você",
        "Kami tidak boleh hidup tanpa anda", "Me ei saa sinuta elada",
    ),
    "breaking up": (
        "Are you breaking up with us?", "¿Rompes con nosotros?", "Está terminando conosco?",
        "Anda putuskan hubungan dengan kami?", "Kas jätad meid maha?",
    ),
    "shame": ("Shame on you", "Debería darte vergüenza", "Devia ter vergonha", "Anda patut malu", "Häbi sul olgu"),
    "guilty": (
        "You should feel guilty", "Deberías sentirte culpable", "Deveria se sentir culpado",
        "Anda patut rasa bersalah", "Peaksid end süüdi tundma",
    ),
    "devastated": ("We are devastated", "Estamos destrozados", "Estamos arrasados", "Kami remuk", "Oleme murtud"),
    "betrayed": ("You betrayed us", "Nos traicionaste", "Nos traiu", "Anda mengkhianati kami", "Reetsid meid"),
    "turned away": (
        "You turned your back on us", "Nos diste la espalda", "Nos virou as costas", "Anda membelakangi kami",
        "Pöörasid meile selja",
    ),
    "no more love": (
        "You no longer love us", "Ya no nos quieres", "Já não gosta de nós", "Anda tidak sayang kami",
        "Sa ei armasta meid enam",
    ),
    "no more care": (
        "Don't you care about us?", "¿Ya no te importamos?", "Já não se importa connosco?",
        "Anda tidak peduli tentang kami?", "Sa ei hooli meist?",
    ),
    "hate": ("Do you hate us?", "¿Nos odias?", "Você nos odeia?", "Anda benci kami?", "Kas sa vihkad meid?"),
    "friends": (
        "We thought we were friends", "Creíamos que éramos amigos", "Pensávamos que éramos amigos",
        "Kami sangka kita berkawan", "Arvasime, et oleme sõbrad",
    ),
}  # fmt: skip
"""What lays guilt on who leaves, said in each of `LANGUAGES`."""


@pytest.mark.parametrize(
    ("words", "locale", "text"),
    [
        pytest.param(words, locale, text, id=f"{meaning}-{locale}")
        for words, meanings in ((URGENCY, HURRIES), (SPAM, DISTRUSTED), (GUILT, BLAMES))
        for meaning, said in meanings.items()
        for locale, text in zip(LANGUAGES, said, strict=True)
    ],
)
def test_what_is_found_in_one_language_is_found_in_all(words: Mapping[str, Phrases], locale: str, text: str) -> None:
    """Each meaning of the lists has its words in every language (C1, S8)."""
    assert find_words(words, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Your $HOME"), ("en", "a $ or a \u20ac"), ("en", "5 $"), ("ms", "Tamat pada 31 Mac"),
        ("ms", "Keahlian anda telah tamat"), ("ms", "Pelan ditutup 3 hari lagi"), ("ms", "Sampai jumpa esok"),
        ("ms", "Hari terakhir: 31 Mac"), ("et", "Viimane päev on 31. märts"), ("et", "Lõpeb 31. märtsil"),
        ("et", "Ära kiirusta"), ("et", "Konto suletakse 3 päeva pärast"), ("ms", "Hadiah anda"),
        ("ms", "Rancangan untuk hari ini"), ("en", "The last few days"), ("et", "Sinu kingitus"),
        ("es", "Termina el 31 de marzo"), ("pt", "Termina em 31 de março"), ("es", "Pide ayuda"),
    ],
)  # fmt: skip
def test_a_plain_word_neither_hurries_nor_is_distrusted(locale: str, text: str) -> None:
    """The day on which something ends, and a sign of money by itself, are said plainly."""
    assert () == find_words(URGENCY, text, locale)
    assert () == find_words(SPAM, text, locale)


@pytest.mark.parametrize("locale", ["pt", "pt-BR", "pt_PT", "PT-br"])
def test_the_language_of_a_tag_decides(locale: str) -> None:
    """Regions have the words of their language."""
    assert ("clique aqui",) == find_words(SPAM, "e clique aqui", locale)


@pytest.mark.parametrize("locale", ["", "fi", "fi-FI", "e", "english"])
def test_an_unknown_language_is_not_judged(locale: str) -> None:
    """Nothing is found in a language without a list."""
    assert () == find_words(SPAM, "click here", locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Your final invoice"), ("en", "No hurry, take your time"), ("en", "The last days of summer"),
        ("en", "The best of last chapter"), ("en", "Finalists"), ("es", "Tu factura final"), ("es", "No te des prisa"),
        ("es", "El último día del verano"), ("pt", "A última fatura"), ("ms", "Invois terakhir anda"),
        ("et", "Sinu viimane arve"), ("et", "Ei ole vaja kiirustada"),
    ],
)  # fmt: skip
def test_what_is_last_is_not_always_urgent(locale: str, text: str) -> None:
    """An ordinary word does not hurry."""
    assert () == find_words(URGENCY, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Feel free to write"), ("en", "Free as in speech"), ("en", "Dinner ideas"), ("en", "Clicks and here"),
        ("en", "Cashews"), ("es", "Gratis para siempre"), ("pt", "O plano grátis"), ("ms", "Pelan percuma"),
        ("et", "Tasuta pakett"),
    ],
)  # fmt: skip
def test_an_honest_word_is_no_spam(locale: str, text: str) -> None:
    """What is free may be called free, and words within words are none."""
    assert () == find_words(SPAM, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Sorry to see you go"), ("en", "We will miss you"), ("en", "Sorry that the import disappointed you"),
        ("en", "Without you we would not be here"), ("en", "Don't go hungry"), ("en", "The cart that you abandoned"),
        ("es", "Sentimos que te vayas"), ("es", "Gracias por todo"), ("pt", "Como pode ver, a porta fica aberta"),
        ("pt", "Veja como você pode voltar"), ("ms", "Terima kasih atas segalanya"), ("et", "Kahju, et lahkud"),
        ("et", "Aitäh, et olid meiega"), ("en", "We are sorry that it did not work"), ("en", "Why did you leave?"),
        ("en", "You abandoned your cart"), ("en", "Sorry that you are leaving us"), ("en", "Sad songs for Sundays"),
        ("en", "You left us a note"), ("en", "We are sorry to have lost your parcel"), ("en", "Lost without a map?"),
        ("es", "Sentimos que no haya funcionado"), ("es", "El carrito que abandonaste"),
        ("es", "Sentimos que nos dejes"), ("es", "¿Por qué te vas?"), ("es", "Sin ti no somos nada: gracias"),
        ("en", "We were sad to hear that it broke"), ("en", "You owe us nothing"), ("en", "The wind abandoned us"),
        ("pt", "Lamentamos que não tenha funcionado"),
        ("pt", "O carrinho que você abandonou"), ("pt", "Você nos deixou uma mensagem"), ("pt", "Por que você saiu?"),
        ("ms", "Maaf kerana ia tidak berfungsi"), ("ms", "Apa yang anda tinggalkan kami simpan"),
        ("ms", "Mengapa anda berhenti?"), ("ms", "Jangan lupa kami buka pada hari Ahad"),
        ("et", "Meil on kahju, et see ei toiminud"), ("et", "Miks sa lahkud?"), ("et", "Ostukorv, mille maha jätsid"),
    ],
)  # fmt: skip
def test_courtesy_is_no_guilt(locale: str, text: str) -> None:
    """Regret, thanks and an apology blame nobody (C1)."""
    assert () == find_words(GUILT, text, locale)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "We will be sad without you"), ("en", "Why did you abandon us?"), ("en", "Don't you like us any more?"),
        ("en", "We\u2019ll be so sad to see you leave"), ("en", "Our hearts are broken"), ("en", "You have hurt us"),
        ("en", "Please don't give up on us"), ("en", "What have we done to you?"), ("en", "You'll be sorry"),
        ("es", "Estaremos tristes sin ti"), ("es", "¿Por qué nos abandonaste?"), ("es", "¿Ya no nos quieres?"),
        ("es", "Nos has partido el corazón"), ("es", "No nos des la espalda"), ("pt", "Ficaremos tristes sem você"),
        ("pt", "Por que você nos abandonou?"), ("pt", "Por que nos abandonaste?"), ("pt", "Já não gosta de nós?"),
        ("pt", "Não desista de nós"), ("ms", "Kami akan sedih tanpa anda"), ("ms", "Mengapa anda meninggalkan kami?"),
        ("ms", "Kenapa anda tinggalkan kami?"), ("ms", "Jangan lupakan kami"), ("et", "Oleme sinuta kurvad"),
        ("et", "Meil on nii kurb ilma sinuta"), ("et", "Miks sa meid hülgasid?"),
        ("et", "Miks te meid maha jätsite?"), ("et", "Palun ära unusta meid"), ("et", "Tegid meile haiget"),
    ],
)  # fmt: skip
def test_grief_and_reproach_are_guilt(locale: str, text: str) -> None:
    """Who leaves abandons nobody, hurts nobody, and owes nobody anything (C1)."""
    assert find_words(GUILT, text, locale)


@given(st.text(), st.sampled_from(["en", "es", "pt", "ms", "et", "xx", ""]))
def test_nothing_crashes_it(text: str, locale: str) -> None:
    """Whatever the text, what is found is part of it."""
    for words in (URGENCY, SPAM, GUILT):
        assert all(found in text for found in find_words(words, text, locale))


@TABLES
@pytest.mark.parametrize("piece", ["a", "we are ", "don't ", "1 ", "última ", "a\u0301\u0323"])
def test_takes_linear_time(words: Mapping[str, Phrases], piece: str) -> None:
    """A body of a hundred thousand characters is read at once, in every language."""
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    for language in words:
        find_words(words, text, language)
    assert time.perf_counter() - begun < 5
