"""Signed changes of rules and of the calendar as files for review, read back with the line of every fault.

What is written is read back as the same; what a person edits in between is what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from office.changes import Change
from office.errors import Invalid

DAYS = ("effective_from", "effective_until", "review_on")
_FIELDS = ("subject", "basis", "reason", "scope", *DAYS, "content")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Given:
    """A change as it stands in a file.

    `scope` is the code of a unit, empty for the election office's district. `reason` says why what is
    doubtful in a calendar is meant; nothing else has one. `lines` tells on which line each part stands:
    `content.windows[1].to`.
    """

    file: str
    line: int
    subject: str
    basis: str
    reason: str
    scope: str
    effective_from: date | None
    effective_until: date | None
    review_on: date | None
    content: dict[str, Any]
    lines: Mapping[str, int]

    def values(self) -> dict[str, Any]:
        """What can differ from the change in force, as plain values."""
        return {
            **{name: day.isoformat() for name in DAYS if (day := getattr(self, name)) is not None},
            "basis": self.basis,
            **({"scope": self.scope} if self.scope else {}),
            "content": self.content,
        }

    def bad(self, part: str, error: str) -> Invalid:
        """The refusal of a part of it, with the line of that part or of the nearest one around it."""
        while part and part not in self.lines:
            part = part[: max(part.rfind("."), part.rfind("["), 0)]
        return bad(self.file, self.lines.get(part, self.line), error)


def bad(file: str, line: int, error: str) -> Invalid:
    """A file that cannot be used, with the line."""
    return Invalid("base_file", file=file, line=line, error=error)


def values_of(change: Change, scope: str = "") -> dict[str, Any]:
    """A change in force in the form of `Given.values`; `scope` as there."""
    days = {name: day.isoformat() for name in DAYS if (day := getattr(change, name)) is not None}
    where = {"scope": scope} if scope else {}
    return {**days, "basis": change.basis, **where, "content": change.content}


def written(found: Iterable[tuple[Change, str]]) -> str:
    """The file of these changes, each with its scope."""
    rows = [{"subject": change.subject, **values_of(change, scope)} for change, scope in found]
    return yaml.dump({"changes": rows}, allow_unicode=True, sort_keys=False, width=200)


def read(path: Path) -> list[Given]:
    """The changes of a file, each subject once; raises `Invalid("base_file")` with file and line."""
    try:
        loader = _LOADER(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        loaded: Any = loader.construct_document(root) if root else {}
        lines: dict[str, int] = {}
        _note(root, "", lines)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        raise bad(path.name, mark.line + 1 if mark else 1, said) from error
    except (ValueError, RecursionError) as error:  # no text, no day, or nested without end
        raise bad(path.name, 1, str(error)) from error
    if not isinstance(loaded, dict) or not isinstance(loaded.get("changes"), list):
        raise bad(path.name, 1, "changes?")
    found: dict[str, Given] = {}
    for place, row in enumerate(loaded["changes"]):
        given = _given(path.name, row, f"changes[{place}]", lines)
        if given.subject in found:
            raise bad(path.name, given.line, f"{given.subject}: {path.name}:{found[given.subject].line}")
        found[given.subject] = given
    return list(found.values())


def _given(file: str, row: Any, where: str, lines: Mapping[str, int]) -> Given:
    line = lines[where]
    own = {part.removeprefix(f"{where}."): at for part, at in lines.items() if part.startswith(f"{where}.")}
    if not isinstance(row, dict):
        raise bad(file, line, "subject, basis, content?")
    for name in row:
        if name not in _FIELDS:
            raise bad(file, own.get(str(name), line), f"{name}?")
    for name in ("subject", "basis", "reason", "scope"):
        if not isinstance(row.get(name, ""), str) or (name in ("subject", "basis") and not row.get(name)):
            raise bad(file, own.get(name, line), f"{name}?")
    if not isinstance(row.get("content"), dict):
        raise bad(file, own.get("content", line), "content?")
    days: dict[str, date | None] = {}
    for name in DAYS:
        days[name] = _day(row.get(name))
        if name in row and days[name] is None:
            raise bad(file, own.get(name, line), f"{name}: {row[name]!r}"[:80])
    return Given(
        file=file, line=line, subject=row["subject"], basis=row["basis"], reason=row.get("reason", ""),
        scope=row.get("scope", ""), **days, content=_plain(row["content"]), lines=own,
    )  # fmt: skip


def _day(value: Any) -> date | None:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value)
    except (ValueError, TypeError):
        return None


def _plain(value: Any) -> Any:
    """JSON values: a day that somebody wrote without quotes is the text of it."""
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _note(node: yaml.Node | None, where: str, lines: dict[str, int]) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            part = f"{where}.{key.value}" if where else str(key.value)
            lines[part] = key.start_mark.line + 1
            _note(value, part, lines)
    elif isinstance(node, yaml.SequenceNode):
        for place, item in enumerate(node.value):
            lines[f"{where}[{place}]"] = item.start_mark.line + 1
            _note(item, f"{where}[{place}]", lines)
