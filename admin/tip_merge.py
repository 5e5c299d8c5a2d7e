"""Two people writing one work tip: what a colleague saved meanwhile, and what is taken of it. Pure.

The form carries, field by field, a digest of what it began from. So it is known which fields this person
changed: only those are written. A field that both changed is taken from neither before somebody has chosen.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from admin import tip_form
from admin.forms import Form
from office.errors import Invalid

LABELS: Mapping[str, str] = {
    "title": "tips.name",
    "type": "tips.type",
    "addressed_to": "tips.addressed_to",
    "meeting": "tips.meeting",
    "origin": "tips.part_origin",
    "wording": "tips.part_wording",
    "steps": "tips.part_steps",
    "contact_lines": "tips.part_contact",
    "basis": "tips.basis",
    "attachments": "tips.attachments",
    "entries": "tips.entries",
    "supersedes": "tips.supersedes",
    "targets": "tips.targets",
    "effective_from": "tips.effective_from",
    "effective_until": "tips.effective_until",
    "send_at": "tips.send_at",
    "receipt_wanted": "tips.receipt",
    "receipt_due": "tips.receipt_due",
    "scope": "tips.scope",
    "secrecy": "tips.secrecy",
    "head": "tips.head",
    "document_no": "tips.document_no",
    "copied_to": "tips.copied_to",
    "print_run": "tips.print_run",
}
"""The fields of the form, in its order, with the wording of their names."""

MINE, THEIRS = "mine", "theirs"
_MARK = re.compile(r"([a-z_]+):([0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Began:
    """What a form says of where it began: `marks` by field, what is still `open`, what was `chosen`."""

    marks: Mapping[str, str]
    open: tuple[str, ...] = ()
    chosen: Mapping[str, str] | None = None

    @property
    def unsettled(self) -> tuple[str, ...]:
        """Fields that both changed and for which nothing was chosen yet."""
        return tuple(name for name in self.open if name not in (self.chosen or {}))


@dataclass(frozen=True, slots=True)
class Merge:
    """The form after a colleague's save: its values, what was taken over, what has to be chosen."""

    values: dict[str, Any]
    adopted: tuple[str, ...]
    open: tuple[str, ...]


def marks(values: Mapping[str, Any]) -> dict[str, str]:
    """The digest of each field of a form; `values` as `tip_form.typed` and `tip_form.written` give them."""
    return {name: _digest(name, values[name]) for name in LABELS}


def spelled(found: Mapping[str, str]) -> str:
    """Marks as a hidden field holds them."""
    return " ".join(f"{name}:{mark}" for name, mark in found.items())


def began(form: Form) -> Began:
    """What a posted form says of where it began; what no page of ours wrote is left out."""
    known = [(name, mark) for name, mark in _MARK.findall(form.text("was")) if name in LABELS]
    chosen = {name: form.text(f"take_{name}") for name in LABELS}
    return Began(
        dict(known),
        tuple(name for name in form.text("open").split() if name in LABELS),
        {name: what for name, what in chosen.items() if what in (MINE, THEIRS)},
    )


def merged(typed: Mapping[str, Any], theirs: Mapping[str, Any], start: Began) -> Merge:
    """What stands in the form after a colleague's save.

    A field that this person left as it was takes the colleague's words; so does one for which these were
    chosen.
    """
    values, adopted, still_open = dict(typed), [], []
    mine_now, theirs_now = marks(typed), marks(theirs)
    for name in LABELS:
        if mine_now[name] == theirs_now[name]:
            continue
        before = start.marks.get(name)
        given_up = (start.chosen or {}).get(name) == THEIRS
        if name not in start.unsettled and (given_up or mine_now[name] == before):
            values[name] = theirs[name]
            adopted.append(name)
        elif name in start.unsettled or theirs_now[name] != before:
            still_open.append(name)
    return Merge(values, tuple(adopted), tuple(still_open))


def settled(typed: Mapping[str, Any], theirs: Mapping[str, Any], start: Began) -> dict[str, Any]:
    """What is to be saved: the typed fields, and the colleague's where theirs were chosen.

    Raises `Invalid("tip_choose")` while a field that both changed waits for a choice.
    """
    if start.unsettled:
        raise Invalid("tip_choose", n=len(start.unsettled))
    given_up = [name for name in start.open if (start.chosen or {}).get(name) == THEIRS]
    return dict(typed) | {name: theirs[name] for name in given_up}


def _digest(name: str, value: Any) -> str:
    plain = json.dumps(_plain(name, value), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()[:12]


def _plain(name: str, value: Any) -> Any:
    """A value without what saving takes away: spaces around it, empty rows, another way to write a time."""
    if name in tip_form.MOMENTS:
        try:
            return tip_form.local(tip_form.moment(value))
        except Invalid:
            return value
    if name == "attachments":
        rows = [(" ".join(row["title"].split()), row["text"].strip()) for row in value]
        return [row for row in rows if any(row)]
    if isinstance(value, Collection) and not isinstance(value, str):
        return sorted(value)
    if not isinstance(value, str):
        return value
    if name in ("title", "addressed_to", "scope", "copied_to", "meeting"):
        return " ".join(value.split())
    return value.strip().lstrip("0") if name == "print_run" else value.strip()
