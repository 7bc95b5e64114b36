"""Words that subject lines and bodies of mails do without, in the languages of the mails (C1, C5, S8).

Three lists for each language, each written for it rather than translated. They hold phrases rather than words wherever
a word alone has an ordinary meaning: a "final invoice" is not urgent, an "import that disappointed you" lays no guilt
on anybody, and "feel free" sells nothing. Courtesy is none of it either: "sorry to see you go" blames nobody.

Accents are folded, so a phrase is listed only if it means the same without them: the Portuguese "como pôde" (how could
you) would be found in every "como pode" (as you can).

A language that is not listed is not judged. What promotes is found by `lifecycle_mail.mails.promotions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lifecycle_mail.mails.phrases import Folded, Phrases

URGENCY: Final[Mapping[str, Phrases]] = {
    "en": Phrases((
        "last chance", "final chance", "final call", "last call", "final hours", "last hours", "final days",
        "last days to", "last day to", "final notice", "final reminder", "final warning", "act now", "act fast",
        "act today", "hurry!", "hurry up", "hurry while", "hurry before", "please hurry", "urgent", "expires",
        "expire soon", "expiring", "today only", "only today", "tonight only", "now or never", "ends soon",
        "ends today", "ends tonight", "ends tomorrow", "ends at midnight", "ending soon", "time is running out",
        "running out of time", "out of time", "limited time", "before it is too late", "before it's too late",
        "don't miss", "do not miss", "while stocks last", "while supplies last", "# hours left", "# days left",
        "only # left",
    )),
    "es": Phrases((
        "última oportunidad", "última llamada", "últimas horas", "últimos días para", "último día para",
        "último aviso", "últimas plazas", "últimas unidades", "actúa ya", "actúa ahora", "date prisa", "urgente",
        "caduca", "caducan", "expira", "expiran", "vence hoy", "vence mañana", "solo hoy", "solo por hoy",
        "ahora o nunca", "termina hoy", "termina mañana", "termina pronto", "acaba hoy", "acaba mañana",
        "acaba pronto", "se acaba el tiempo", "tiempo limitado", "antes de que sea tarde",
        "antes de que sea demasiado tarde", "no te lo pierdas", "no te pierdas", "hasta agotar existencias",
        "quedan # horas", "quedan # días", "solo quedan #",
    )),
    "pt": Phrases((
        "última chance", "última oportunidade", "última chamada", "últimas horas", "últimos dias para",
        "último dia para", "último aviso", "últimas vagas", "últimas unidades", "aja agora", "aja já", "corra que",
        "apresse-se", "urgente", "expira", "expiram", "expirando", "vence hoje", "vence amanhã", "só hoje",
        "somente hoje", "apenas hoje", "agora ou nunca", "termina hoje", "termina amanhã", "termina em breve",
        "acaba hoje", "acaba amanhã", "acaba em breve", "o tempo está acabando", "tempo limitado",
        "antes que seja tarde", "não perca", "enquanto durarem os estoques", "enquanto durarem os stocks",
        "faltam # horas", "faltam # dias", "restam # horas", "restam # dias",
    )),
    "ms": Phrases((
        "peluang terakhir", "panggilan terakhir", "notis terakhir", "amaran terakhir", "peringatan terakhir",
        "hari terakhir untuk", "jam terakhir", "bertindak sekarang", "bertindak segera", "cepat sebelum",
        "tamat tempoh", "luput", "hari ini sahaja", "sekarang atau tidak sama sekali", "berakhir hari ini",
        "berakhir esok", "berakhir tidak lama lagi", "masa semakin suntuk", "masa terhad", "sebelum terlambat",
        "jangan lepaskan", "jangan ketinggalan", "sementara stok masih ada", "tinggal # jam", "tinggal # hari",
    )),
    "et": Phrases((
        "viimane võimalus", "viimast võimalust", "viimane kutse", "viimased tunnid", "viimane teade",
        "viimane hoiatus", "viimane meeldetuletus", "viimased kohad", "tegutse kohe", "tegutse nüüd",
        "tegutsege kohe", "kiirusta enne", "kiirustage enne", "aegub", "aeguvad", "ainult täna", "vaid täna",
        "nüüd või mitte kunagi", "lõpeb täna", "lõpeb homme", "lõpeb varsti", "lõpeb peagi", "aeg saab otsa",
        "piiratud aeg", "piiratud aja", "enne kui on hilja", "ära maga maha", "ärge magage maha",
        "kuni kaupa jätkub", "jäänud # tundi", "jäänud # päeva", "# tundi jäänud", "# päeva jäänud",
    )),
}  # fmt: skip
"""Words that hurry, by language: without a real deadline they are not true (S8)."""

SPAM: Final[Mapping[str, Phrases]] = {
    "en": Phrases((
        "100% free", "100 % free", "free!!", "absolutely free", "free money", "winner", "you won", "you have won",
        "you've won", "you have been selected", "you've been selected", "congratulations you", "cash", "easy money",
        "make money", "earn money", "extra income", "your prize", "win a prize", "claim your", "lottery",
        "guarantee", "guaranteed", "risk free", "no risk", "no obligation", "no strings attached", "no catch",
        "click here", "click below", "act now", "buy now", "order now", "once in a lifetime", "unbelievable",
        "miracle", "double your", "work from home", "be your own boss", "this is not spam", "dear friend",
        "secret formula",
    )),
    "es": Phrases((
        "100% gratis", "100 % gratis", "gratis!!", "totalmente gratis", "has ganado", "eres el ganador",
        "eres la ganadora", "ganador", "ganadora", "has sido seleccionado", "has sido seleccionada",
        "felicidades has", "dinero fácil", "dinero rápido", "dinero extra", "gana dinero", "ingresos extra",
        "tu premio", "gana un premio", "ganar un premio", "reclama tu", "lotería", "garantizado", "garantizada",
        "sin riesgo", "sin riesgos", "sin compromiso", "haz clic aquí", "clic aquí", "pincha aquí", "actúa ya",
        "compra ya", "compra ahora", "increíble pero cierto", "milagro", "milagroso", "duplica tus",
        "trabaja desde casa", "esto no es spam", "querido amigo",
    )),
    "pt": Phrases((
        "100% grátis", "100 % grátis", "100% gratuito", "100 % gratuito", "grátis!!", "totalmente grátis",
        "você ganhou", "ganhou um prêmio", "ganhou um prémio", "vencedor", "vencedora", "foi selecionado",
        "foi selecionada", "parabéns você", "dinheiro fácil", "dinheiro rápido", "ganhe dinheiro", "ganhar dinheiro",
        "renda extra", "seu prêmio", "ganhe um prêmio", "ganhe um prémio", "loteria", "lotaria", "garantido",
        "garantida", "sem risco", "sem riscos", "sem compromisso", "clique aqui", "aja agora", "compre já",
        "compre agora", "inacreditável", "milagre", "milagroso", "dobre seus", "trabalhe em casa", "isto não é spam",
        "isso não é spam", "caro amigo",
    )),
    "ms": Phrases((
        "100% percuma", "100 % percuma", "percuma!!", "anda menang", "anda telah menang", "pemenang",
        "anda telah dipilih", "tahniah anda", "wang mudah", "duit mudah", "wang tunai", "jana pendapatan",
        "jana wang", "cepat kaya", "hadiah wang", "loteri", "dijamin", "tanpa risiko", "tanpa komitmen",
        "klik di sini", "klik sini", "bertindak sekarang", "beli sekarang", "sukar dipercayai", "keajaiban",
        "gandakan wang", "kerja dari rumah", "ini bukan spam", "sahabat yang dikasihi",
    )),
    "et": Phrases((
        "100% tasuta", "100 % tasuta", "tasuta!!", "täiesti tasuta", "sa võitsid", "oled võitnud", "olete võitnud",
        "võitja", "sind on valitud", "teid on valitud", "palju õnne oled", "kerge raha", "kiire raha", "lisaraha",
        "teeni raha", "teenige raha", "rahaline auhind", "rahaauhind", "loterii", "garanteeritud", "garanteerime",
        "riskivaba", "riskivabalt", "ilma riskita", "kliki siia", "klikkige siia", "klõpsa siia", "klõpsake siia",
        "tegutse kohe", "osta kohe", "ostke kohe", "uskumatu pakkumine", "imeline võimalus", "kahekordista oma",
        "tööta kodus", "see ei ole spämm", "see pole spämm", "see ei ole rämpspost", "see pole rämpspost",
        "kallis sõber",
    )),
}  # fmt: skip
"""Words that filters and people distrust, by language."""

GUILT: Final[Mapping[str, Phrases]] = {
    "en": Phrases((
        "heartbroken", "heart broken", "broken-hearted", "broke our heart", "broke our hearts", "breaks our heart",
        "breaks our hearts", "breaking our heart", "breaking our hearts", "we are sad", "we're sad", "we are so sad",
        "we're so sad", "we are very sad", "so sad to", "sad to see you", "makes us sad", "we are crying",
        "we're crying", "in tears", "we are hurt", "we're hurt", "it hurts us", "don't leave us", "do not leave us",
        "don't leave me", "please don't go", "don't go yet", "don't abandon us", "do not abandon us",
        "you abandoned us", "don't give up on us", "how could you", "how can you leave", "we are disappointed",
        "we're disappointed", "we are so disappointed", "we're so disappointed", "we are very disappointed",
        "we are really disappointed", "we are deeply disappointed", "we feel disappointed", "disappointed that you",
        "disappointed to see", "disappointed in you", "you disappointed us", "you let us down", "you've let us down",
        "you will regret", "you'll regret", "you may regret", "have you forgotten us", "did you forget us",
        "you have forgotten us", "you've forgotten us", "you forgot us", "was it something we said",
        "what did we do wrong", "did we do something wrong", "after all we have done", "after all we've done",
        "can't live without you", "cannot live without you", "are you breaking up with us", "shame on you",
        "you should feel bad", "we will be sad", "we'll be sad", "we will be so sad", "we'll be so sad",
        "we will be very sad", "we'll be very sad", "we would be sad", "we'd be sad", "sad without you",
        "sad to lose you", "you make us sad", "you made us sad", "you make us cry", "you made us cry",
        "lost without you", "lonely without you", "miserable without you", "we are lonely", "we're lonely",
        "we are devastated", "we're devastated", "our heart is broken", "our hearts are broken", "broken our heart",
        "broken our hearts", "break our heart", "break our hearts", "you hurt us", "you've hurt us",
        "you have hurt us", "hurt our feelings", "abandon us", "desert us", "you betrayed us", "you have betrayed us",
        "you've betrayed us", "we feel betrayed", "we feel abandoned", "we feel rejected", "turn your back on us",
        "turned your back on us", "walk out on us", "walked out on us", "give up on us", "gave up on us",
        "giving up on us", "given up on us", "don't forget us", "do not forget us", "forgotten about us",
        "don't you love us", "don't you like us", "don't you care about us", "you don't love us",
        "you do not love us", "no longer love us", "stopped loving us", "do you hate us", "was it something we did",
        "is it something we said", "is it something we did", "what have we done wrong", "what did we do to you",
        "what have we done to you", "you will be sorry", "you'll be sorry", "you should be ashamed",
        "you should feel guilty", "we thought we were friends", "we thought you cared", "you have abandoned us",
        "you've abandoned us", "you're abandoning us", "have you abandoned us", "did you abandon us",
        "why abandon us", "you deserted us", "why did you desert us",
    )),
    "es": Phrases((
        "corazón roto", "nos rompe el corazón", "nos has roto el corazón", "nos parte el alma", "estamos tristes",
        "estamos muy tristes", "nos entristece", "nos pone tristes", "qué tristeza", "nos da pena",
        "estamos llorando", "nos duele", "no nos dejes", "no nos abandones", "nos has abandonado", "nos abandonas",
        "no te vayas", "cómo pudiste", "cómo has podido", "estamos decepcionados", "nos has decepcionado",
        "nos decepciona", "te arrepentirás", "te vas a arrepentir", "se arrepentirá", "nos has olvidado",
        "nos olvidaste", "te has olvidado de nosotros", "te olvidaste de nosotros", "qué hemos hecho mal",
        "qué hicimos mal", "después de todo lo que hemos hecho", "no podemos vivir sin ti", "nos has fallado",
        "estaremos tristes", "estaremos muy tristes", "nos pondremos tristes", "nos quedamos tristes",
        "nos has puesto tristes", "triste sin ti", "tristes sin ti", "tristes sin usted", "solos sin ti",
        "perdidos sin ti", "nos sentimos solos", "nos sentimos abandonados", "nos sentimos traicionados",
        "estamos destrozados", "estamos desolados", "nos parte el corazón", "nos partes el corazón",
        "nos has partido el corazón", "nos partiste el corazón", "nos rompes el corazón", "nos rompiste el corazón",
        "nos abandonaste", "nos ha abandonado", "nos has dejado tirados", "nos dejaste tirados",
        "nos has dejado plantados", "nos dejaste plantados", "nos traicionaste", "nos has traicionado",
        "nos has hecho daño", "nos hiciste daño", "nos haces daño", "nos fallaste", "nos decepcionaste",
        "nos has dado la espalda", "nos diste la espalda", "nos das la espalda", "no nos des la espalda",
        "no nos olvides", "ya no nos quieres", "no nos quieres", "ya no te importamos", "no te importamos",
        "fue algo que dijimos", "ha sido algo que dijimos", "es por algo que dijimos", "qué te hemos hecho",
        "qué te hicimos", "debería darte vergüenza", "deberías avergonzarte", "deberías sentirte culpable",
        "te sentirás culpable", "lo lamentarás", "lo vas a lamentar", "nos haces llorar", "nos has hecho llorar",
        "no nos abandone", "nos abandonó",
    )),
    "pt": Phrases((
        "coração partido", "partiu nosso coração", "partiu o nosso coração", "parte o nosso coração",
        "partiste-nos o coração", "estamos tristes", "estamos muito tristes", "ficamos tristes", "ficámos tristes",
        "nos entristece", "entristece-nos", "que tristeza", "estamos chorando", "estamos a chorar", "não nos deixe",
        "não nos deixes", "não nos abandone", "não nos abandones", "nos abandonou", "abandonou-nos", "não vá embora",
        "não te vás embora", "como foi capaz de", "como teve coragem", "como pudeste", "estamos decepcionados",
        "estamos desapontados", "estamos desiludidos", "nos decepcionou", "desiludiu-nos", "vai se arrepender",
        "vai arrepender-se", "vais arrepender-te", "esqueceu de nós", "esqueceu-se de nós", "esqueceste-te de nós",
        "você nos esqueceu", "o que fizemos de errado", "depois de tudo que fizemos", "depois de tudo o que fizemos",
        "não vivemos sem você", "ficaremos tristes", "ficaremos muito tristes", "ficamos muito tristes",
        "vamos ficar tristes", "vamos ficar muito tristes", "estaremos tristes", "deixou-nos tristes",
        "nos deixou tristes", "triste sem você", "tristes sem você", "triste sem ti", "tristes sem ti",
        "sozinhos sem você", "sozinhos sem ti", "perdidos sem você", "perdidos sem ti", "nos sentimos abandonados",
        "sentimo-nos abandonados", "nos sentimos traídos", "sentimo-nos traídos", "estamos arrasados",
        "estamos devastados", "partiu-nos o coração", "partiste o nosso coração", "parte nosso coração",
        "quebrou nosso coração", "quebrou o nosso coração", "nos abandonaste", "abandonaste-nos",
        "está nos abandonando", "está a abandonar-nos", "nos traiu", "traiu-nos", "traíste-nos", "nos traíste",
        "nos magoou", "magoou-nos", "magoaste-nos", "nos deixou na mão", "deixou-nos na mão", "deixaste-nos na mão",
        "nos virou as costas", "virou-nos as costas", "viraste-nos as costas", "não nos vire as costas",
        "não nos vires as costas", "desistiu de nós", "desististe de nós", "não desista de nós",
        "não desistas de nós", "não nos esqueça", "não nos esqueças", "não se esqueça de nós",
        "não te esqueças de nós", "não gosta mais de nós", "já não gosta de nós", "já não gostas de nós",
        "não se importa mais conosco", "já não se importa connosco", "foi algo que dissemos",
        "foi alguma coisa que dissemos", "que mal lhe fizemos", "que mal te fizemos", "o que fizemos de mal",
        "devia ter vergonha", "deveria ter vergonha", "devias ter vergonha", "deveria se sentir culpado",
        "devia sentir-se culpado", "vais te arrepender", "se arrependerá", "arrepender-se-á", "nos desapontou",
        "desapontou-nos", "desiludiste-nos", "não conseguimos viver sem você", "não conseguimos viver sem ti",
        "não vivemos sem ti", "nos fez chorar", "fez-nos chorar",
    )),
    "ms": Phrases((
        "patah hati", "hancur hati", "sampai hati", "kami sedih", "kami amat sedih", "kami sangat sedih",
        "menyedihkan kami", "kami menangis", "kami terluka", "jangan tinggalkan kami", "tolong jangan pergi",
        "jangan pergi dulu", "anda meninggalkan kami", "kami kecewa", "kami amat kecewa", "kami sangat kecewa",
        "anda mengecewakan kami", "anda akan menyesal", "pasti menyesal", "jangan menyesal", "anda lupa kami",
        "anda sudah lupa kami", "melupakan kami", "apa salah kami", "apa silap kami",
        "selepas semua yang kami lakukan", "tidak boleh hidup tanpa anda", "kami akan sedih", "kami akan bersedih",
        "kami bersedih", "kami berasa sedih", "kami rasa sedih", "kami akan berasa sedih", "sedih tanpa anda",
        "sunyi tanpa anda", "kesunyian tanpa anda", "keseorangan tanpa anda", "hilang arah tanpa anda", "kami remuk",
        "hati kami remuk", "hati kami hancur", "hati kami terluka", "remuk hati", "luluh hati",
        "anda telah meninggalkan kami", "mengapa meninggalkan kami", "kenapa meninggalkan kami",
        "mengapa anda tinggalkan kami", "kenapa anda tinggalkan kami", "anda membuang kami", "anda mengabaikan kami",
        "anda telah mengabaikan kami", "anda abaikan kami", "jangan abaikan kami", "jangan lupakan kami",
        "anda mengkhianati kami", "anda telah mengkhianati kami", "melukai hati kami", "melukakan hati kami",
        "menyakiti hati kami", "menghancurkan hati kami", "menyinggung hati kami", "anda membelakangi kami",
        "berpaling daripada kami", "tidak sayang kami", "tidak sayangkan kami", "tak sayang kami", "anda benci kami",
        "anda membenci kami", "anda patut malu", "anda sepatutnya malu", "anda patut rasa bersalah",
        "anda sepatutnya rasa bersalah", "apa dosa kami", "kami berasa kecewa", "kami hampa",
        "kami berasa dikhianati", "kami berasa ditinggalkan", "anda menghampakan kami",
        "anda telah mengecewakan kami", "anda menyedihkan kami", "anda membuat kami menangis",
        "anda membuat kami sedih", "akan menyesalinya",
    )),
    "et": Phrases((
        "murtud süda", "süda on murtud", "süda murdub", "murdis meie südame", "murrab meie südame", "oleme kurvad",
        "oleme väga kurvad", "meil on kurb", "teeb meid kurvaks", "nutame", "teeb meile haiget", "ära jäta meid",
        "ärge jätke meid", "ära mine ära", "ärge minge ära", "jätsid meid maha", "jätsite meid maha", "hülgasid meid",
        "hülgasite meid", "kuidas sa võisid", "kuidas võisid", "kuidas te võisite", "oleme pettunud",
        "oleme väga pettunud", "valmistasid meile pettumuse", "valmistasite meile pettumuse", "vedasid meid alt",
        "sa kahetsed", "te kahetsete", "jääd kahetsema", "jääte kahetsema", "hakkad kahetsema", "unustasid meid",
        "unustasite meid", "oled meid unustanud", "olete meid unustanud", "mida me valesti tegime",
        "mis me valesti tegime", "pärast kõike, mida oleme teinud", "ei saa sinuta elada", "jääme kurvaks",
        "oleme nii kurvad", "oleksime kurvad", "meil on väga kurb", "meil on nii kurb", "meil oleks kurb",
        "meil hakkab kurb", "meil saab olema kurb", "kurvastame", "sinuta kurb", "sinuta kurvad", "teieta kurb",
        "teieta kurvad", "kurb ilma sinuta", "kurvad ilma sinuta", "kurb ilma teieta", "kurvad ilma teieta",
        "üksildased ilma sinuta", "üksildane ilma sinuta", "üksi ilma sinuta", "tegid meid kurvaks",
        "tegite meid kurvaks", "ajasid meid nutma", "ajasite meid nutma", "oleme murtud", "oleme südamest murtud",
        "süda murdus", "murdsid meie südame", "murdsite meie südame", "meid hülgasid", "meid hülgasite",
        "oled meid hüljanud", "olete meid hüljanud", "hüljanud meid", "meid maha jätsid", "meid maha jätsite",
        "oled meid maha jätnud", "olete meid maha jätnud", "jätnud meid maha", "ära jäta meid maha", "ära hülga meid",
        "ärge hüljake meid", "tunneme end hüljatuna", "tunneme end mahajäetuna", "tunneme end reedetuna",
        "reetsid meid", "reetsite meid", "meid reetsid", "meid reetsite", "tegid meile haiget", "tegite meile haiget",
        "meile haiget tegid", "meile haiget tegite", "pöörasid meile selja", "pöörasite meile selja",
        "meile selja pöörasid", "ära pööra meile selga", "ärge pöörake meile selga", "ära unusta meid",
        "ärge unustage meid", "ei armasta meid enam", "ei hooli meist", "kas me ütlesime midagi valesti",
        "kas me tegime midagi valesti", "mida me sulle tegime", "mida me teile tegime", "häbi sul olgu",
        "häbi teil olgu", "peaksid häbenema", "peaksite häbenema", "peaksid end süüdi tundma",
        "peaksite end süüdi tundma", "pettusime sinus", "pettusime teis", "oled meile pettumuse valmistanud",
        "ei saa teieta elada", "ei suuda sinuta elada", "ei suuda teieta elada",
    )),
}  # fmt: skip
"""Words that make people feel guilty for leaving, by language: C1 wants none."""


def find_words(words: Mapping[str, Phrases], text: Folded | str, locale: str) -> tuple[str, ...]:
    """Return those of the words of a language that a text holds, as they are written there, each once.

    Args:
        words: one of the lists of this module.
        text: as people see it, of any length; takes linear time.
        locale: its language tag, such as `pt-BR`; of a language that is not listed nothing is found.
    """
    language = locale.replace("_", "-").partition("-")[0].casefold()
    return words[language].find_all(text) if language in words else ()
