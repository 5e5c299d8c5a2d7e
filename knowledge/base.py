"""The base as reviewable files: one topic a file, loaded into an empty store and exported again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries, entry_files
from knowledge.entry_files import NO_CODES, plain
from knowledge.match import Source
from knowledge.versions import (
    Content,
    Entry,
    EntryVersion,
    Phrasing,
    content_of,
    topics,
)
from office import units
from office.units import Unit

FOLDER = Path(__file__).parent.parent / "data" / "entries"


def read(
    folder: Path, scope_unit_id: int, codes: Mapping[str, int] = NO_CODES
) -> Iterator[tuple[str, Content]]:
    """Numbers and contents of the entries in `folder`; see `entry_files.rows`."""
    for row in entry_files.rows(folder, scope_unit_id, codes):
        yield row.entry_no, row.content


def shipped() -> list[Source]:
    """The entries of the files in this repository as the matcher wants them, numbered in their order."""
    return [
        Source(
            entry_id=number,
            entry_no=entry_no,
            topic=content.topic,
            audience=content.audience.value,
            question=content.question,
            phrasings=content.phrasings,
            aliases=content.aliases,
        )
        for number, (entry_no, content) in enumerate(read(FOLDER, 0), start=1)
    ]


async def load(
    session: AsyncSession,
    folder: Path,
    scope: Unit,
    *,
    now: datetime,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Load and publish every entry of `folder` whose number is new; returns how many there were.

    `progress` is told how many of how many are done.
    """
    codes = {unit.code: unit.id for unit in await units.all_units(session)}
    pairs = list(read(folder, scope.id, codes))
    present = set((await session.scalars(select(Entry.entry_no))).all())
    done = 0
    for position, (entry_no, content) in enumerate(pairs, start=1):
        if entry_no not in present:
            await entries.install(session, entry_no, content, now=now)
            done += 1
        if progress:
            progress(position, len(pairs))
    return done


async def in_force(session: AsyncSession) -> dict[str, Content]:
    """What every published entry says, by number."""
    found = await session.execute(
        select(Entry, EntryVersion)
        .join(EntryVersion, EntryVersion.id == Entry.published_id)
        .order_by(Entry.entry_no)
    )
    return {entry.entry_no: await content_of(session, version) for entry, version in found.all()}


async def export(session: AsyncSession, folder: Path) -> int:
    """Write the published entries as files of the same form; returns how many entries were written.

    The scope is named where it is not the whole of the election office's district. Files of topics without
    entries are taken away, so that the folder reads as what is in force.
    """
    office = await units.election_office(session)
    codes = {unit.id: unit.code for unit in await units.all_units(session)}
    by_topic: dict[str, list[dict[str, Any]]] = {}
    contents = await in_force(session)
    for entry_no, content in contents.items():
        here = content.scope_unit_id
        scope = {} if here == office.id else {"scope": codes[here]}
        by_topic.setdefault(content.topic, []).append({"no": entry_no} | plain(content) | scope)
    _write(folder, by_topic)
    return len(contents)


def _write(folder: Path, by_topic: dict[str, list[dict[str, Any]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.yaml"):
        if path.stem in topics() and path.stem not in by_topic:
            path.unlink()
    for topic, listed in by_topic.items():
        text = yaml.dump({"topic": topic, "entries": listed}, allow_unicode=True, sort_keys=False, width=200)
        (folder / f"{topic}.yaml").write_text(text, encoding="utf-8")


async def sources(session: AsyncSession, *, since: int = -1) -> list[Source]:
    """Published entries changed after revision `since`, as the matcher wants them."""
    rows = (
        await session.execute(
            select(Entry, EntryVersion)
            .join(EntryVersion, EntryVersion.id == Entry.published_id)
            .where(Entry.revision > since)
            .order_by(Entry.id)
        )
    ).all()
    asked: dict[int, list[str]] = {}
    aliases: dict[int, list[str]] = {}
    ids = [version.id for _, version in rows]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        # As plain rows: an object for each of some fifteen thousand takes as long as half the index.
        for version_id, text, exact in await session.execute(
            select(Phrasing.version_id, Phrasing.text, Phrasing.exact)
            .where(Phrasing.version_id.in_(part))
            .order_by(Phrasing.id)
        ):
            (aliases if exact else asked).setdefault(version_id, []).append(text)
    return [
        Source(
            entry_id=entry.id,
            entry_no=entry.entry_no,
            topic=version.topic,
            audience=version.audience.value,
            question=version.question,
            phrasings=tuple(asked.get(version.id, ())),
            aliases=tuple(aliases.get(version.id, ())),
        )
        for entry, version in rows
    ]
