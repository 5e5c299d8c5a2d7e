"""Entries as files that can be reviewed: read with the line of every fault, and written the same way."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import yaml

from knowledge.versions import Audience, Content, EntryLevel
from office.errors import Invalid

Word = TypeVar("Word", bound=StrEnum)
NO_CODES: Mapping[str, int] = MappingProxyType({})

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXTS = ("question", "short", "full", "group")
_LISTS = ("phrasings", "aliases", "steps", "documents", "facts")
_DAYS = ("review_on", "effective_from", "effective_until")
_KNOWN = frozenset({"no", *_TEXTS, *_LISTS, *_DAYS, "basis", "audience", "level", "status", "scope"})
_NUMBER = re.compile(r"[A-Z]-\d{4,9}")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a file, and where it stands: the file's name and the line on which it begins."""

    entry_no: str
    content: Content
    file: str
    line: int


def rows(folder: Path, scope_unit_id: int, codes: Mapping[str, int] = NO_CODES) -> list[Row]:
    """The entries of every file in `folder`, in the order of their numbers.

    An entry holds for the unit whose code it names, found in `codes`, else for `scope_unit_id`.
    Raises `Invalid("base_file")` naming file and line of what cannot be read as entries.
    """
    found: dict[str, Row] = {}
    for path in sorted(folder.glob("*.yaml")):
        for row in _file(path, scope_unit_id, codes):
            if row.entry_no in found:
                before = found[row.entry_no]
                raise _bad(path, row.line, f"{row.entry_no}: {before.file}:{before.line}")
            found[row.entry_no] = row
    return sorted(found.values(), key=lambda row: row.entry_no)


def _bad(path: Path, line: int, error: str) -> Invalid:
    return Invalid("base_file", file=path.name, line=line, error=error)


def _file(path: Path, scope_unit_id: int, codes: Mapping[str, int]) -> Iterator[Row]:
    try:
        loader = _LOADER(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        loaded: Any = loader.construct_document(root) if root else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        raise _bad(path, mark.line + 1 if mark else 1, said) from error
    except ValueError as error:  # bytes that are no text, or a day that does not exist
        raise _bad(path, 1, str(error)) from error
    nodes = _entry_nodes(root)
    if nodes is None or not isinstance(loaded.get("topic"), str):
        raise _bad(path, 1, "topic, entries?")
    for row, node in zip(loaded["entries"], nodes, strict=True):
        lines = _lines(node)
        line = node.start_mark.line + 1
        if not isinstance(row, dict):
            raise _bad(path, line, "no, question, phrasings, short, basis, audience, level, status?")
        try:
            unit_id = codes[row["scope"]] if "scope" in row else scope_unit_id
            yield Row(_number(row), _content(loaded["topic"], row, unit_id), path.name, line)
        except _Field as error:
            raise _bad(path, lines.get(error.name, line), str(error)) from error
        except KeyError as error:
            field = "scope" if "scope" in row and error.args[0] == row["scope"] else str(error.args[0])
            raise _bad(path, lines.get(field, line), f"{error.args[0]}?") from error


def _entry_nodes(root: yaml.Node | None) -> list[yaml.Node] | None:
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    found = next((value for key, value in pairs if key.value == "entries"), None)
    return found.value if isinstance(found, yaml.SequenceNode) else None


def _lines(node: yaml.Node) -> dict[str, int]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {key.value: key.start_mark.line + 1 for key, _ in pairs if isinstance(key, yaml.ScalarNode)}


class _Field(ValueError):
    """What is wrong with a field of an entry; `name` is the field."""

    def __init__(self, name: str, value: object) -> None:
        super().__init__(f"{name}: {value!r}"[:120])
        self.name = name


def _number(row: dict[str, Any]) -> str:
    number = row["no"]
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise _Field("no", number)
    return number


def _content(topic: str, row: dict[str, Any], scope_unit_id: int) -> Content:
    for name in row:
        if name not in _KNOWN:
            raise _Field(name, row[name])
    if row["status"] not in ("confirmed", "unconfirmed"):
        raise _Field("status", row["status"])
    first, last = _day(row, "effective_from"), _day(row, "effective_until")
    if first and last and last < first:
        raise _Field("effective_until", row["effective_until"])
    return Content(
        topic=topic,
        question=_text(row, "question"),
        phrasings=_list(row, "phrasings"),
        aliases=_list(row, "aliases"),
        short=_text(row, "short"),
        full=_text(row, "full", ""),
        steps=_list(row, "steps"),
        documents=_list(row, "documents"),
        basis=_basis(row),
        facts=_list(row, "facts"),
        audience=_word(row, "audience", Audience),
        level=_word(row, "level", EntryLevel),
        confirmed=row["status"] == "confirmed",
        group=_text(row, "group", "登记组"),
        review_on=_day(row, "review_on"),
        effective_from=first,
        effective_until=last,
        scope_unit_id=scope_unit_id,
    )


def _text(row: dict[str, Any], name: str, otherwise: str | None = None) -> str:
    found = row[name] if otherwise is None else row.get(name, otherwise)
    if not isinstance(found, str):
        raise _Field(name, found)
    return found


def _list(row: dict[str, Any], name: str) -> tuple[str, ...]:
    found = row[name] if name == "phrasings" else row.get(name) or []
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise _Field(name, found)
    return tuple(found)


def _basis(row: dict[str, Any]) -> tuple[Mapping[str, str], ...]:
    found = row["basis"]
    if not isinstance(found, list) or not all(
        isinstance(one, dict) and isinstance(one.get("law"), str) and {*one} <= {"law", "article"}
        for one in found
    ):
        raise _Field("basis", found)
    return tuple({"law": one["law"], "article": str(one.get("article") or "")} for one in found)


def _word(row: dict[str, Any], name: str, enum: type[Word]) -> Word:
    try:
        return enum(row[name])
    except ValueError:
        raise _Field(name, row[name]) from None


def _day(row: dict[str, Any], name: str) -> date | None:
    found = row.get(name)
    if found is not None and (not isinstance(found, date) or isinstance(found, datetime)):
        raise _Field(name, found)
    return found


def plain(content: Content) -> dict[str, Any]:
    """A content as plain values, as it stands in a file; what is empty is left out, and so is the scope."""
    row: dict[str, Any] = {
        "question": content.question,
        "phrasings": list(content.phrasings),
        "aliases": list(content.aliases),
        "short": content.short,
        "full": content.full,
        "steps": list(content.steps),
        "documents": list(content.documents),
        "basis": [dict(citation) for citation in content.basis],
        "facts": list(content.facts),
        "audience": content.audience.value,
        "level": content.level.value,
        "status": "confirmed" if content.confirmed else "unconfirmed",
        "group": content.group,
        "review_on": content.review_on,
        "effective_from": content.effective_from,
        "effective_until": content.effective_until,
    }
    return {key: value for key, value in row.items() if value not in ([], "", None)}
