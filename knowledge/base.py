"""The base as reviewable files: one topic a file, loaded into an empty store and exported again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import entries
from knowledge.match import Source
from knowledge.versions import Audience, Content, Entry, EntryLevel, EntryVersion, Phrasing, content_of
from office import units
from office.errors import Invalid
from office.units import Unit

NO_CODES: Mapping[str, int] = MappingProxyType({})
FOLDER = Path(__file__).parent.parent / "data" / "entries"


def read(
    folder: Path, scope_unit_id: int, codes: Mapping[str, int] = NO_CODES
) -> Iterator[tuple[str, Content]]:
    """Entry numbers and contents of every file in `folder`, in the order of their numbers.

    An entry holds for the unit whose code it names, found in `codes`, else for `scope_unit_id`.
    Raises `Invalid("base_file")` naming the file if one cannot be read as entries.
    """
    found: list[tuple[str, Content]] = []
    for path in sorted(folder.glob("*.yaml")):
        try:
            loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
            for row in loaded["entries"]:
                unit_id = codes[row["scope"]] if "scope" in row else scope_unit_id
                found.append((row["no"], _content(loaded["topic"], row, unit_id)))
        except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
            raise Invalid("base_file", file=path.name, error=str(error)) from error
    yield from sorted(found, key=lambda pair: pair[0])


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


async def export(session: AsyncSession, folder: Path) -> int:
    """Write the published entries as files of the same form; returns how many entries were written.

    The scope is named where it is not the whole of the election office's district.
    """
    office = await units.election_office(session)
    rows = (
        await session.execute(
            select(Entry, EntryVersion, Unit)
            .join(EntryVersion, EntryVersion.id == Entry.published_id)
            .join(Unit, Unit.id == EntryVersion.scope_unit_id)
            .order_by(Entry.entry_no)
        )
    ).all()
    by_topic: dict[str, list[dict[str, Any]]] = {}
    for entry, version, unit in rows:
        content = await content_of(session, version)
        scope = {} if unit.id == office.id else {"scope": unit.code}
        by_topic.setdefault(content.topic, []).append(_row(entry.entry_no, content) | scope)
    _write(folder, by_topic)
    return len(rows)


def _write(folder: Path, by_topic: dict[str, list[dict[str, Any]]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
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
    texts: dict[int, list[Phrasing]] = {}
    ids = [version.id for _, version in rows]
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        for row in await session.scalars(
            select(Phrasing).where(Phrasing.version_id.in_(part)).order_by(Phrasing.id)
        ):
            texts.setdefault(row.version_id, []).append(row)
    return [
        Source(
            entry_id=entry.id,
            entry_no=entry.entry_no,
            topic=version.topic,
            audience=version.audience.value,
            question=version.question,
            phrasings=tuple(row.text for row in texts.get(version.id, []) if not row.exact),
            aliases=tuple(row.text for row in texts.get(version.id, []) if row.exact),
        )
        for entry, version in rows
    ]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _content(topic: str, row: dict[str, Any], scope_unit_id: int) -> Content:
    return Content(
        topic=topic,
        question=row["question"],
        phrasings=tuple(row["phrasings"]),
        aliases=tuple(row.get("aliases") or ()),
        short=row["short"],
        full=row.get("full") or "",
        steps=tuple(row.get("steps") or ()),
        documents=tuple(row.get("documents") or ()),
        basis=tuple({"law": c["law"], "article": c.get("article") or ""} for c in row["basis"]),
        facts=tuple(row.get("facts") or ()),
        audience=Audience(row["audience"]),
        level=EntryLevel(row["level"]),
        confirmed=row["status"] == "confirmed",
        group=row.get("group", "登记组"),
        review_on=_day(row.get("review_on")),
        effective_from=_day(row.get("effective_from")),
        effective_until=_day(row.get("effective_until")),
        scope_unit_id=scope_unit_id,
    )


def _day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _row(entry_no: str, content: Content) -> dict[str, Any]:
    row: dict[str, Any] = {
        "no": entry_no,
        "question": content.question,
        "phrasings": list(content.phrasings),
        "aliases": list(content.aliases),
        "short": content.short,
        "full": content.full,
        "steps": list(content.steps),
        "documents": list(content.documents),
        "basis": [dict(citation) for citation in content.basis],
        "facts": list(content.facts),
        "audience": content.audience.value,
        "level": content.level.value,
        "status": "confirmed" if content.confirmed else "unconfirmed",
        "group": content.group,
        "review_on": content.review_on,
        "effective_from": content.effective_from,
        "effective_until": content.effective_until,
    }
    return {key: value for key, value in row.items() if value not in ([], "", None)}
