import json
import re
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from lifecycle_mail.mails import NAMES, Kind, shipped_source
from tests.cli.running import run, run_well

NOW = "2026-03-03T12:05:00Z"


def test_a_sample_is_rendered_in_a_language(tmp_path: Path) -> None:
    """Without data a made-up mail is written, and it is said to be made up."""
    said = run_well("render", "cancellation-confirmed", "--locale", "et", "--out", tmp_path, "--now", NOW).err
    assert "made-up" in said
    names = [f"cancellation-confirmed.et.{suffix}" for suffix in ("eml", "html", "txt")]
    assert names == sorted(path.name for path in tmp_path.iterdir())
    message = message_from_bytes((tmp_path / names[0]).read_bytes(), policy=policy.default)
    assert "et" == message["Content-Language"]


def test_an_example_is_where_data_starts_from(tmp_path: Path) -> None:
    """What `--example` prints, mended, is rendered by `--data`."""
    data = json.loads(run_well("render", "last-chance", "--example", "--now", NOW).out)
    data["to"]["name"] = "Grace"
    path = tmp_path / "data.json"
    path.write_text(json.dumps(data))
    run_well("render", "last-chance", "--data", path, "--out", tmp_path / "mails", "--now", NOW)
    assert "Hello Grace," in (tmp_path / "mails" / "last-chance.en.txt").read_text(encoding="utf-8")


def test_no_mail_of_an_earlier_run_stands_under_the_number_of_another_line(tmp_path: Path) -> None:
    """A line that is rejected now has no mail, least of all somebody else's."""
    path = tmp_path / "data.jsonl"
    line = json.dumps(json.loads(run("render", "goodbye", "--example").out))
    path.write_text(f"{line}\n{line}\n", encoding="utf-8")
    out = tmp_path / "mails"
    assert 0 == run("render", "goodbye", "--data", path, "--out", out).code
    path.write_text(f"{line}\n[]\n", encoding="utf-8")
    again = run("render", "goodbye", "--data", path, "--out", out)
    assert 2 == again.code
    assert "of an earlier run: give another --out" in again.err
    assert 1 == run("render", "goodbye", "--data", path, "--out", tmp_path / "other").code


def test_a_null_is_nothing_said(tmp_path: Path) -> None:
    """A table writes null for who has no name and no card, and they get their notice all the same."""
    data = json.loads(run("render", "cancellation-confirmed", "--example").out)
    data["to"]["name"] = data["card"] = data["refund"] = None
    path = tmp_path / "data.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    assert 0 == run("render", "cancellation-confirmed", "--data", path, "--out", tmp_path / "mails").code


def test_many_are_rendered_from_lines_and_none_is_lost(tmp_path: Path) -> None:
    """A line that no mail can be made of is in the rejects with its reason; the others are written."""
    line = json.dumps(json.loads(run_well("render", "survey", "--example", "--now", NOW).out))
    path = tmp_path / "data.jsonl"
    path.write_text(f"{line}\n{{}}\nnot json\n{line}\n")
    done = run("render", "survey", "--data", path, "--out", tmp_path / "mails", "--now", NOW)
    assert (1, ["000001-survey.eml", "000004-survey.eml"]) == (
        done.code, sorted(one.name for one in (tmp_path / "mails").glob("*.eml"))
    )  # fmt: skip
    rejects = [json.loads(row) for row in (tmp_path / "mails" / "rejects.jsonl").read_text().splitlines()]
    assert [f"{path}:2", f"{path}:3"] == [row["place"] for row in rejects]


