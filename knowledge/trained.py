"""The matcher's models as they are kept: made here, tried, put in force in every process, and brought back.

The model in force is named by the row that counts the changes of the base, so that one small query tells a
process of both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import JSON, String, Text, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.entries import BASE_TOPIC
from knowledge.model import Model
from knowledge.versions import BaseState
from office import audit
from office.audit import Actor
from office.errors import Conflict, NotFound
from office.store import Base, ring_after_commit, word


class ModelState(StrEnum):
    """Where one model stands."""

    CANDIDATE = auto()
    ACTIVE = auto()
    REPLACED = auto()
    REFUSED = auto()


S = ModelState
TRANSITIONS: Mapping[ModelState, frozenset[ModelState]] = {
    S.CANDIDATE: frozenset({S.ACTIVE, S.REFUSED}),
    S.ACTIVE: frozenset({S.REPLACED}),
    S.REPLACED: frozenset({S.ACTIVE}),
    S.REFUSED: frozenset({S.ACTIVE}),
}


class MatcherModel(Base):
    """What one training brought forth; never changed afterwards but in its state.

    `trained_on` lists the published versions it saw, `lessons` how many labelled pairs there were;
    `figures` holds what the golden questions said of it beside the model then in force.
    """

    __tablename__ = "matcher_model"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    made_at: Mapped[datetime]
    base_revision: Mapped[int]
    lessons: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    trained_on: Mapped[list[int]] = mapped_column(JSON)
    figures: Mapped[dict[str, Any]]
    state: Mapped[ModelState] = mapped_column(word(ModelState), default=S.CANDIDATE, index=True)
    activated_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so


async def keep(
    session: AsyncSession,
    model: Model,
    *,
    base_revision: int,
    trained_on: Sequence[int],
    lessons: int,
    figures: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> MatcherModel:
    """Write a freshly trained model down as a candidate; nobody is answered by it yet."""
    row = MatcherModel(
        made_at=now,
        base_revision=base_revision,
        lessons=lessons,
        digest=model.digest,
        body=model.as_json(),
        trained_on=list(trained_on),
        figures=dict(figures),
        state=S.CANDIDATE,
    )
    session.add(row)
    await session.flush()
    await audit.record(
        session, "matcher_model.make", f"matcher_model:{row.id}", actor=actor, now=now,
        digest=row.digest, lessons=lessons,
    )  # fmt: skip
    return row


async def get(session: AsyncSession, model_id: int) -> MatcherModel:
    """The model with this number; raises `NotFound`."""
    row = await session.get(MatcherModel, model_id)
    if row is None:
        raise NotFound("model_unknown")
    return row


async def listed(session: AsyncSession, limit: int = 20) -> list[MatcherModel]:
    """The newest models, newest first."""
    return list(
        (await session.scalars(select(MatcherModel).order_by(MatcherModel.id.desc()).limit(limit))).all()
    )


async def in_force(session: AsyncSession) -> MatcherModel | None:
    """The model that answers now; None while it is the shipped one."""
    return await session.scalar(select(MatcherModel).join(BaseState, BaseState.model_id == MatcherModel.id))


async def refuse(
    session: AsyncSession, row: MatcherModel, faults: Sequence[str], *, actor: Actor, now: datetime
) -> None:
    """Put a candidate aside; `faults` name the limits of the golden questions that it breaks."""
    await audit.move(
        session, row, S.REFUSED, by="refuse", table=TRANSITIONS, actor=actor, now=now, faults=list(faults)
    )


async def activate(session: AsyncSession, row: MatcherModel | None, *, actor: Actor, now: datetime) -> None:
    """Put a model in force in every process, with the next question; None stands for the shipped one.

    Raises `Conflict("model_in_force")` if it is already, `Conflict("stale_card")` if another one was put in
    force meanwhile, `ValueError` if its body cannot be read here.
    """
    old = await in_force(session)
    if row is old:
        raise Conflict("model_in_force")
    if row is not None:
        Model.from_json(row.body)
        row.activated_at = now
        await audit.move(
            session, row, S.ACTIVE, by="activate", table=TRANSITIONS, actor=actor, now=now, digest=row.digest
        )
    if old is not None:
        await audit.move(session, old, S.REPLACED, by="replace", table=TRANSITIONS, actor=actor, now=now)
    before, after = (found.id if found else None for found in (old, row))
    # The revision grows as well: so an older look at the row is told from a newer one.
    result = await session.execute(
        update(BaseState)
        .where(BaseState.model_id.is_not_distinct_from(before))
        .values(model_id=after, revision=BaseState.revision + 1)
    )
    if not result.rowcount:  # type: ignore[attr-defined]
        raise Conflict("stale_card")
    ring_after_commit(session, BASE_TOPIC)
