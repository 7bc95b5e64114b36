"""How Sphinx builds the docs."""

from importlib.metadata import version as installed_version
from typing import Any

project = "lifecycle_mail"
author = "lifecycle_mail contributors"
project_copyright = f"2026, {author}"
version = release = installed_version("lifecycle-mail")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Docstrings write code between single backticks.
default_role = "code"

# Attrs classes describe their fields once, in the `Attributes:` section of the class.
napoleon_use_ivar = True
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"

# What is generated stands within the pages that include it.
exclude_patterns = ["_build", "generated/*.md"]
html_theme = "furo"
html_title = f"{project} {release}"


def setup(app: Any) -> None:
    """Let napoleon read a property's docstring as a sentence: in front of a colon it would see a type."""

    def begin_with_a_comment(_app: Any, what: str, _name: str, _of: object, _options: Any, lines: list[str]) -> None:
        if what in ("attribute", "property") and lines:
            lines[:0] = ["..", ""]

    app.connect("autodoc-process-docstring", begin_with_a_comment, priority=100)