def test_lines_that_are_no_text_are_rejected_and_the_others_written(tmp_path: Path) -> None:
    """A byte that is not UTF-8 costs its own line; the mark that Windows begins files with costs none."""
    line = json.dumps(json.loads(run_well("render", "survey", "--example", "--now", NOW).out)).encode()
    path = tmp_path / "data.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\n{\xff}\n" + line + b"\n")
    done = run("render", "survey", "--data", path, "--out", tmp_path / "mails", "--now", NOW)
    assert (1, 2) == (done.code, len(list((tmp_path / "mails").glob("*.eml"))))
    (row,) = (tmp_path / "mails" / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert (f"{path}:2", "{\\xff}\n") == (json.loads(row)["place"], json.loads(row)["line"])
    assert "UTF-8" in json.loads(row)["reason"]


def test_rejects_are_not_written_over_what_is_read(tmp_path: Path) -> None:
    """Mended rejects, read from where the next ones go, would be lost."""
    path = tmp_path / "rejects.jsonl"
    path.write_text("{}\n")
    done = run("render", "survey", "--data", path, "--out", tmp_path, "--now", NOW)
    assert (2, "{}\n") == (done.code, path.read_text())
    assert "--out" in done.err


def test_bad_data_names_file_path_and_fix(tmp_path: Path) -> None:
    """Problems of the data are told with exit code 3."""
    path = tmp_path / "data.json"
    path.write_text('{"to": {"contact_id": "c", "address": "a@example.com"}}')
    done = run("render", "plan-ending", "--data", path, "--out", tmp_path)
    assert 3 == done.code
    assert all(word in done.err for word in ("data.json", "$.product", "$.ends_on", "required"))


def test_all_that_is_wrong_with_what_is_read_is_told_at_once(tmp_path: Path) -> None:
    """A broken brand hides no broken data, and what cannot be read no day that is over."""
    paths = {name: tmp_path / name for name in ("brand.toml", "data.json", "templates", "catalogues")}
    paths["brand.toml"].write_text('naem = "Harbour"\n')
    data = json.loads(run_well("render", "plan-ending", "--example", "--now", NOW).out)
    paths["data.json"].write_text(json.dumps({**data, "card": "1", "ends_on": "2020-01-01", "product": "a\u200bb\n"}))
    paths["templates"].mkdir()
    (paths["templates"] / "godbye.jinja").write_text("a")
    paths["catalogues"].mkdir()
    (paths["catalogues"] / "sv.po").write_text('msgid "Hello,"\nmsgstr "Hej %(nom)s,"\n')
    read = ("--brand", paths["brand.toml"], "--templates", paths["templates"], "--catalogues", paths["catalogues"])
    out = ("--out", tmp_path / "mails", "--now", NOW, "--base-url", "http://mail.example.com")
    done = run("render", "plan-ending", "--data", paths["data.json"], *read, *out)
    assert 3 == done.code
    for said in ("did you mean 'name'?", "$.card", "$.ends_on: is 2020-01-01", "godbye.jinja", "sv.po", "https"):
        assert said in done.err
    assert not (tmp_path / "mails").exists()


def test_what_is_over_is_a_problem_of_the_data(tmp_path: Path) -> None:
    """By itself, too; of lines it is the reason why one is rejected."""
    data = json.loads(run_well("render", "plan-ending", "--example", "--now", NOW).out)
    line = json.dumps({**data, "ends_on": "2020-01-01"})
    for name in ("data.json", "data.jsonl"):
        (tmp_path / name).write_text(line + "\n")
    options = ("--out", tmp_path / "mails", "--now", NOW)
    done = run("render", "plan-ending", "--data", tmp_path / "data.json", *options)
    assert (3, True) == (done.code, "$.ends_on: is 2020-01-01" in done.err)
    assert 1 == run("render", "plan-ending", "--data", tmp_path / "data.jsonl", *options).code
    assert "$.ends_on: is 2020-01-01" in (tmp_path / "mails" / "rejects.jsonl").read_text(encoding="utf-8")


def test_mails_are_counted_in_words(tmp_path: Path) -> None:
    """One is a mail, none and several are mails."""
    line = json.dumps(json.loads(run_well("render", "survey", "--example", "--now", NOW).out))
    path = tmp_path / "data.jsonl"
    for lines, said in ((0, "wrote 0 mails to"), (1, "wrote 1 mail to"), (2, "wrote 2 mails to")):
        path.write_text(f"{line}\n" * lines)
        out = tmp_path / f"mails{lines}"
        assert said in run_well("render", "survey", "--data", path, "--out", out, "--now", NOW).err


def test_half_a_character_in_a_line_stops_no_other(tmp_path: Path) -> None:
    """JSON can write one that no file can hold; its line is rejected, and its reason still written."""
    line = run_well("render", "survey", "--example", "--now", NOW).out.replace("\n", "")
    path = tmp_path / "data.jsonl"
    path.write_text(line[:-1] + ', "a\\ud800": 1}\n' + line + "\n")
    done = run("render", "survey", "--data", path, "--out", tmp_path / "mails", "--now", NOW)
    assert (1, ["000002-survey.eml"]) == (done.code, [one.name for one in (tmp_path / "mails").glob("*.eml")])
    (row,) = (tmp_path / "mails" / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert "unknown field" in json.loads(row)["reason"]


def test_links_are_signed_with_the_key_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same key gives the same links; without one they are thrown away."""
    monkeypatch.setenv("LIFECYCLE_MAIL_SIGNING_KEY", "a signing key of 32 random bytes")
    written = []
    for name in ("one", "two"):
        options = ("--base-url", "https://mail.harbour.example/x", "--now", NOW, "--out", tmp_path / name)
        run_well("render", "goodbye", *options)
        written.append((tmp_path / name / "goodbye.en.txt").read_text(encoding="utf-8"))
    assert written[0] == written[1]
    assert "https://mail.harbour.example/x/preferences/" in written[0]
    monkeypatch.delenv("LIFECYCLE_MAIL_SIGNING_KEY")
    run_well("render", "goodbye", "--now", NOW, "--out", tmp_path / "other")
    assert written[0] != (tmp_path / "other" / "goodbye.en.txt").read_text(encoding="utf-8")


def test_a_preview_holds_every_mail_in_light_dark_and_text(tmp_path: Path) -> None:
    """The page shows each kind in each language, without the network."""
    run_well("preview", "--out", tmp_path, "--locale", "en", "--locale", "et", "--now", NOW)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    for kind in Kind:
        for locale in ("en", "et"):
            assert f'data-kind="{kind}" data-locale="{locale}"' in page
            for light in ("light", "dark"):
                assert f'src="{kind}.{locale}.{light}.html"' in page
                assert (tmp_path / f"{kind}.{locale}.{light}.html").exists()
    assert 'src="http' not in page
    dark = (tmp_path / "goodbye.en.dark.html").read_text(encoding="utf-8")
    assert "@media all" in dark
    assert "prefers-color-scheme: dark" not in dark


def test_a_preview_uses_templates_and_sender_of_ones_own(tmp_path: Path) -> None:
    """One's own block and colours are seen in the preview."""
    folder = tmp_path / "templates"
    folder.mkdir()
    (folder / "goodbye.jinja").write_text(
        '{% extends "shipped/goodbye" %}{% block closing %}{{ part.signed("Mari, who reads replies") }}{% endblock %}'
    )
    brand = tmp_path / "brand.toml"
    brand.write_text(
        'name = "Sadam"\naddress = "mari@sadam.example"\npostal_address = ["Sadama 1"]\n'
        'website = "https://sadam.example"\nprivacy_url = "https://sadam.example/p"\n[theme]\naccent = "#7a1f3d"\n'
    )
    options = ("--kind", "goodbye", "--locale", "en", "--templates", folder, "--brand", brand)
    run_well("preview", "--out", tmp_path / "page", *options)
    light = (tmp_path / "page" / "goodbye.en.light.html").read_text(encoding="utf-8")
    assert all(word in light for word in ("Mari, who reads replies", "Sadam", "#7a1f3d"))


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    """Whoever writes templates is told where the mistake is."""
    blocks = [f"{{% block {name} %}}{text}{{% endblock %}}" for name, text in
              (("subject", "Goodbye"), ("preheader", "Done"), ("body", "\n{{ nothing }}\n"))]  # fmt: skip
    (tmp_path / "goodbye.jinja").write_text("\n".join(['{% extends "mail" %}', *blocks]))
    done = run("preview", "--kind", "goodbye", "--templates", tmp_path, "--out", tmp_path / "page")
    assert 3 == done.code
    assert "goodbye:5" in done.err


def test_a_preview_names_every_mail_that_cannot_be_made(tmp_path: Path) -> None:
    """Once, although it is broken in every language; and a page of before stays as it was."""
    run_well("preview", "--locale", "et", "--kind", "goodbye", "--kind", "we-miss-you", "--out", tmp_path / "page")
    before = {path.name: path.read_bytes() for path in (tmp_path / "page").iterdir()}
    for kind in ("goodbye", "survey"):
        (tmp_path / f"{kind}.jinja").write_text(
            f'{{% extends "shipped/{kind}" %}}\n{{% block subject %}}{{{{ nothing }}}}{{% endblock %}}'
        )
    done = run("preview", "--templates", tmp_path, "--out", tmp_path / "page")
    assert 3 == done.code
    assert (1, 1) == (done.err.count("goodbye:2"), done.err.count("survey:2"))
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "page").iterdir()}


