"""Which part of the queue an address asks for: read once, for the list, for saved views and for exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl, urlencode

from admin import forms
from admin.pages import Desk
from office import staff, units
from office.units import Unit, contains
from office.words import CHINESE, say
from ticketing import numbers
from ticketing.filters import ALL_STATES, Filter
from ticketing.particulars import LedgerKind
from ticketing.records import TicketKind, TicketState

S = TicketState
VIEWS: dict[str, Filter] = {
    "open": Filter(),
    "mine": Filter(mine=True),
    "today": Filter(due_today=True),
    "overdue": Filter(overdue=True),
    "review": Filter(states=(S.IN_REVIEW,)),
    "held": Filter(states=(S.ON_HOLD,)),
    "hold_wanted": Filter(hold_wanted=True),
    "flagged": Filter(flagged=True),
    "free": Filter(states=(S.UNASSIGNED,)),
    "undisposed": Filter(undisposed=True),
    "call_back": Filter(states=ALL_STATES, call_back=True),
    "answered": Filter(states=(S.ANSWERED, S.CLOSED)),
    "all": Filter(states=ALL_STATES),
}
LONGEST_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an address asks for, all of it in the reader's reach; `within` are the units to choose from."""

    view: str
    within: Sequence[Unit]
    unit: Unit | None = None
    search: str = ""
    group: str = ""
    ledger: LedgerKind | None = None
    kind: TicketKind | None = None
    cluster_id: int | None = None
    tip_id: int | None = None
    first_day: date | None = None
    last_day: date | None = None

    def filter(self, view: str = "") -> Filter:
        """The filter; with `view` the same one for another view. A whole number is looked for everywhere."""
        named = VIEWS[view or self.view]
        if numbers.parse_ticket_no(self.search):
            named = VIEWS["all"]
        return replace(
            named,
            unit_path=self.unit.path if self.unit else "",
            search=self.search,
            group=self.group,
            ledger=self.ledger,
            kind=self.kind,
            cluster_id=self.cluster_id,
            tip_id=self.tip_id,
            first_day=self.first_day,
            last_day=self.last_day,
        )

    @property
    def fields(self) -> dict[str, str]:
        """The fields of the address that ask for this, without the view."""
        found = {
            "unit": str(self.unit.id) if self.unit else "",
            "q": self.search,
            "group": self.group,
            "ledger": self.ledger.value if self.ledger else "",
            "kind": self.kind.value if self.kind else "",
            "cluster": str(self.cluster_id) if self.cluster_id else "",
            "tip": str(self.tip_id) if self.tip_id else "",
            "from": self.first_day.isoformat() if self.first_day else "",
            "to": self.last_day.isoformat() if self.last_day else "",
        }
        return {name: value for name, value in found.items() if value}

    def query(self, view: str = "", **more: str) -> str:
        """What follows the address of the queue, `?…`, or nothing."""
        chosen = view or self.view
        told = {"view": chosen if chosen != "open" else "", **self.fields, **more}
        kept = {name: value for name, value in told.items() if value}
        return f"?{urlencode(kept)}" if kept else ""

    def codes(self) -> dict[str, Any]:
        """The filter as an audit may keep it: codes and numbers, of typed words only that there were some."""
        found: dict[str, Any] = {"view": self.view, **self.fields}
        if found.pop("q", ""):
            found["searched"] = True
        return found

    def notes(self, language: str = CHINESE) -> tuple[str, ...]:
        """The filter in words: for the head of a paper always in Chinese, for a page in its language."""
        parts = [say(f"queue.view_{self.view}", language)]
        if self.unit:
            parts.append(self.unit.name)
        if self.group:
            parts.append(self.group)
        if self.ledger:
            parts.append(say(f"record.ledger.{self.ledger.value}", language))
        if self.kind:
            parts.append(say(f"ticket.kind.{self.kind.value}", language))
        if self.cluster_id:
            parts.append(say("record.label.cluster", language))
        if self.tip_id:
            parts.append(say("tipboard.of_tip", language))
        if self.first_day or self.last_day:
            first, last = (day.isoformat() if day else "" for day in (self.first_day, self.last_day))
            parts.append(f"{first}–{last}")
        if self.search:
            parts.append(say("export.searched", language, words=self.search))
        return (say("export.filters", language, filters=" · ".join(parts)),)


async def read(desk: Desk, asked: Mapping[str, str]) -> Chosen:
    """What the fields of an address ask for; what cannot be read or reached counts as not asked."""
    reach = await staff.reach(desk.session, desk.person)
    within = [unit for unit in await units.all_units(desk.session) if contains(reach, unit.path)]
    days = (_day(asked.get("from", "")), _day(asked.get("to", "")))
    if days[0] and days[1] and days[0] > days[1]:
        days = (days[1], days[0])
    return Chosen(
        view=asked.get("view", "") if asked.get("view") in VIEWS else "open",
        within=within,
        unit=next((unit for unit in within if str(unit.id) == asked.get("unit", "")), None),
        search=" ".join(forms.clean(asked.get("q", ""))[:LONGEST_SEARCH].split()),
        group=forms.clean(asked.get("group", ""))[:20].strip(),
        ledger=next((one for one in LedgerKind if one.value == asked.get("ledger")), None),
        kind=next((one for one in TicketKind if one.value == asked.get("kind")), None),
        cluster_id=_number(asked.get("cluster", "")),
        tip_id=_number(asked.get("tip", "")),
        first_day=days[0],
        last_day=days[1],
    )


async def read_query(desk: Desk, query: str) -> Chosen:
    """The same from a whole query string, as a form or a saved view keeps it."""
    try:
        pairs = parse_qsl(query.lstrip("?"), max_num_fields=20)
    except ValueError:
        pairs = []
    return await read(desk, dict(pairs))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
