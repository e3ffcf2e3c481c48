"""The template language of Azure Resource Manager: expressions, functions, and what a template asks for.  Pure."""

from .evaluate import Part, Reference, Scope
from .expressions import TemplateError
from .template import MOST_RESOURCES, Plan, Step, read_template

__all__ = ["MOST_RESOURCES", "Part", "Plan", "Reference", "Scope", "Step", "TemplateError", "read_template"]
