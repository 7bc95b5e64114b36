"""What the pages say is what the code does."""

import ast
import doctest
import importlib.util
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pytest

import lifecycle_mail
from docs.pages import DOCS, PAGES, commands_in, run, shown_file, write_files
from lifecycle_mail.errors import LifecycleMailError
from lifecycle_mail.policy.eligibility import GATES, Withheld
from lifecycle_mail.policy.facts import CATALOGUE, FAMILIES
from lifecycle_mail.policy.policies import Policy
from lifecycle_mail.policy.predicates import EVERYONE
from lifecycle_mail.policy.sunset import Action, Tier
from tests import readme_in_fresh_venv

ROOT = DOCS.parent
PACKAGE = ROOT / "src" / "lifecycle_mail"
WRITTEN = "\n".join(path.read_text(encoding="utf-8") for path in [*PAGES, *sorted(DOCS.glob("generated/*.md"))])


@pytest.fixture(scope="module")
def generate() -> Iterator[ModuleType]:
    """Return `docs/generate.py` as a module."""
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = before


def test_what_is_generated_is_fresh(generate: ModuleType) -> None:
    """The generated pages and pictures are those that the code gives now: else run `docs/generate.py`."""
    assert [] == generate.stale()


def test_what_is_generated_is_the_same_each_time(generate: ModuleType) -> None:
    """Generating twice gives the same bytes."""
    assert generate.pages() == generate.pages()