def test_a_catalogue_to_translate_is_printed(tmp_path: Path) -> None:
    """What is translated in it is said in the mails; sentences of one's own templates are in it, too."""
    (tmp_path / "survey.jinja").write_text(
        '{% extends "shipped/survey" %}\n'
        '{% block closing %}{{ part.p(_("So long, %(name)s!", name="you")) }}{% endblock %}'
    )
    printed = run_well("templates", "catalogue", "fi", tmp_path).out
    assert '#: survey.jinja\n#, python-format\nmsgid "So long, %(name)s!"\nmsgstr ""\n' in printed
    own = tmp_path / "own"
    own.mkdir()
    (own / "fi.po").write_text(
        printed.replace(
            'msgid "So long, %(name)s!"\nmsgstr ""', 'msgid "So long, %(name)s!"\nmsgstr "Hei hei, %(name)s!"'
        ),
        encoding="utf-8",
    )
    options = ("--templates", tmp_path, "--catalogues", own, "--locale", "fi", "--out", tmp_path / "mails")
    run_well("render", "survey", *options, "--now", NOW)
    [text] = (tmp_path / "mails").glob("survey.*.txt")
    assert "Hei hei, you!" in text.read_text(encoding="utf-8")
    assert run("templates", "catalogue", "finnish").err.count("give a tag, such as fi or pt-BR") == 1


