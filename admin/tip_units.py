"""The tree of units that a work tip may be addressed to, with the groups that each would reach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from admin.pages import Desk
from office import staff, units
from office.staff import Staff
from office.units import Unit, UnitKind, contains
from ticketing import tip_targets


async def offered(session: AsyncSession, person: Staff) -> list[Unit]:
    """The units within the person's reach, in the order of the tree."""
    reach = await staff.reach(session, person)
    return [unit for unit in await units.all_units(session) if contains(reach, unit.path)]


async def tree(desk: Desk, chosen: frozenset[int]) -> dict[str, Any]:
    """What the form shows: the branches, how many are chosen, and the buttons that choose many at once."""
    found = await offered(desk.session, desk.person)
    whole = await tip_targets.preview(desk.session, [unit.id for unit in found], now=desk.now)
    groups = {target.unit.id: sum(group.reached for group in target.groups) for target in whole.units}
    addressed = await tip_targets.preview(desk.session, chosen, now=desk.now)
    kinds = [kind for kind in UnitKind if any(unit.kind is kind for unit in found)]
    return {
        "units": _branches(found, groups, chosen),
        "chosen": len(chosen & {unit.id for unit in found}),
        "groups": addressed.reached,
        "choices": [
            ("all", desk.t("tips.choose_all")),
            *((kind.value, desk.t("tips.choose_kind", kind=desk.t(f"tips.kind_{kind}"))) for kind in kinds),
            ("none", desk.t("tips.choose_none")),
        ],
    }


def _branches(
    found: Sequence[Unit], groups: Mapping[int, int], chosen: frozenset[int]
) -> list[dict[str, Any]]:
    """The units as a tree: `inside` and `chosen_inside` count what lies below a branch."""
    roots: list[dict[str, Any]] = []
    above: list[tuple[str, dict[str, Any]]] = []
    for unit in found:
        node: dict[str, Any] = {
            "id": unit.id, "name": unit.name, "groups": groups.get(unit.id, 0), "branches": [],
            "chosen": unit.id in chosen, "inside": 0, "chosen_inside": 0,
        }  # fmt: skip
        while above and not contains(above[-1][0], unit.path):
            above.pop()
        for _, one in above:
            one["inside"] += 1
            one["chosen_inside"] += node["chosen"]
        (above[-1][1]["branches"] if above else roots).append(node)
        above.append((unit.path, node))
    return roots
