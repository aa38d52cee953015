"""The files a team writes and reviews, as typed values: `stacks/<stack>/**/*.yaml` (declarations.md).

`load` reads a stack; `platforms` says which platforms there are; `select` finds connections by their names.
"""

from providers.declarations.load import load
from providers.declarations.platforms import DeclaredPlatform, platforms
from providers.declarations.problems import DeclarationErrors, Problem
from providers.declarations.stack import (
    Connection,
    DeclaredLink,
    Origin,
    Stack,
    Store,
    declared_words,
    inputs,
    link_inputs,
    select,
)

__all__ = [
    "Connection",
    "DeclarationErrors",
    "DeclaredLink",
    "DeclaredPlatform",
    "Origin",
    "Problem",
    "Stack",
    "Store",
    "declared_words",
    "inputs",
    "link_inputs",
    "load",
    "platforms",
    "select",
]
