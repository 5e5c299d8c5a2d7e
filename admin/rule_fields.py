"""A row of a pack, field by field: its texts as lines, and what two wordings of it say differently."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from admin.differences import Part, of_lines, of_text
from admin.pages import Desk
from knowledge.pack_parts import Leaf

FIELDS = ("answer", "answer_en", "steps", "steps_en", "bring", "bring_en", "basis", "ticket")
LISTS = frozenset({"steps", "steps_en", "bring", "bring_en", "basis"})
TRANSLATED = ("answer", "steps", "bring")
WORDS = ("leaf", *FIELDS)
MOSTLY_SAME = 0.5


def leaf_fields(leaf: Leaf) -> dict[str, Any]:
    """The fields of a row that may be worded otherwise: texts as lists of their lines, `ticket` as it is."""
    return {
        "answer": leaf.answer.splitlines(),
        "answer_en": leaf.answer_en.splitlines(),
        "steps": list(leaf.steps),
        "steps_en": list(leaf.steps_en),
        "bring": list(leaf.bring),
        "bring_en": list(leaf.bring_en),
        "basis": [citation.short for citation in leaf.basis],
        "ticket": leaf.ticket,
    }


def untranslated(desk: Desk, content: Mapping[str, Any]) -> list[dict[str, str]]:
    """A warning of the fields that a change words in Chinese only: English readers get the Chinese."""
    left = [name for name in TRANSLATED if name in content and not content.get(f"{name}_en")]
    if not left:
        return []
    fields = desk.t("list.comma").join(field_label(desk, name) for name in left)
    return [{"words": desk.t("packs.english_left", fields=fields), "tone": "warn"}]


def field_label(desk: Desk, name: str) -> str:
    """What a field is called."""
    return desk.t(f"packs.field_{name}") if name in WORDS else name


def between(desk: Desk, old: Leaf, new: Leaf) -> list[dict[str, Any]]:
    """The fields in which two wordings differ: what went is marked on one side, what came on the other."""
    before, after = leaf_fields(old), leaf_fields(new)
    rows = []
    if old.code != new.code:
        rows.append(row(field_label(desk, "leaf"), *sides([old.code], [new.code])))
    for name in FIELDS:
        if before[name] == after[name]:
            continue
        if name == "ticket":
            said = [
                [desk.t("packs.ticket" if value else "packs.answered")] for value in (old.ticket, new.ticket)
            ]
            rows.append(row(field_label(desk, name), *sides(*said)))
        elif name in LISTS:
            rows.append(row(field_label(desk, name), *sides(before[name], after[name])))
        else:
            rows.append(
                row(field_label(desk, name), *_texts("\n".join(before[name]), "\n".join(after[name])))
            )
    return rows


def row(
    label: str, before: list[dict[str, Any]], after: list[dict[str, Any]], note: str = ""
) -> dict[str, Any]:
    """A line of a table of differences."""
    return {"label": label, "note": note, "before": before, "after": after}


def sides(before: Sequence[str], after: Sequence[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two lists as two cells, each line on a line of its own."""
    return _split(of_lines(before, after), line=True)


def _texts(before: str, after: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    parts = of_text(before, after)
    kept = sum(len(part.text) for part in parts if part.kind == "same")
    # Two texts that share only single words are read one after the other, not woven into each other.
    if kept < MOSTLY_SAME * max(len(before), len(after)):
        parts = [Part(kind, text) for kind, text in (("removed", before), ("added", after)) if text]
    return _split(parts, line=False)


def _split(parts: Sequence[Part], *, line: bool) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    shown = [{"kind": part.kind, "text": part.text, "line": line} for part in parts]
    return (
        [part for part in shown if part["kind"] != "added"],
        [part for part in shown if part["kind"] != "removed"],
    )
