"""The timetable as a file: `data/hours.yaml` and what the console takes in and gives out.

What is written is read back the same, and what is read from such a file is written back byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from office import timetable
from office.timetable import Place, Timetable, TimetableFault

SHIPPED: Final = Path(__file__).parent.parent / "data" / "hours.yaml"
LARGEST: Final = 64 * 1024
"""Bytes of a file that is read; ten years of tables are a tenth of it."""
_DEEPEST: Final = 8


def read(data: bytes) -> tuple[Timetable, tuple[int, ...]]:
    """Read such a file: the timetable with its faults, and for each fault the line, counted from 1.

    A file that is no such file at all gives an empty timetable with one fault.
    """
    if len(data) > LARGEST:
        return _unread("file_large", 1, most=LARGEST // 1024)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return _unread("file_encoding", data.count(b"\n", 0, error.start) + 1)
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        loaded = loader.construct_document(root) if root else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return _unread("file_form", mark.line + 1 if mark else 1)
    except (yaml.YAMLError, RecursionError):
        return _unread("file_form", 1)
    lines: dict[tuple[str, ...], int] = {}
    twice = [
        (TimetableFault("name_twice", place, name=str(place[-1])), line)
        for place, line in _places(root, (), lines)
    ]
    found = timetable.read(loaded)
    faults = [*twice, *((fault, _line_of(fault.where, lines)) for fault in found.faults)]
    faults.sort(key=lambda both: both[1])
    kept = Timetable(found.weekly, found.years, found.shifts, tuple(fault for fault, _ in faults))
    return kept, tuple(line for _, line in faults)


def written(table: Timetable) -> str:
    """The file of a timetable, with the explanation that the shipped one begins with."""
    content = table.content()
    parts = ["weekly:"]
    parts += [f"  {day}: {_list(spans)}" for day, spans in content["weekly"].items()]
    if content["years"]:
        parts += ["", "years:"]
        for year, given in content["years"].items():
            parts += [f"  {year}:", f"    source: {_scalar(given['source'])}"]
            parts += ["    days:"] if given["days"] else []
            parts += [f"      - {{{_row(row)}}}" for row in given["days"]]
    if content.get("shifts"):
        parts += ["", "shifts:"]
        parts += [f"  {day}: {_list(spans)}" for day, spans in content["shifts"].items()]
    return _heading() + "\n".join(parts) + "\n"


@cache
def shipped() -> Timetable:
    """The timetable that came with the installation; a fault in it is raised."""
    found, _ = read(SHIPPED.read_bytes())
    if found.faults:
        raise found.faults[0]
    return found


@cache
def _heading() -> str:
    lines = SHIPPED.read_text(encoding="utf-8").splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.strip() and not line.startswith("#"))
    return "".join(lines[:first])


def _row(row: dict[str, Any]) -> str:
    shown = {
        name: _list(value) if name == "spans" else _scalar(value, flow=True) for name, value in row.items()
    }
    return ", ".join(f"{name}: {value}" for name, value in shown.items())


def _list(texts: list[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in texts) + "]"


def _scalar(text: str, *, flow: bool = False) -> str:
    # YAML itself knows best when a text needs quotes, and where: a comma does only within braces.
    shown = yaml.dump(
        [text] if flow else {"k": text},
        Dumper=_Dumper,
        default_flow_style=flow,
        allow_unicode=True,
        width=2**31,
    ).strip()
    return shown[1:-1] if flow else shown.removeprefix("k: ")


class _Dumper(yaml.SafeDumper):
    """Days are text here, and stand without quotes as in the shipped file."""


_Dumper.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


class _Loader(yaml.BaseLoader):
    """Every value stays text, and what could make a small file large in memory is refused."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(yaml.AliasEvent) or self.depth >= _DEEPEST:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "not of this form", mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


def _places(
    node: Node | None, where: tuple[str, ...], lines: dict[tuple[str, ...], int]
) -> Iterator[tuple[Place, int]]:
    """Note the line of every place under `node`; gives the places that are named twice."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else "?"
            place = (*where, name)
            line = key.start_mark.line + 1
            if place in lines:
                yield place, line
            lines[place] = line
            yield from _places(value, place, lines)
    elif isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            lines[*where, str(number)] = item.start_mark.line + 1
            yield from _places(item, (*where, str(number)), lines)


def _line_of(where: Place, lines: dict[tuple[str, ...], int]) -> int:
    names = tuple(map(str, where))
    return next((lines[names[:n]] for n in range(len(names), 0, -1) if names[:n] in lines), 1)


def _unread(key: str, line: int, **facts: Any) -> tuple[Timetable, tuple[int, ...]]:
    return Timetable({}, {}, {}, (TimetableFault(key, (), **facts),)), (line,)
