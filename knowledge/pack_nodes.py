"""A YAML file read node by node, so that every fault can be told with its line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from office import words
from office.errors import Invalid

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadPack(Invalid):
    """A pack that cannot be used: the file, the line and what is wrong there."""

    def __init__(self, name: str, line: int, key: str, /, **facts: Any) -> None:
        super().__init__(key, **facts)
        self.name = name
        self.line = line

    @property
    def where(self) -> str:
        return f"{self.name}:{self.line}"

    def said(self, language: str = words.CHINESE) -> str:
        """`shanghai.yaml:12: …` in words."""
        return f"{self.where}: {words.say(self.key, language, **self.facts)}"

    def __str__(self) -> str:
        return self.said()


class Spot:
    """A node of the file with the name of the file: read as what it should be, or refused with its line.

    Scalars are texts as they stand there: neither `no` nor a date means anything but its letters.
    """

    def __init__(self, name: str, node: Node) -> None:
        self._name = name
        self._node = node

    @classmethod
    def whole(cls, text: str, name: str) -> Spot:
        """The file's outermost node; raises `BadPack` if the text is no YAML, or empty."""
        try:
            node = yaml.compose(text, Loader=_LOADER)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise BadPack(
                name, mark.line + 1 if mark else 1, "pack_yaml", error=error.problem or ""
            ) from error
        except yaml.YAMLError as error:
            raise BadPack(name, 1, "pack_yaml", error=str(error)) from error
        if node is None:
            raise BadPack(name, 1, "pack_empty")
        return cls(name, node)

    @property
    def line(self) -> int:
        return int(self._node.start_mark.line) + 1

    def bad(self, key: str, /, **facts: Any) -> BadPack:
        """The refusal of what stands here."""
        return BadPack(self._name, self.line, key, **facts)

    def pairs(self) -> Iterator[tuple[Spot, Spot]]:
        """Keys and values of a mapping; raises `BadPack` for a key that stands twice."""
        if not isinstance(self._node, MappingNode):
            raise self.bad("pack_no_mapping")
        seen = set()
        for key, value in self._node.value:
            spot = Spot(self._name, key)
            if spot.text() in seen:
                raise spot.bad("pack_twice", word=spot.text())
            seen.add(spot.text())
            yield spot, Spot(self._name, value)

    def fields(self, needed: Iterable[str], optional: Iterable[str] = ()) -> dict[str, Spot]:
        """A mapping with these keys and no other ones."""
        needed, known = tuple(needed), {*needed, *optional}
        found = {}
        for key, value in self.pairs():
            if key.text() not in known:
                raise key.bad("pack_field_unknown", word=key.text())
            found[key.text()] = value
        for word in needed:
            if word not in found:
                raise self.bad("pack_field_missing", word=word)
        return found

    def items(self) -> list[Spot]:
        """The items of a list."""
        if not isinstance(self._node, SequenceNode):
            raise self.bad("pack_no_list")
        return [Spot(self._name, node) for node in self._node.value]

    def one_or_more(self) -> list[Spot]:
        """The items of a list, or what stands here as the only one."""
        return self.items() if isinstance(self._node, SequenceNode) else [self]

    def text(self) -> str:
        """The letters of a scalar."""
        if not isinstance(self._node, ScalarNode):
            raise self.bad("pack_no_text")
        return str(self._node.value)

    def wording(self) -> str:
        """A text that says something."""
        if not self.text().strip():
            raise self.bad("pack_no_text")
        return self.text()

    def number(self) -> int:
        try:
            return int(self.text())
        except ValueError:
            raise self.bad("pack_no_number", word=self.text()) from None

    def flag(self) -> bool:
        if self.text() not in ("true", "false"):
            raise self.bad("pack_no_flag", word=self.text())
        return self.text() == "true"

    def day(self) -> date:
        try:
            return date.fromisoformat(self.text())
        except ValueError:
            raise self.bad("pack_no_day", word=self.text()) from None
