"""Settings of the documentation: `make docs` builds it with Sphinx."""

from __future__ import annotations

from enum import Enum

from sphinx.application import Sphinx

import hythe

project = "Hythe"
author = "The Hythe authors"
project_copyright = "The Hythe authors"
release = version = hythe.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
suppress_warnings = ["ref.python"]  # a name that is there twice, synchronous and not: either is meant
nitpicky = False  # docstrings name what they name in code type, not as references
default_role = "code"  # docstrings mark code by single backticks

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
maximum_signature_line_length = 90
python_use_unqualified_type_names = True
add_module_names = False

html_theme = "furo"
html_title = f"Hythe {release}"
html_copy_source = False
html_show_sourcelink = False


def _skip(app: Sphinx, what: str, name: str, value: object, skip: bool, options: dict[str, object]) -> bool | None:
    """Leave enums to the part of the page on models that shows their values."""
    is_enum = what == "module" and isinstance(value, type) and issubclass(value, Enum)
    return True if is_enum and "undoc-members" not in options else None


def setup(app: Sphinx) -> None:
    """Connect what is decided here."""
    app.connect("autodoc-skip-member", _skip)
