"""The form of a work tip: what stands in its fields, as typed and as it is meant. Times are Beijing time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from admin import forms
from admin.forms import Form
from knowledge.tip_drafts import MOST_ATTACHMENTS, MOST_PRINTED
from knowledge.tips import Tip, TipHead, TipSecrecy, TipType
from office.errors import Invalid
from office.hours import BEIJING

# A district has some hundreds of units, each a box of its own; and a Chinese character is sent as nine bytes,
# so that five full parts with twenty attachments take more than other forms may.
read_form = partial(forms.read, most_fields=3000, largest=2 * 1024 * 1024)

PARTS = ("origin", "wording", "steps", "contact_lines")
TEXTS = ("title", "addressed_to", *PARTS, "basis", "scope", "document_no", "copied_to")
MOMENTS = ("effective_from", "effective_until", "receipt_due", "send_at")
KINDS: Mapping[str, type[StrEnum]] = {"type": TipType, "secrecy": TipSecrecy, "head": TipHead}
# A slip of the finger in the year; the very first and last years cannot even be told in another time zone.
YEARS = range(2000, 2100)
_NUMBER = re.compile(r"[0-9]{1,9}")


def typed(form: Form) -> dict[str, Any]:
    """What stands in the fields, unjudged, to be shown again as it was."""
    titles, texts = form.all("attach_title"), form.all("attach_text")
    return {
        **{name: form.text(name) for name in (*TEXTS, *MOMENTS, *KINDS, "print_run", "meeting")},
        "attachments": [{"title": a, "text": b} for a, b in zip(titles, texts, strict=False)],
        "receipt_wanted": form.text("receipt_wanted") == "1",
        "targets": _numbers(form.all("targets")),
        "entries": _numbers(form.all("entries")),
        "supersedes": form.text("supersedes"),
    }


def written(tip: Tip) -> dict[str, Any]:
    """What a drafter has written as the texts of the form's fields."""
    return {
        **{name: getattr(tip, name) for name in TEXTS},
        **{name: local(getattr(tip, name)) for name in MOMENTS},
        **{name: getattr(tip, name).value for name in KINDS},
        "print_run": str(tip.print_run or ""),
        "meeting": tip.meeting or "",
        "attachments": [{"title": a.get("title", ""), "text": a.get("text", "")} for a in tip.attachments],
        "receipt_wanted": tip.receipt_wanted,
        "targets": frozenset(tip.targets or ()),
        "entries": frozenset(tip.entries or ()),
        "supersedes": str(tip.supersedes_id or ""),
    }


def meant(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the fields say, by the names of `knowledge.tips.Tip`; attachments without a word are left out.

    `found`: as `typed` gives them.

    Raises `Invalid("tip_moment")` for a time that cannot be read, `Invalid("tip_print_run")`,
    `Invalid("tip_attachments")` for too many, `Invalid("form_broken")` for what no page of ours offers.
    """
    for name, kind in KINDS.items():
        if found[name] not in tuple(kind):
            raise Invalid("form_broken")
    rows = [
        {"title": " ".join(row["title"].split()), "text": row["text"].strip()} for row in found["attachments"]
    ]
    rows = [row for row in rows if row["title"] or row["text"]]
    if len(rows) > MOST_ATTACHMENTS:
        raise Invalid("tip_attachments", most=MOST_ATTACHMENTS)
    if found["supersedes"] and not _NUMBER.fullmatch(found["supersedes"]):
        raise Invalid("form_broken")
    return {
        **{name: found[name] for name in TEXTS},
        **{name: kind(found[name]) for name, kind in KINDS.items()},
        **{name: moment(found[name]) for name in MOMENTS},
        "print_run": _copies(found["print_run"]),
        "attachments": tuple(rows),
        "receipt_wanted": found["receipt_wanted"],
        "supersedes_id": int(found["supersedes"]) if found["supersedes"] else None,
    }


def moment(text: str) -> datetime | None:
    """The moment that a field for day and time holds, None for an empty one; raises `Invalid("tip_moment")`.

    A browser without such a field sends what was typed: 2026-11-20 10:05 is understood as well.
    """
    text = text.strip()
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Invalid("tip_moment", text=text[:30]) from error
    if found.year not in YEARS:
        raise Invalid("tip_moment", text=text[:30])
    return found.replace(tzinfo=BEIJING) if found.tzinfo is None else found


def local(at: datetime | None) -> str:
    """A moment as the value of a field for day and time."""
    return f"{at.astimezone(BEIJING):%Y-%m-%dT%H:%M}" if at else ""


def rearranged(form: Form, units: Iterable[tuple[int, str]]) -> dict[str, Any] | None:
    """The fields after a button that only arranges the form, None if another was pressed.

    Rows of attachments come and go, and many units are chosen at once, without anything being saved.
    `units`: row number and kind of those on offer.
    """
    then, found = form.text("then"), typed(form)
    act, _, what = then.partition(":")
    if act == "attach" and what == "more":
        found["attachments"] = [*found["attachments"], {"title": "", "text": ""}][: MOST_ATTACHMENTS + 1]
    elif act == "attach" and _NUMBER.fullmatch(what):
        found["attachments"] = [row for n, row in enumerate(found["attachments"]) if n != int(what)]
    elif act == "choose":
        chosen = {number for number, kind in units if what in ("all", kind)}
        found["targets"] = frozenset() if what == "none" else found["targets"] | chosen
    else:
        return None
    return found


def _copies(text: str) -> int:
    text = text.strip() or "0"
    if not _NUMBER.fullmatch(text) or int(text) > MOST_PRINTED:
        raise Invalid("tip_print_run", most=MOST_PRINTED)
    return int(text)


def _numbers(values: Iterable[str]) -> frozenset[int]:
    return frozenset(int(value) for value in values if _NUMBER.fullmatch(value))
