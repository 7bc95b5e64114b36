"""The page of `lifecycle-mail preview`: every mail in light, in dark and as plain text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from lifecycle_mail.errors import InvalidInput, LifecycleMailError
from lifecycle_mail.mails import KINDS, Kind, Mail, Renderer
from lifecycle_mail.mails.formats import is_from_right
from lifecycle_mail.mails.samples import sample_reader, samples

_DARK = "@media (prefers-color-scheme: dark)"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mails</title>
<style>
body {{ margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #22262b; background: #fff; }}
header {{ position: sticky; top: 0; padding: 12px 24px; background: #fff; border-bottom: 1px solid #c9ccd0; }}
label {{ margin-right: 24px; }}
select {{ font: inherit; min-height: 32px; }}
section {{ padding: 24px; border-bottom: 1px solid #c9ccd0; }}
h2 {{ margin: 0 0 4px; font-size: 20px; }}
p {{ margin: 0 0 12px; }}
.panes {{ display: flex; gap: 16px; align-items: flex-start; overflow-x: auto; }}
.pane {{ flex: 0 0 auto; }}
.pane h3 {{ margin: 0 0 4px; font-size: 14px; font-weight: normal; color: #5b6168; }}
iframe {{ width: var(--width, 375px); height: 640px; border: 1px solid #c9ccd0; background: #fff; }}
pre {{
  width: 42em; height: 608px; margin: 0; padding: 16px; overflow: auto; border: 1px solid #c9ccd0; font-size: 13px;
}}
[hidden] {{ display: none; }}
</style>
</head>
<body>
<header>
<label>Kind <select id="kind"><option value="">all</option>{kinds}</select></label>
<label>Language <select id="locale">{locales}</select></label>
<label>Width <select id="width">
<option value="375px">phone</option><option value="640px">desktop</option>
</select></label>
</header>
<main>
{sections}
</main>
<script>
const chosen = name => document.getElementById(name).value;
const show = () => {{
  document.body.style.setProperty("--width", chosen("width"));
  const kind = chosen("kind");
  for (const one of document.querySelectorAll("section")) {{
    one.hidden = one.dataset.locale !== chosen("locale") || (kind !== "" && one.dataset.kind !== kind);
  }}
}};
for (const one of document.querySelectorAll("select")) one.addEventListener("change", show);
show();
</script>
</body>
</html>
"""

_SECTION = """<section data-kind="{kind}" data-locale="{locale}">
<h2 {written}>{subject}</h2>
<p><span {written}>{preheader}</span><br><small>{kind}, {locale}{instead}: {doc} {size}</small></p>
<div class="panes">
<div class="pane"><h3>HTML, light</h3>
<iframe loading="lazy" title="{kind}, light" src="{stem}.light.html"></iframe></div>
<div class="pane"><h3>HTML, dark</h3>
<iframe loading="lazy" title="{kind}, dark" src="{stem}.dark.html"></iframe></div>
<div class="pane"><h3>Plain text</h3><pre tabindex="0" {written}>{text}</pre></div>
</div>
</section>"""


def write_preview(
    renderer: Renderer, out: Path, *, locales: Sequence[str], kinds: Sequence[Kind], confirm: str, now: datetime,
    done: Callable[[], object],
) -> Path:  # fmt: skip
    """Write a page with made-up mails, and return where it is.

    Args:
        renderer: makes the mails.
        out: the folder; made where there is none.
        locales: languages, each once.
        kinds: of mail.
        confirm: the token that links of confirmations carry.
        now: when the mails are written, an aware instant.
        done: called after each mail.

    Raises:
        LifecycleMailError: mails cannot be made, with what is wrong with each of them; nothing is written.
        OSError: a file cannot be written.
    """
    made: list[tuple[str, Mail]] = []
    wrong: dict[str, LifecycleMailError] = {}  # by what is said: a template is broken in every language
    for locale in locales:
        specs = samples(sample_reader(locale), confirm=confirm, now=now)
        for kind in kinds:
            try:
                made.append((locale, renderer.render(specs[kind], now=now)))
            except LifecycleMailError as error:
                wrong.setdefault(str(error), error)
            done()
    if wrong:
        raise next(iter(wrong.values())) if len(wrong) == 1 else InvalidInput("\n".join(wrong))
    out.mkdir(parents=True, exist_ok=True)
    sections = []
    for locale, mail in made:
        stem = f"{mail.kind}.{locale}"
        # A frame cannot be told which light it is in: each gets the rules of its own.
        (out / f"{stem}.light.html").write_text(mail.html.replace(_DARK, "@media not all"), encoding="utf-8")
        (out / f"{stem}.dark.html").write_text(mail.html.replace(_DARK, "@media all"), encoding="utf-8")
        sections.append(_section(mail, stem, locale))
    page = out / "index.html"
    page.write_text(
        _PAGE.format(kinds=_options(kinds), locales=_options(locales), sections="\n".join(sections)), encoding="utf-8"
    )
    return page


def _options(values: Sequence[str]) -> str:
    return "".join(f"<option>{escape(value)}</option>" for value in values)


def _section(mail: Mail, stem: str, locale: str) -> str:
    # The page is English; what the mail says is in its own language, which need not be the one that was asked for.
    written = f'lang="{escape(mail.language)}" dir="{"rtl" if is_from_right(mail.language) else "ltr"}"'
    same = mail.language.partition("-")[0].lower() == re.split("[-_]", locale)[0].lower()
    return _SECTION.format(
        kind=mail.kind, locale=escape(locale), stem=escape(stem), subject=escape(mail.subject), written=written,
        instead="" if same else f", written in {escape(mail.language)}",
        preheader=escape(mail.preheader), doc=escape(KINDS[mail.kind].doc), text=escape(mail.text),
        size=f"{len(mail.html.encode()) / 1000:.1f} kB",
    )  # fmt: skip
