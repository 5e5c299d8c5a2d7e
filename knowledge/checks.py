"""The check before a publication as it is kept: what the golden questions said, and who let it pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum, auto
from typing import Any

from sqlalchemy import ForeignKey, String, Text, column, select, table
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.model import SHIPPED
from knowledge.versions import BaseState, Entry, EntryVersion, revision
from office import audit, redact
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Permission, Staff, must, second_person
from office.store import Base, word
from office.units import Unit

LONGEST_REASON = 1000
SHORTEST_REASON = 10
"""Characters without spaces; fewer say nothing to the second person."""
# Named here without its class: the module of the models stands above the steps of entries, which need this.
_MODELS = table("matcher_model", column("id"), column("digest"))


class CheckState(StrEnum):
    """What may come of a check."""

    PASSED = auto()
    BLOCKED = auto()
    ASKED = auto()
    OVERRIDDEN = auto()


S = CheckState
TRANSITIONS: Mapping[CheckState, frozenset[CheckState]] = {
    S.PASSED: frozenset(),
    S.BLOCKED: frozenset({S.ASKED}),
    S.ASKED: frozenset({S.OVERRIDDEN}),
    S.OVERRIDDEN: frozenset(),
}
OPENING = frozenset({S.PASSED, S.OVERRIDDEN})


class PublicationCheck(Base):
    """One replay of the golden questions for one wording of a version against one state of the base.

    `seen` is the version count that was checked, `questions` names the set of questions asked. `figures` and
    `changes` are what `replay.Comparison` gives; sealed questions are in the counts only.
    """

    __tablename__ = "publication_check"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(default=1)
    version_id: Mapped[int] = mapped_column(ForeignKey("entry_version.id"), index=True)
    seen: Mapped[int]
    base_revision: Mapped[int]
    model_digest: Mapped[str] = mapped_column(String(64))
    questions: Mapped[str] = mapped_column(String(64))
    figures: Mapped[dict[str, Any]]
    changes: Mapped[list[dict[str, Any]]]
    state: Mapped[CheckState] = mapped_column(word(CheckState))
    made_by_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    made_at: Mapped[datetime]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    reason: Mapped[str] = mapped_column(Text, default="")
    overridden_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    overridden_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012  SQLAlchemy reads it so

    def summary(self) -> dict[str, Any]:
        """What the audit keeps: the counts that were judged, before and after."""
        kept = ("right", "offered", "wrong", "astray")
        before, after = self.figures["before"], self.figures["after"]
        told: dict[str, Any] = {name: f"{before[name]} → {after[name]}" for name in kept}
        broken = {"faults": ", ".join(self.figures["faults"])} if self.figures["faults"] else {}
        return {"check": self.id, "asked": after["asked"], **told, **broken}


async def model_digest(session: AsyncSession) -> str:
    """The digest of the matcher's model in force."""
    made: str | None = await session.scalar(
        select(_MODELS.c.digest).join(BaseState, BaseState.model_id == _MODELS.c.id)
    )
    return made or SHIPPED.digest


