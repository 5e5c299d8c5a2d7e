"""The region's rules as they are in force: the pack of the files with the district's signed changes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import elections, lint, packs
from knowledge.eligibility import BadRow, adapted
from knowledge.packs import RulePack
from office import changes, units
from office.changes import Change, ChangeKind
from office.hours import beijing_day
from office.staff import Staff
from office.units import Unit

DEFAULT = "shanghai"
CONTACTS = "contacts"
"""The subject's second part where it is no row but the directory."""
_FIELDS = ("name", "says", "office", "phone", "hours", "address")
_NEEDED = ("name", "office", "phone")

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RegionContact:
    """Who answers for a neighbouring place; `says` are the words by which people name it."""

    name: str
    says: tuple[str, ...]
    office: str
    phone: str
    hours: str
    address: str


async def region(session: AsyncSession, now: datetime) -> str:
    """The id of the pack that the calendar in force names; Shanghai's without one."""
    election = await elections.in_force(session, beijing_day(now))
    return election.region if election is not None else DEFAULT


async def in_force(session: AsyncSession, *, now: datetime, pack_id: str | None = None) -> RulePack:
    """The pack of the calendar in force, with the signed changes of the day laid over its rows.

    A change that no longer fits the pack's file is left out and logged. Raises `KeyError` for a pack that
    does not exist.
    """
    pack = packs.load(pack_id or await region(session, now))
    signed = await changes.subjects_in_force(session, ChangeKind.RULES, f"{pack.id}:", beijing_day(now))
    for change in signed:
        row = change.subject.partition(":")[2]
        if row == CONTACTS:
            continue
        try:
            pack = adapted(pack, {row: change.content}, {row: change.number})
        except BadRow as fault:
            log.warning("change %s of %s is left out: %s", change.id, change.subject, fault.field)
    return pack


async def propose_row(
    session: AsyncSession,
    pack_id: str,
    row: str,
    content: Mapping[str, Any],
    *,
    basis: str,
    scope: Unit,
    actor: Staff,
    now: datetime,
    effective_from: date | None = None,
    effective_until: date | None = None,
    review_on: date | None = None,
) -> Change:
    """Propose other wording for a row of a pack; a second person signs it (`office.changes.sign`).

    Raises `KeyError` for an unknown pack, `BadRow` naming the field, and what `changes.propose` raises.
    """
    adapted(packs.load(pack_id), {row: content})
    return await changes.propose(
        session, ChangeKind.RULES, f"{pack_id}:{row}", content, basis=basis, scope=scope, actor=actor,
        now=now, effective_from=effective_from, effective_until=effective_until, review_on=review_on,
    )  # fmt: skip


async def propose_contacts(
    session: AsyncSession,
    pack_id: str,
    directory: Sequence[Mapping[str, Any]],
    *,
    basis: str,
    scope: Unit,
    actor: Staff,
    now: datetime,
    review_on: date | None = None,
) -> Change:
    """Propose the whole directory of neighbouring offices in place of the one in force.

    Raises `KeyError` for an unknown pack, `BadRow` naming the field, and what `changes.propose` raises.
    """
    packs.load(pack_id)
    read = directory_of(directory)
    return await changes.propose(
        session, ChangeKind.RULES, f"{pack_id}:{CONTACTS}", {"contacts": [_content(each) for each in read]},
        basis=basis, scope=scope, actor=actor, now=now, review_on=review_on,
    )  # fmt: skip


async def install_contacts(
    session: AsyncSession, directory: Sequence[Mapping[str, Any]], *, basis: str, now: datetime
) -> Change:
    """Put the first directory in force, from the installation's own files; raises `BadRow`, `Conflict`."""
    subject = f"{await region(session, now)}:{CONTACTS}"
    content = {"contacts": [_content(each) for each in directory_of(directory)]}
    scope = await units.election_office(session)
    return await changes.install(
        session, ChangeKind.RULES, subject, content, basis=basis, scope=scope, now=now
    )


async def contacts(
    session: AsyncSession, now: datetime, pack_id: str | None = None
) -> tuple[RegionContact, ...]:
    """The directory of neighbouring offices in force; empty while the office has entered none."""
    subject = f"{pack_id or await region(session, now)}:{CONTACTS}"
    change = await changes.in_force(session, ChangeKind.RULES, subject, beijing_day(now))
    return directory_of(change.content["contacts"]) if change is not None else ()


def directory_of(rows: Sequence[Mapping[str, Any]]) -> tuple[RegionContact, ...]:
    """A directory read from the rows of its content; raises `BadRow` naming the field."""
    found: list[RegionContact] = []
    taken: set[str] = set()
    for place, row in enumerate(rows):
        field = f"contacts[{place}]"
        if not isinstance(row, Mapping) or set(row) != set(_FIELDS):
            raise BadRow("contact_fields", field=field)
        if not isinstance(row["says"], list | tuple):
            raise BadRow("pack_no_list", field=f"{field}.says")
        texts = {name: str(row[name]).strip() for name in _FIELDS if name != "says"}
        says = tuple(str(word).strip() for word in row["says"] if str(word).strip())
        for name, text in texts.items():
            if not text and name in _NEEDED:
                raise BadRow("pack_no_text", field=f"{field}.{name}")
            for problem in lint.in_texts([text], variables=()):
                raise BadRow(problem.key, field=f"{field}.{name}", **problem.facts)
        if not says or taken & set(says):
            raise BadRow("contact_says", field=f"{field}.says", name=texts["name"])
        taken |= set(says)
        found.append(RegionContact(says=says, **texts))
    return tuple(found)


def _content(contact: RegionContact) -> dict[str, Any]:
    return {name: list(contact.says) if name == "says" else getattr(contact, name) for name in _FIELDS}
