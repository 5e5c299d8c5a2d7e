"""Searching tickets by what stands in them, as fast among a hundred thousand as among a thousand.

Each text is known by its pairs of neighbouring characters. A search begins with the rarest pair of the words
typed and compares the texts only of the tickets that have all pairs, the newest first. Portable: a table and
its key, where SQLite and PostgreSQL each have an index of their own kind for this.
"""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, delete, event, func, insert, or_, select
from sqlalchemy import inspect as inspected
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, Mapper, aliased, mapped_column

from office.store import Base
from ticketing.records import Ticket

MOST_TERMS: Final = 6
MOST_PAIRS: Final = 8
"""More pairs of one search are not asked for: the texts themselves are compared in any case."""
TOGETHER: Final = 500
_COUNTED: Final = 2_000
_WITHOUT_PAIRS: Final = 4
_PLANE: Final = 0x110000


class TicketGram(Base):
    """A pair of characters that stands in a ticket's words or answer; gone when these are.

    Without a foreign key: a hundred looks at the ticket for each one that is opened would be its price.
    """

    __tablename__ = "ticket_gram"
    __table_args__ = ({"sqlite_with_rowid": False},)

    gram: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def grams(text: str) -> set[int]:
    """The pairs of neighbouring characters, each as one number; small and capital letters are the same."""
    lowered = text.lower()
    pairs = itertools.pairwise(lowered)
    return {ord(a) * _PLANE + ord(b) for a, b in pairs if not (a.isspace() or b.isspace())}


def terms(search: str) -> tuple[str, ...]:
    """The words of a search, apart by spaces; each must stand in a ticket."""
    return tuple(dict.fromkeys(search.lower().split()))[:MOST_TERMS]


def holds(wanted: Sequence[str]) -> ColumnElement[bool]:
    """The condition that every word stands in the question or in the answer."""
    return and_(
        *(
            or_(
                func.lower(Ticket.words).contains(term, autoescape=True),
                func.lower(Ticket.answer_text).contains(term, autoescape=True),
            )
            for term in wanted
        )
    )


async def candidates(session: AsyncSession, wanted: Sequence[str]) -> AsyncIterator[Sequence[int]]:
    """Row numbers of tickets with all pairs of these words, the newest first, some hundred at a time.

    Words of a single character have no pair: then the newest tickets are looked through, and no others.
    """
    pairs = sorted({gram for term in wanted for gram in grams(term)})[:MOST_PAIRS]
    if pairs:
        pairs = await _rarest_first(session, pairs)
    before: int | None = None
    for _ in itertools.count() if pairs else range(_WITHOUT_PAIRS):
        found = await _next(session, pairs, before)
        if found:
            yield found
        if len(found) < TOGETHER:
            return
        before = found[-1]


async def _rarest_first(session: AsyncSession, pairs: list[int]) -> list[int]:
    # Counted only as far as it matters which one is the rarest.
    counts = [
        select(func.count())
        .select_from(select(TicketGram.ticket_id).where(TicketGram.gram == gram).limit(_COUNTED).subquery())
        .scalar_subquery()
        for gram in pairs
    ]
    row = (await session.execute(select(*counts))).one()
    return [gram for _, gram in sorted(zip(row, pairs, strict=True))]


async def _next(session: AsyncSession, pairs: Sequence[int], before: int | None) -> Sequence[int]:
    if not pairs:
        every = select(Ticket.id).order_by(Ticket.id.desc()).limit(TOGETHER)
        return (await session.scalars(every if before is None else every.where(Ticket.id < before))).all()
    rarest = aliased(TicketGram)
    statement = select(rarest.ticket_id).where(rarest.gram == pairs[0])
    for gram in pairs[1:]:
        other = aliased(TicketGram)
        same = select(other.ticket_id).where(other.gram == gram, other.ticket_id == rarest.ticket_id)
        statement = statement.where(same.correlate(rarest).exists())
    if before is not None:
        statement = statement.where(rarest.ticket_id < before)
    return (await session.scalars(statement.order_by(rarest.ticket_id.desc()).limit(TOGETHER))).all()


# --- kept up to date ----------------------------------------------------------------------------------------


@event.listens_for(Ticket, "after_insert")
def _written(mapper: Mapper[Any], connection: Connection, ticket: Ticket) -> None:
    # Beside the row itself, so that no way of opening or answering a ticket can forget it.
    _add(connection, ticket.id, grams(_text(ticket.words, ticket.answer_text)))


@event.listens_for(Ticket, "after_update")
def _changed(mapper: Mapper[Any], connection: Connection, ticket: Ticket) -> None:
    told = inspected(ticket).attrs
    histories = (told.words.history, told.answer_text.history)
    if not any(history.has_changes() for history in histories):
        return
    before = _text(*((history.deleted or history.unchanged or [""])[0] for history in histories))
    after = grams(_text(ticket.words, ticket.answer_text))
    known = all(history.deleted or history.unchanged for history in histories)
    _take(connection, ticket.id, grams(before) - after if known else None)
    _add(connection, ticket.id, after - grams(before) if known else after)


async def forget(session: AsyncSession, ticket_ids: Collection[int]) -> None:
    """Take the pairs of these tickets' words away, before a statement empties many words at once."""
    columns = select(Ticket.id, Ticket.words, Ticket.answer_text)
    for number, words, answer in (await session.execute(columns.where(Ticket.id.in_(ticket_ids)))).all():
        gone = sorted(grams(words) - grams(answer))
        if gone:
            own = (TicketGram.ticket_id == number, TicketGram.gram.in_(gone))
            await session.execute(delete(TicketGram).where(*own))


def _text(words: str | None, answer: str | None) -> str:
    # A line break between them, or their ends would make a pair that stands in neither.
    return f"{words or ''}\n{answer or ''}"


def _add(connection: Connection, ticket_id: int, found: Collection[int]) -> None:
    if found:
        rows = [{"gram": gram, "ticket_id": ticket_id} for gram in sorted(found)]
        connection.execute(insert(TicketGram), rows)


def _take(connection: Connection, ticket_id: int, gone: Collection[int] | None) -> None:
    own = TicketGram.ticket_id == ticket_id
    if gone is None:  # what stood there before was never loaded: all pairs go, and the present ones come
        connection.execute(delete(TicketGram).where(own))
    elif gone:
        connection.execute(delete(TicketGram).where(own, TicketGram.gram.in_(sorted(gone))))
