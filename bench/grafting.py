"""Put the code of a changed module in the place of the one that is loaded, wherever its functions are held already."""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast
    from types import ModuleType


def graft(module: ModuleType, tree: ast.Module) -> None:
    """Give the functions, methods and constants of a loaded module what they are in the changed one."""
    changed: dict[str, Any] = {**vars(module)}
    exec(compile(tree, str(module.__file__), "exec"), changed)  # noqa: S102 - our own source, with one mistake in it
    for name, new in changed.items():
        old = vars(module).get(name)
        elsewhere = isinstance(new, FunctionType | type) and new.__module__ != module.__name__
        if elsewhere or new is old:
            continue
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            _replace_code(old, new, str(module.__file__))
        elif isinstance(new, type) and isinstance(old, type):
            _replace_methods(old, new, str(module.__file__))
        elif not name.startswith("__") and new != old:
            _replace_constant(name, old, new)


def _replace_code(old: FunctionType, new: FunctionType, file: str) -> None:
    if new.__code__.co_filename == file:
        old.__code__, old.__defaults__, old.__kwdefaults__ = new.__code__, new.__defaults__, new.__kwdefaults__


def _replace_methods(old: type, new: type, file: str) -> None:
    for name, value in vars(new).items():
        held = vars(old).get(name)
        if isinstance(value, property) and isinstance(held, property):
            value, held = value.fget, held.fget  # noqa: PLW2901 - a property is its getter
        if isinstance(value, FunctionType) and isinstance(held, FunctionType):
            _replace_code(held, value, file)


def _replace_constant(name: str, old: object, new: object) -> None:
    for module in [each for key, each in sys.modules.items() if key.startswith("harness.core")]:
        if name in vars(module) and vars(module)[name] is old:
            setattr(module, name, new)
