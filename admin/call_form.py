"""The form of a call: what stands in its fields, and the call it makes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml

from admin import call_likely
from admin.pages import Desk
from office import staff, units, work_groups
from office.contacts import Channel
from office.errors import Invalid, NotPermitted
from office.staff import Permission
from office.units import Unit, contains
from ticketing import call_drafts, call_log, calls, ledgers
from ticketing.calls import CHOICES, LIMITS, Call
from ticketing.particulars import AskerKind, LedgerKind
from ticketing.records import UnansweredReason

Word = TypeVar("Word", bound=StrEnum)
TEXTS: Final = ("words", "asker_name", "phone", *LIMITS)
CHOSEN: Final = ("channel", "unit_id", "ledger", "urgent", "why", "group", *CHOICES)
CONTINUES: Final = "continues"
"""The id of the form whose draft this one goes on with."""
FIELDS: Final = (*TEXTS, *CHOSEN, "event_id", CONTINUES, "started")
"""What a draft keeps."""
LONGEST_CALL: Final = timedelta(hours=12)
REASONS: Final = Path(__file__).parent.parent / "data" / "failure_reasons.yaml"
# What one officer mostly goes on with, from one call to the next.
_REMEMBERED: Final = ("post", "asker_kind")
# Fields that are folded away until one of them holds something.
_FOLDED: Final = (
    "voter_kind", "electoral_district", "group_no", "station", "ledger", "nature", "residence_case",
    "platform_module", "symptom", "failure_reason", "relayed_from", "relayed_no", "secrecy", "note", "urgent",
)  # fmt: skip


async def context(desk: Desk, typed: Mapping[str, str]) -> dict[str, Any]:
    """Everything the form shows, with what is typed in its fields already."""
    within = await _units(desk)
    depth = min((unit.path.count(".") for unit in within), default=0)
    unit = _unit(typed.get("unit_id", ""), within) or within[0]
    asker = _choice(AskerKind, typed.get("asker_kind", ""))
    groups = [group.name for group in await work_groups.listed(desk.session)]
    named = dict.fromkeys((*groups, *(ledgers.group_by_ledger(kind) for kind in LedgerKind)))
    may_see = desk.may(Permission.SEE_ENTRIES)
    likely = await call_likely.context(desk, unit, asker) if may_see else call_likely.NOTHING
    return {
        "v": {name: typed.get(name, "") for name in FIELDS} | {"unit_id": str(unit.id)},
        "units": [(unit.id, "　" * (unit.path.count(".") - depth) + unit.name) for unit in within],
        "channels": [(channel.value, desk.t(f"channel.{channel}")) for channel in calls.CHANNELS],
        "reasons": [(why.value, desk.t(f"ticket.why.{why}")) for why in UnansweredReason],
        "groups": [("", desk.t("calls.group_auto")), *((name, name) for name in named)],
        "ledgers": [("", desk.t("calls.ledger_auto")), *_options(desk, "ledger", LedgerKind)],
        "choices": {
            name: [("", desk.t("calls.unsaid")), *_options(desk, name, kind)]
            for name, kind in CHOICES.items()
        },
        "failure_reasons": failure_reasons(),
        "limits": {**LIMITS, "words": calls.LONGEST_WORDS, "asker_name": calls.LONGEST_NAME},
        "more_open": any(typed.get(name, "").strip() for name in _FOLDED),
        **likely,
    }


async def begun(desk: Desk) -> tuple[dict[str, str], bool]:
    """What a newly opened form holds, and whether it is a call that was not finished.

    A form that is begun anew takes over the unit, the post and the kind of asker from the person's last call.
    """
    kept = await call_drafts.of(desk.session, desk.person, sealer=desk.services.sealer, now=desk.now)
    if any(kept.get(name, "").strip() for name in TEXTS if name != "post"):
        # An id of its own: the other window may be open still, and what it sends then is another call.
        return {**fresh(), **kept, "event_id": _new_id(), CONTINUES: kept.get("event_id", "")}, True
    before = await call_log.last(desk.session, desk.person)
    if before is None:
        return fresh(), False
    remembered = {name: str(before.particulars.get(name, "")) for name in _REMEMBERED}
    return fresh() | remembered | {"unit_id": str(before.unit_id or "")}, False


def fresh() -> dict[str, str]:
    """A form that nobody has touched: an id of its own, by phone, from a voter."""
    return {
        "event_id": _new_id(),
        "channel": Channel.PHONE.value,
        "asker_kind": AskerKind.VOTER.value,
        "why": UnansweredReason.NO_ENTRY.value,
    }


def _new_id() -> str:
    return secrets.token_urlsafe(12)


def typed(desk: Desk) -> dict[str, str]:
    """The fields of the posted form that a draft keeps."""
    return {name: desk.form.text(name) for name in FIELDS if desk.form.text(name).strip()}


async def call(desk: Desk, topic: str = "") -> Call:
    """The posted form as a call; raises `Invalid` for what no form of ours sends."""
    form = desk.form
    event_id = form.text("event_id")
    if not 8 <= len(event_id) <= 40 or not event_id.isascii():
        raise Invalid("form_broken")
    channel = form.text("channel")
    if channel not in {member.value for member in calls.CHANNELS}:
        raise Invalid("form_broken")
    given: dict[str, Any] = {name: choice(desk, name, kind) for name, kind in CHOICES.items()}
    given |= {name: form.text(name) for name in TEXTS}
    return Call(
        unit=await unit_of(desk), event_id=event_id, channel=Channel(channel), ended_at=desk.now, topic=topic,
        started_at=started(form.text("started"), desk.now), caller=call_likely.caller(desk),
        urgent=form.text("urgent") == "1", ledger=choice(desk, "ledger", LedgerKind),
        **given,
    )  # fmt: skip


async def unit_of(desk: Desk) -> Unit:
    """The unit the form names; raises `Invalid` without one, `NotPermitted` outside the person's reach."""
    desk.form.number("unit_id")
    found = _unit(desk.form.text("unit_id"), await _units(desk))
    if found is None:
        raise NotPermitted("not_permitted")
    return found


def choice(desk: Desk, name: str, kind: type[Word]) -> Word | None:
    """The member chosen in a field, None for 不填; raises `Invalid` for a word that is none."""
    text = desk.form.text(name)
    if text and text not in tuple(kind):
        raise Invalid("form_broken")
    return _choice(kind, text)


def started(text: str, now: datetime) -> datetime | None:
    """When the call began, as our own page noted it; nothing for anything else."""
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        return None
    return at if now - LONGEST_CALL < at <= now else None


@cache
def failure_reasons() -> tuple[str, ...]:
    """The usual reasons why the platform refuses a record, to choose from."""
    return tuple(yaml.safe_load(REASONS.read_text(encoding="utf-8")))


def _choice(kind: type[Word], text: str) -> Word | None:
    return kind(text) if text in tuple(kind) else None


def _options(desk: Desk, name: str, kind: type[StrEnum]) -> list[tuple[str, str]]:
    return [(member.value, desk.t(f"calls.{name}.{member}")) for member in kind]


async def _units(desk: Desk) -> list[Unit]:
    """The units for which this person may write something down: the own one and those below."""
    path = await staff.reach(desk.session, desk.person)
    return [unit for unit in await units.all_units(desk.session) if contains(path, unit.path)]


def _unit(text: str, among: list[Unit]) -> Unit | None:
    return next((unit for unit in among if str(unit.id) == text), None)