async def latest(session: AsyncSession, version: EntryVersion) -> PublicationCheck | None:
    """The newest check of a version, whatever it was made for."""
    return await session.scalar(
        select(PublicationCheck)
        .where(PublicationCheck.version_id == version.id)
        .order_by(PublicationCheck.id.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


async def holds(
    session: AsyncSession, check: PublicationCheck | None, version: EntryVersion, after: int = 0
) -> bool:
    """Whether a check was made for exactly this wording, this state of the base and this model.

    `after`: so many versions that were checked against the same base were published just before.
    """
    return (
        check is not None
        and check.version_id == version.id
        and check.seen == version.version
        and check.base_revision + after == await revision(session)
        and check.model_digest == await model_digest(session)
    )


async def demand(session: AsyncSession, version: EntryVersion, after: int = 0) -> PublicationCheck:
    """The check that allows the version to be published now.

    Raises `Conflict("check_needed")` without one that holds, `Invalid("check_blocked")` if it speaks against
    the publication and no second person has overridden it. `after` as in `holds`.
    """
    check = await latest(session, version)
    if check is None or not await holds(session, check, version, after):
        raise Conflict("check_needed")
    if check.state not in OPENING:
        raise Invalid("check_blocked")
    return check


async def ask_override(
    session: AsyncSession, version: EntryVersion, reason: str, *, actor: Staff, now: datetime
) -> PublicationCheck:
    """Ask a second person to let a blocked version pass, and say why.

    Raises `NotPermitted` for the author and whoever may not publish, `Invalid("override_reason")` for a
    reason of less than `SHORTEST_REASON` characters, `Conflict` if there is no blocked check that holds.
    """
    await may_publish(session, version, actor=actor, now=now)
    written = redact.text(reason.strip()[:LONGEST_REASON]).text
    if len("".join(written.split())) < SHORTEST_REASON:
        raise Invalid("override_reason")
    check = await _standing(session, version)
    check.asked_by_id, check.reason = actor.id, written
    await _move(session, check, S.ASKED, by="ask_override", actor=actor, now=now, reason=written)
    return check


async def override(
    session: AsyncSession, version: EntryVersion, *, actor: Staff, now: datetime
) -> PublicationCheck:
    """The second person lets a blocked version pass: neither its author nor who asked for it.

    Raises `NotPermitted`, `Conflict` if nobody asked or the base has changed since.
    """
    await may_publish(session, version, actor=actor, now=now)
    check = await _standing(session, version)
    await may_override(session, check, actor=actor, now=now)
    check.overridden_by_id, check.overridden_at = actor.id, now
    await _move(session, check, S.OVERRIDDEN, by="override", actor=actor, now=now, reason=check.reason)
    return check


async def may_override(
    session: AsyncSession, check: PublicationCheck, *, actor: Staff, now: datetime
) -> None:
    """Raise `NotPermitted` unless `actor` is a second person to whoever asked.

    `override_own` for the asker, `asker_too_new` for an account that the asker has just opened.
    """
    if check.asked_by_id == actor.id:
        raise NotPermitted("override_own")
    try:
        await second_person(session, actor, check.asked_by_id, now=now)
    except NotPermitted as refusal:
        # The words for the rule speak of the author, who is somebody else here.
        raise NotPermitted("asker_too_new") from refusal


async def may_publish(session: AsyncSession, version: EntryVersion, *, actor: Staff, now: datetime) -> None:
    """Raise `NotPermitted` unless `actor` publishes for the version's scope and did not write it."""
    unit = await session.get_one(Unit, version.scope_unit_id)
    await must(session, actor, Permission.PUBLISH_ENTRIES, unit.path)
    await second_person(session, actor, version.author_id, now=now)


async def _standing(session: AsyncSession, version: EntryVersion) -> PublicationCheck:
    check = await latest(session, version)
    if check is None or not await holds(session, check, version):
        raise Conflict("check_needed")
    await session.refresh(check, with_for_update=True)
    return check


async def _move(
    session: AsyncSession, check: PublicationCheck, to: CheckState, *, by: str, actor: Staff, now: datetime,
    reason: str,
) -> None:  # fmt: skip
    version = await session.get_one(EntryVersion, check.version_id)
    entry = await session.get_one(Entry, version.entry_id)
    await audit.move(
        session, check, to, by=by, table=TRANSITIONS, actor=actor.as_actor(), now=now,
        entry_no=entry.entry_no, number=version.number, reason=reason, **check.summary(),
    )  # fmt: skip


async def titles(session: AsyncSession, numbers: Collection[str]) -> dict[str, str]:
    """The questions of entries by their numbers, as published or else as last written."""
    found: dict[str, str] = {}
    wanted = sorted(numbers)
    for start in range(0, len(wanted), 500):
        rows = await session.execute(
            select(Entry.entry_no, Entry.published_id, EntryVersion.id, EntryVersion.question)
            .join(EntryVersion, EntryVersion.entry_id == Entry.id)
            .where(Entry.entry_no.in_(wanted[start : start + 500]))
            .order_by(EntryVersion.number)
        )
        for number, published_id, version_id, question in rows:
            if published_id in (None, version_id):
                found[number] = question
    return found