def test_kinds_are_listed() -> None:
    """Every kind is listed, for people and for programs."""
    assert list(map(str, Kind)) == [
        row["kind"] for row in json.loads(run_well("templates", "list", "--format", "json").out)
    ]


@pytest.mark.parametrize("name", ["last-chance", "parts.text", NAMES[0]])
def test_a_template_is_printed_as_it_ships(name: str) -> None:
    """The print is the template, to the byte, so that it can be started from."""
    assert shipped_source(name) == run_well("templates", "show", name).out


def test_placeholders_of_a_kind_are_listed() -> None:
    """Whoever writes a template finds what it may fill in."""
    rows = json.loads(run_well("templates", "placeholders", "payment-failed", "--format", "json").out)
    names = {row["name"] for row in rows}
    assert {"spec.card.last_four", "brand.name", "url.survey"} & names == {"spec.card.last_four", "brand.name"}


def test_templates_are_checked(tmp_path: Path) -> None:
    """What is wrong is told with its place and its fix, and makes the command fail; a mended one passes."""
    body = '{% extends "shipped/last-chance" %}\n{% block footer %}SLOT{% endblock %}'
    (tmp_path / "last-chance.jinja").write_text(body.replace("SLOT", "Goodbye."))
    done = run("templates", "check", tmp_path, "--format", "json")
    rules = {row["rule"] for row in json.loads(done.out)}
    assert (1, {"missing-postal-address"}) == (done.code, rules & {"missing-postal-address"})
    (tmp_path / "last-chance.jinja").write_text(body.replace("SLOT", "{{ part.footer() }}"))
    assert "nothing to mend" in run_well("templates", "check", tmp_path).err


