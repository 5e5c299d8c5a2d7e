"""What one version of an entry says otherwise than the one before, field by field. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from knowledge.versions import Content

SHORTEST_COMMON = 2
"""Fewer common characters between two changes make them harder to read, not easier."""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text that stayed (`same`), came (`added`) or went (`removed`)."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """A field that differs. `lines`: its parts are whole lines, to be shown below each other."""

    field: str
    parts: tuple[Part, ...]
    lines: bool = False


TEXTS = ("question", "short", "full")
LISTS = ("phrasings", "aliases", "steps", "documents", "basis")
CHOICES = (
    "topic",
    "audience",
    "level",
    "group",
    "confirmed",
    "scope_unit_id",
    "review_on",
    "effective_from",
    "effective_until",
)


def between(old: Content, new: Content, shown: Callable[[str, object], str]) -> list[Change]:
    """The fields in which two contents differ; `shown` words the value of a choice."""
    found: list[Change] = []
    for name in TEXTS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            found.append(Change(name, tuple(of_text(before, after))))
    for name in LISTS:
        before, after = as_lines(old, name), as_lines(new, name)
        if before != after:
            found.append(Change(name, tuple(of_lines(before, after)), lines=True))
    for name in CHOICES:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            parts = (Part("removed", shown(name, before)), Part("added", shown(name, after)))
            found.append(Change(name, tuple(part for part in parts if part.text)))
    return found


def as_lines(content: Content, name: str) -> list[str]:
    """A list field one line each; a citation as `law | article`, the way it is edited."""
    if name == "basis":
        return [" | ".join(part for part in (c["law"], c.get("article", "")) if part) for c in content.basis]
    return list(getattr(content, name))


def of_text(before: str, after: str) -> list[Part]:
    """Two texts character by character, with scattered matches joined into one change."""
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    parts: list[Part] = []
    gone, came = "", ""

    def flush() -> None:
        nonlocal gone, came
        parts.extend(Part(kind, text) for kind, text in (("removed", gone), ("added", came)) if text)
        gone, came = "", ""

    for tag, a, b, c, d in matcher.get_opcodes():
        inside = a > 0 and b < len(before)
        if tag == "equal" and (b - a >= SHORTEST_COMMON or not (gone or came) or not inside):
            flush()
            parts.append(Part("same", before[a:b]))
        else:
            gone, came = gone + before[a:b], came + after[c:d]
    flush()
    return parts


def of_lines(before: Sequence[str], after: Sequence[str]) -> list[Part]:
    """Two lists line by line."""
    parts: list[Part] = []
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            parts.extend(Part("same", line) for line in before[a:b])
            continue
        parts.extend(Part("removed", line) for line in before[a:b])
        parts.extend(Part("added", line) for line in after[c:d])
    return parts
