"""The project's own files as the tests about shape read them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("office", "knowledge", "ticketing", "handlers", "admin", "bot")
NOT_OURS = frozenset({"node_modules", "var"})
DOCUMENTS = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))


def name(path: Path) -> str:
    """The path as documents and messages name it."""
    return path.relative_to(ROOT).as_posix()


def files(*suffixes: str) -> Iterator[Path]:
    """Every file of the project with one of these endings, without what tools have put beside it."""
    for top in sorted(ROOT.iterdir()):
        if top.name in NOT_OURS or (top.is_dir() and top.name.startswith(".") and top.name != ".ci"):
            continue
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            inside = NOT_OURS & set(path.parts) or "__pycache__" in path.parts
            if path.is_file() and path.suffix in suffixes and not inside:
                yield path


@cache
def modules(*packages: str) -> tuple[Path, ...]:
    """The Python modules of these packages, of all six without names."""
    return tuple(path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py")))


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def calls(path: Path) -> Iterator[ast.Call]:
    """Every call in a module."""
    return (node for node in ast.walk(parsed(path)) if isinstance(node, ast.Call))


def called(call: ast.Call) -> str:
    """The last word of what is called: `put` for `outbox.put(...)`."""
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
