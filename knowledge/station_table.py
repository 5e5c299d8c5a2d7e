"""The stations in force as fields, and changes of many at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.station_files import FIELDS
from knowledge.station_rows import Fields, Key, key_of
from knowledge.stations import Station, StationKind, StationState, new_revision
from office import units
from office.errors import Conflict
from office.units import Unit, group_key

_AT_ONCE: Final = 500
_COLUMNS: Final = tuple(name for name in FIELDS if name not in ("kind", "unit"))


@dataclass(frozen=True, slots=True)
class Standing:
    """A station in force: its row number, the path of its unit, and its fields as in a change's content."""

    id: int
    path: str
    fields: Fields
    hidden: bool
    hidden_why: str

    def kept(self) -> Fields:
        """The fields with what is put back beside them when a removal is undone."""
        return {**self.fields, "hidden": self.hidden, "hidden_why": self.hidden_why}


async def standing(session: AsyncSession, *, locked: bool = False) -> dict[Key, Standing]:
    """All stations, hidden ones too, by key. `locked`: nobody else changes them meanwhile."""
    if locked:
        await new_revision(session)
    rows = await session.execute(
        select(
            Station.id, Station.kind, Unit.code.label("unit"), Unit.path, Station.hidden, Station.hidden_why,
            Station.code.label("station_code"),
            *(getattr(Station, name) for name in _COLUMNS if name != "code"),
        ).join(Unit, Unit.id == Station.unit_id)
    )  # fmt: skip
    found: dict[Key, Standing] = {}
    for row in rows.mappings():
        fields: Fields = {name: row[name] for name in FIELDS if name not in ("kind", "code")}
        fields |= {"kind": row["kind"].value, "code": row["station_code"]}
        one = Standing(row["id"], row["path"], fields, row["hidden"], row["hidden_why"])
        found[key_of(fields)] = one
    return found


async def apply(
    session: AsyncSession, rows: Iterable[Mapping[str, Any]], there: Mapping[Key, Standing]
) -> dict[str, int]:
    """Write rows of a change whose `before` is what is there; returns how many of each kind.

    `there` comes from `standing(…, locked=True)` in this transaction. Raises `Conflict` if a unit is gone.
    """
    table = Station.__table__
    assert isinstance(table, Table)
    ids = {unit.code: unit.id for unit in await units.all_units(session)}
    revision = await session.scalar(select(StationState.revision))
    added: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    removed: list[int] = []
    for row in rows:
        known, after = there.get(key_of(row)), row["after"]
        if after is None:
            assert known is not None
            removed.append(known.id)
        elif after["unit"] not in ids:
            raise Conflict("stations_moved", codes=after["code"])
        else:
            values = _values(after, ids) | {"version": revision}
            if known is None:
                added.append(values | {name: after.get(name, value) for name, value in _SHOWN.items()})
            else:
                changed.append(
                    {f"new_{name}": value for name, value in values.items()} | {"row_id": known.id}
                )
    await session.flush()
    connection = await session.connection()
    for first in range(0, len(removed), _AT_ONCE):
        await connection.execute(delete(table).where(table.c.id.in_(removed[first : first + _AT_ONCE])))
    if changed:
        names = [name.removeprefix("new_") for name in changed[0] if name != "row_id"]
        statement = update(table).where(table.c.id == bindparam("row_id"))
        await connection.execute(statement.values({n: bindparam(f"new_{n}") for n in names}), changed)
    if added:
        await connection.execute(insert(table), added)
    return {"added": len(added), "changed": len(changed), "removed": len(removed)}


_SHOWN: Final = {"hidden": False, "hidden_why": ""}


def _values(fields: Mapping[str, Any], ids: Mapping[str, int]) -> dict[str, Any]:
    values = {name: fields[name] for name in _COLUMNS}
    return values | {"kind": StationKind(fields["kind"]), "unit_id": ids[fields["unit"]]}


def bare(fields: Mapping[str, Any] | None) -> Fields | None:
    """The fields without what a change keeps beside them."""
    return {name: fields[name] for name in FIELDS} if fields is not None else None


def moved(rows: Sequence[Mapping[str, Any]], there: Mapping[Key, Standing]) -> list[str]:
    """Codes of stations that are not what a change starts from, or that would contradict others."""
    found = []
    after = {key: known.fields for key, known in there.items()}
    for row in rows:
        key = key_of(row)
        known = there.get(key)
        if (known.fields if known else None) != bare(row["before"]):
            found.append(row["code"])
        after.pop(key, None)
        if row["after"] is not None:
            after[key] = row["after"]
    serving: dict[Key, str] = {}
    for fields in after.values():
        for group in fields["groups"]:
            if serving.setdefault((fields["kind"], group_key(group)), fields["code"]) != fields["code"]:
                found.append(fields["code"])
    return found
