"""Files of labelled questions and of entries, one JSON object a line."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.outcomes import Source

OUT_OF_SCOPE = "none"
"""The topic of a question that no entry answers."""


class BadLine(ValueError):
    """A line of an input file cannot be used; the message names file, line and reason."""


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question; `also` are further topics whose entries answer it as well.

    `entry` is the entry that answers it best and `kind` how it is written, where the file says so.
    """

    q: str
    topic: str
    also: tuple[str, ...] = ()
    audience: str = "voter"
    entry: str = ""
    kind: str = ""

    @property
    def in_scope(self) -> bool:
        """Whether the base should know the answer."""
        return self.topic != OUT_OF_SCOPE


def read_questions(path: Path | str) -> list[Question]:
    """Labelled questions, one JSON object a line; blank lines are skipped. Raises BadLine, OSError."""
    questions = []
    for where, row in _rows(path):
        audience = row.get("audience", "voter")
        if audience not in ("voter", "staff"):
            raise BadLine(f"{where}: audience must be voter or staff, not {audience!r}")
        also = _strings(where, row, "also")
        q, topic = _string(where, row, "q"), _string(where, row, "topic")
        entry, kind = str(row.get("entry") or ""), str(row.get("kind") or "")
        questions.append(Question(q, topic, also, audience, entry, kind))
    return questions


def read_entries(path: Path | str) -> list[Source]:
    """Entries, one JSON object a line; `id` becomes the entry number, the line's place the id.

    Raises BadLine (also for an `id` that comes twice) and OSError.
    """
    sources: list[Source] = []
    known: set[str] = set()
    for where, row in _rows(path):
        number = _string(where, row, "id")
        if number in known:
            raise BadLine(f"{where}: id {number!r} comes twice")
        known.add(number)
        sources.append(
            Source(
                entry_id=len(sources) + 1,
                entry_no=number,
                topic=_string(where, row, "topic"),
                audience=str(row.get("audience", "voter")),
                question=_string(where, row, "question"),
                phrasings=_strings(where, row, "phrasings"),
                aliases=_strings(where, row, "aliases"),
            )
        )
    return sources


def _rows(path: Path | str) -> Iterator[tuple[str, dict[str, Any]]]:
    with open(path, "rb") as file:
        for number, raw in enumerate(file, start=1):
            if not raw.strip():
                continue
            where = f"{path}:{number}"
            try:
                row = json.loads(raw.decode("utf-8-sig"))
            except ValueError as error:
                raise BadLine(f"{where}: not JSON in UTF-8: {error}") from error
            if not isinstance(row, dict):
                raise BadLine(f"{where}: not a JSON object")
            yield where, row


def _string(where: str, row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise BadLine(f"{where}: {key!r} must be a text that is not empty")
    return value


def _strings(where: str, row: dict[str, Any], key: str) -> tuple[str, ...]:
    value = row.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadLine(f"{where}: {key!r} must be a list of texts")
    return tuple(value)
