"""The restricted store: texts of confidential cases, sealed, and what may be shown in their place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import ForeignKey, LargeBinary, String, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from office import letter_box
from office.errors import Conflict
from office.seal import Sealer
from office.staff import Staff
from office.store import Base
from ticketing.particulars import Secrecy
from ticketing.records import PostKind, Ticket, TicketKind, UnansweredReason

HIDDEN: Final = "（线下办理）"
"""What stands wherever a text of a confidential case stood."""
WORDS = Path(__file__).parent.parent / "data" / "restricted_words.yaml"


class RestrictedText(Base):
    """What a ticket said before it was taken offline, sealed as JSON; `slot` takes in what comes later.

    The key of the letter box stands in the sealed JSON, so whoever may read the one may read the other.
    """

    __tablename__ = "restricted_text"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    slot: Mapped[bytes] = mapped_column(LargeBinary(32))
    moved_at: Mapped[datetime]
    moved_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))


class RestrictedLine(Base):
    """A line of the thread that came after the ticket was taken offline, put into its letter box."""

    __tablename__ = "restricted_line"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]


class RestrictedReader(Base):
    """Who is on the list of those who may open one restricted text."""

    __tablename__ = "restricted_reader"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), primary_key=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    added_at: Mapped[datetime]


class RestrictedOpening(Base):
    """One opening of a restricted text; `break_glass` by somebody not on the list, reviewed afterwards."""

    __tablename__ = "restricted_opening"

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(String(300))
    break_glass: Mapped[bool] = mapped_column(default=False)
    at: Mapped[datetime]
    reviewed_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reviewed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a confidential case as its readers see it. `who` is a staff number, None for the asker."""

    at: datetime
    kind: str
    who: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Restricted:
    """A confidential case in clear: for memory and one page, never for a row.

    `parts` is what each taking offline moved in, oldest first: texts by the name of their field.
    """

    parts: tuple[Mapping[str, Any], ...]
    later: tuple[Line, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """What the asker had written, as it stood in the tickets."""
        return tuple(part["words"] for part in self.parts if part.get("words"))


async def append(
    session: AsyncSession,
    ticket: Ticket,
    text: str,
    *,
    kind: PostKind,
    now: datetime,
    staff: Staff | None = None,
) -> str:
    """What may stand in the thread for a new line: the line itself, or `HIDDEN` for a confidential case.

    The line of such a case goes into the restricted store; every line of a thread passes here.
    """
    if ticket.offline_owner_id is None or text in ("", HIDDEN):
        return text
    # One that was joined to the case before has no box of its own.
    own = (ticket.id, ticket.merged_into_id or ticket.id)
    boxes = select(RestrictedText.ticket_id, RestrictedText.slot).where(RestrictedText.ticket_id.in_(own))
    box = (await session.execute(boxes)).first()
    if box is None:
        return text
    line = {"kind": kind.value, "who": staff.id if staff else None, "text": text}
    letter = letter_box.put_in(box.slot, json.dumps(line, ensure_ascii=False))
    session.add(RestrictedLine(ticket_id=box.ticket_id, sealed=letter, at=now))
    await session.flush()
    return HIDDEN


async def keep(
    session: AsyncSession,
    ticket: Ticket,
    part: Mapping[str, Any],
    *,
    sealer: Sealer,
    actor: Staff,
    now: datetime,
) -> None:
    """Seal what a ticket says; of one that was offline before, beside what was sealed then."""
    row = await session.get(RestrictedText, ticket.id, with_for_update=True)
    if row is None:
        key, slot = letter_box.new()
        sealed = _sealed(sealer, key, [part])
        session.add(
            RestrictedText(ticket_id=ticket.id, sealed=sealed, slot=slot, moved_at=now, moved_by_id=actor.id)
        )
    else:
        key, parts = _opened(sealer, row.sealed)
        row.sealed = _sealed(sealer, key, [*parts, part])
        row.moved_at, row.moved_by_id = now, actor.id
    await session.flush()


async def read(session: AsyncSession, ticket: Ticket, *, sealer: Sealer) -> Restricted | None:
    """A case in clear, None for a ticket that never was offline.

    Asks for nobody's permission: for `ticketing.openings`, which does, and for comparing by machine. Raises
    `Conflict("seal_broken")`.
    """
    row = await session.get(RestrictedText, ticket.id)
    if row is None:
        return None
    key, parts = _opened(sealer, row.sealed)
    lines = await session.scalars(
        select(RestrictedLine).where(RestrictedLine.ticket_id == ticket.id).order_by(RestrictedLine.id)
    )
    later = [(line.at, json.loads(letter_box.take_out(key, line.sealed))) for line in lines]
    return Restricted(
        tuple(parts), tuple(Line(at, told["kind"], told["who"], told["text"]) for at, told in later)
    )


def _sealed(sealer: Sealer, key: bytes, parts: list[Mapping[str, Any]]) -> bytes:
    content = json.dumps({"key": key.hex(), "parts": parts}, ensure_ascii=False)
    return sealer.seal_bytes(content.encode())


def _opened(sealer: Sealer, sealed: bytes) -> tuple[bytes, list[Mapping[str, Any]]]:
    content = json.loads(sealer.open_bytes(sealed))
    return bytes.fromhex(content["key"]), content["parts"]


def must_be_open(ticket: Ticket) -> None:
    """Raise `Conflict("offline_only")` for a ticket that is or was confidential.

    Whatever would write words of it into a row that others read has to ask first.
    """
    if ticket.offline_owner_id is not None:
        raise Conflict("offline_only")


def flagged(ticket: Ticket) -> bool:
    """Whether somebody, or the desk itself when it was opened, wants the leader to decide on 线下."""
    return ticket.secrecy is Secrecy.RESTRICTED


def by_default(kind: TicketKind, why: UnansweredReason, words: str) -> Secrecy:
    """The secrecy a ticket begins with: reports and what concerns a person's rights or health are flagged."""
    if kind is TicketKind.REPORT or why is UnansweredReason.RESTRICTED or _delicate(words):
        return Secrecy.RESTRICTED
    return Secrecy.PUBLIC


def _delicate(words: str) -> bool:
    rules = _rules()
    if rules["alone"].search(words):
        return True
    return bool(rules["of_a_person"].search(words) and rules["person"].search(words))


@cache
def _rules() -> Mapping[str, re.Pattern[str]]:
    data: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    listed = {name: "|".join(data[name]) for name in ("alone", "of_a_person")}
    return {
        name: re.compile(text, re.IGNORECASE) for name, text in {**listed, "person": data["person"]}.items()
    }