def test_a_stale_page_is_found(
    generate: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` fails on a page that differs, and says how to write it again."""
    monkeypatch.setattr(generate, "GENERATED", tmp_path)
    assert 0 == generate.main([])
    assert 0 == generate.main(["--check"])
    (tmp_path / "facts.md").write_text("old", encoding="utf-8")
    (tmp_path / "left-over.svg").write_text("", encoding="utf-8")
    capsys.readouterr()
    assert 1 == generate.main(["--check"])
    said = capsys.readouterr().err
    assert "facts.md, left-over.svg" in said
    assert "python docs/generate.py" in said


@pytest.mark.parametrize("name", sorted(path.name for path in DOCS.glob("generated/*.svg")))
def test_no_text_of_a_picture_leaves_its_box(name: str) -> None:
    """Every text of a ladder ends within the picture, and no two of a line overlap."""
    picture = (DOCS / "generated" / name).read_text(encoding="utf-8")
    width = int(re.search(r'<svg [^>]*width="(\d+)"', picture)[1])  # type: ignore[index]
    spans: dict[float, list[tuple[float, float]]] = {}
    for found in re.finditer(r'<text class="(\w+)" x="([\d.]+)" y="([\d.]+)"( text-anchor="\w+")?>([^<]*)<', picture):
        x, y, text = float(found[2]), float(found[3]), found[5].replace("&gt;", ">").replace("&lt;", "<")
        long = len(text) * 7.25 * (14 / 12 if found[1] == "title" else 1)
        begin = x - long / 2 if "middle" in (found[4] or "") else x - long if "end" in (found[4] or "") else x
        spans.setdefault(y, []).append((begin, begin + long))
    assert spans
    for line in spans.values():
        ordered = sorted(line)
        assert 0 <= ordered[0][0]
        assert ordered[-1][1] <= width
        assert all(one[1] < other[0] for one, other in pairwise(ordered))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_print_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    """What a page shows below a command is what comes out, with `...` for what it leaves out."""
    write_files(page, tmp_path)
    checker = doctest.OutputChecker()
    for command in commands_in(page):
        if shown_file(command, tmp_path):
            continue
        printed = run(command.command, tmp_path)
        wanted = "".join(f"{line.rstrip()}\n" for line in command.output.splitlines())
        same = checker.check_output(wanted, printed, doctest.ELLIPSIS)
        assert same, f"{page.name}:{command.line}: $ {command.command}\nshows\n{wanted}\nand this comes out\n{printed}"


def test_the_readme_prints_what_it_shows() -> None:
    """The README's Python prints what stands below it."""
    assert [] == readme_in_fresh_venv.problems(readme_in_fresh_venv.README.read_text(encoding="utf-8"))


def test_the_readme_names_the_two_commands() -> None:
    """The README shows the two commands to copy: one that runs it, one that checks it."""
    readme = readme_in_fresh_venv.README.read_text(encoding="utf-8")
    assert "```bash\npython -m pip install uv && python -m uv run lifecycle-mail demo\n```" in readme
    assert "```bash\npython -m pip install uv && python -m uv tool run nox\n```" in readme


@pytest.mark.parametrize("name", sorted([*CATALOGUE, *FAMILIES]))
def test_every_fact_is_documented(name: str) -> None:
    """Every fact of the catalogue is named in the pages, as predicates write it."""
    assert re.search(rf"`{name}[`(]", WRITTEN)


@pytest.mark.parametrize(
    "name",
    sorted(
        {gate.withheld.value for gate in GATES}
        | {reason.value for reason in Withheld}
        | {tier.value for tier in Tier}
        | {action.value for action in Action}
        | {
            rule.name
            for policy in (Policy.for_cadence("weekly"), Policy.for_cadence("weekly", hold=EVERYONE))
            for table in (policy.tiers, policy.sunset)
            for rule in table.rules
        }
    ),
)
def test_every_outcome_and_rule_is_documented(name: str) -> None:
    """Every gate, tier, next step and rule is named in the pages."""
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", WRITTEN)


def test_every_page_is_in_the_table_of_contents() -> None:
    """Nobody has to know the name of a page to find it."""
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.search(r"```\{toctree\}\n(?:.*\n)*?\n((?:.+\n)+)```", index)
    assert listed is not None
    assert sorted({path.stem for path in DOCS.glob("*.md")} - {"index"}) == sorted(listed[1].split())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    """Links between files of the repository name files that are there; Sphinx checks the places within pages."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[\w-]+)?\)", text)
    assert [] == [link for link in links if not (page.parent / link).exists()]


def _public(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_docstrings_begin_with_one_sentence(path: Path) -> None:
    """Every public docstring begins with a line that says what it is, and ends like a sentence."""
    wanting = []
    for name, node in _public(ast.parse(path.read_text(encoding="utf-8"))):
        doc = ast.get_docstring(node)  # type: ignore[arg-type]
        if not doc or not doc.split("\n\n")[0].rstrip().endswith((".", ":", "::", "?")):
            wanting.append(name)
    assert [] == wanting


def test_every_fact_says_one_sentence() -> None:
    """What the catalogue says of a fact begins with a capital and ends with a full stop."""
    facts = [*CATALOGUE.values(), *FAMILIES.values()]
    assert [] == [fact.name for fact in facts if not re.fullmatch(r"[A-Z`].*\.", fact.doc)]


def test_every_error_is_in_the_tree() -> None:
    """The docstring of the errors draws all of them."""
    import lifecycle_mail.errors as errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LifecycleMailError)]
    assert kinds
    assert [] == [kind.__name__ for kind in kinds if kind.__name__ not in (errors.__doc__ or "")]


@pytest.mark.parametrize("name", lifecycle_mail.__all__)
def test_every_public_name_is_in_the_reference(name: str) -> None:
    """What can be imported from the package is described in the reference, by itself or with its module."""
    if name == "where":  # an instance, whose class is described
        return
    home = getattr(lifecycle_mail, name).__module__
    described = re.findall(
        r"^\.\. auto(?:module|class|function):: (\S+)\n(?:   :members:(.*))?$",
        (DOCS / "reference.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    modules = {target for target, members in described if not members.strip() or name in members.strip().split(", ")}
    assert any(target in modules for target in (home, f"{home}.{name}", f"lifecycle_mail.service.{name}"))
