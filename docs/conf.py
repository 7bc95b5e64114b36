"""How Sphinx builds the docs."""

from importlib.metadata import version as installed_version

project = "lifecycle_mail"
author = "lifecycle_mail contributors"
project_copyright = f"2026, {author}"
version = release = installed_version("lifecycle-mail")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Attrs classes describe their fields once, in the `Attributes:` section of the class.
napoleon_use_ivar = True
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"

exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"{project} {release}"