def test_translations_are_checked_with_templates_and_without(tmp_path: Path) -> None:
    """A sentence that nobody says is found with its line, and a language that lacks some; a broken line by itself."""
    path, templates = tmp_path / "et.po", tmp_path / "templates"
    templates.mkdir()
    (templates / "goodbye.jinja").write_text(shipped_source("goodbye"))
    path.write_text('msgid "Hello %(name)s,"\nmsgstr "Tere"\n\nmsgid "Help center"\nmsgstr "Abi"\n')
    for asked in ((), (templates,)):
        done = run("templates", "check", *asked, "--catalogues", tmp_path, "--format", "json")
        (row,) = json.loads(done.out)
        assert (1, "et.po:4", "unknown-sentence") == (done.code, row["where"], row["rule"])
        assert "did you mean 'Help centre'?" in row["message"]
    path.write_text(path.read_text().replace("center", "centre"))
    assert "nothing to mend" in run_well("templates", "check", "--catalogues", tmp_path).err
    path.rename(tmp_path / "fi.po")
    done = run("templates", "check", "--catalogues", tmp_path, "--format", "json")
    assert {("fi.po", "partly-translated")} == {(row["where"], row["rule"]) for row in json.loads(done.out)}
    (tmp_path / "fi.po").write_text('msgid "Hello,"\nmsgstr "Hei,\n')
    done = run("templates", "check", "--catalogues", tmp_path)
    assert "fi.po:2: " in done.err


def test_a_check_of_nothing_says_what_to_give() -> None:
    """Neither templates nor translations."""
    assert "give a FOLDER with templates, --catalogues, or both" in run("templates", "check").err


def test_a_check_tells_at_once_what_cannot_be_read(tmp_path: Path) -> None:
    """Templates, sender and translations are each read, whatever is wrong with the others."""
    (tmp_path / "godbye.jinja").write_text("a")
    (tmp_path / "brand.toml").write_text('naem = "Harbour"\n')
    (tmp_path / "sv.po").write_text('msgid "Hello,"\nmsgstr "Hej %(nom)s,"\n')
    done = run("templates", "check", tmp_path, "--brand", tmp_path / "brand.toml", "--catalogues", tmp_path)
    assert (3, "") == (done.code, done.out)
    assert all(said in done.err for said in ("godbye.jinja", "did you mean 'name'?", "sv.po"))


def written(page: str, language: str, direction: str) -> list[str]:
    """Return the elements of a page that are marked as of a language and direction."""
    return re.findall(rf'<(\w+)[^>]* lang="{language}" dir="{direction}">', page)


def test_a_preview_says_in_which_language_a_mail_is_written(tmp_path: Path) -> None:
    """A mail that falls back is marked as what it is, and the page says so; what the page itself says stays English."""
    said = ["h2", "span", "pre"]
    for asked, language in (("fr", "en"), ("et", "et"), ("pt-BR", "pt-BR")):
        run_well("preview", "--out", tmp_path, "--locale", asked, "--kind", "goodbye", "--now", NOW)
        page = (tmp_path / "index.html").read_text(encoding="utf-8")
        assert said == written(page, language, "ltr")
        assert f'lang="{asked}"' not in page or asked == language
        assert ("fr, written in en:" in page) == (asked == "fr")
        assert ("written in" in page) == (asked == "fr")
        mail = (tmp_path / f"goodbye.{asked}.light.html").read_text(encoding="utf-8")
        assert f'<html lang="{language}" dir="ltr"' in mail


def test_a_preview_turns_what_is_read_from_the_right(tmp_path: Path) -> None:
    """Words that run from right to left do so in the page, too; its own frame stays as it is."""
    folder = tmp_path / "catalogues"
    folder.mkdir()
    fields = ("Content-Type: text/plain; charset=utf-8", "Plural-Forms: nplurals=2; plural=n != 1;")
    head = 'msgid ""\nmsgstr ""\n' + "".join(f'"{one}\\n"\n' for one in fields)
    (folder / "he.po").write_text(f'{head}\nmsgid "Hello,"\nmsgstr "שלום,"\n', encoding="utf-8")
    options = ("--locale", "he", "--kind", "goodbye", "--now", NOW)
    run_well("preview", "--out", tmp_path / "page", "--catalogues", folder, *options)
    page = (tmp_path / "page" / "index.html").read_text(encoding="utf-8")
    assert ["h2", "span", "pre"] == written(page, "he", "rtl")
    assert '<html lang="en">' in page
    assert '<html lang="he" dir="rtl"' in (tmp_path / "page" / "goodbye.he.dark.html").read_text(encoding="utf-8")
