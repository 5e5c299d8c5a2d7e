"""Before a release: where a work tip will go and what will happen, in plain words."""

from __future__ import annotations

from collections import Counter
from typing import Any

from admin import times, tip_changes
from admin.pages import Desk
from admin.tip_preview import Links, receipt_due
from knowledge import tip_links, tip_moves, tip_words
from knowledge.tips import TipSecrecy, TipState, WorkTip
from office import staff, units
from office.errors import NotPermitted
from office.hours import beijing_day
from office.staff import Permission
from office.units import contains
from ticketing import tip_targets
from ticketing.tip_targets import GroupHealth

H = GroupHealth
# The worst first; a group that moved still gets its message.
TONES = {
    H.LOST: "danger", H.STOPPED: "danger", H.RESTRICTED: "danger", H.SILENT: "warn", H.MOVED: "info",
}  # fmt: skip


async def step(desk: Desk, tip: WorkTip, links: Links) -> dict[str, Any]:
    """What a page says before the button: what is missing, where it will go, what a release does."""
    problems = await tip_moves.problems(desk.session, tip, now=desk.now)
    targets = await _targets(desk, tip)
    missing = [
        {"words": desk.t(problem.key, **problem.facts), "blocks": problem.blocks, "href": ""}
        for problem in problems
    ]
    if tip.state is TipState.IN_REVIEW:
        missing += await _unsignable(desk, tip, links)
    return {
        "missing": missing,
        "held": any(one["blocks"] for one in missing),
        "targets": targets,
        "does": await _does(desk, tip, links, targets),
    }


async def _unsignable(desk: Desk, tip: WorkTip, links: Links) -> list[dict[str, Any]]:
    """What else would be refused at the signature: unchecked entries, one's own, what lies out of reach."""
    found = []
    for _, version, entry in links:
        if (check := await tip_changes.checked(desk, version)) in ("needed", "blocked"):
            words = desk.t(f"tips.lacks_{check}", no=entry.entry_no)
            found.append({"words": words, "blocks": True, "href": f"/admin/entries/{entry.id}/check"})
    if not desk.may(Permission.PUBLISH_ENTRIES):
        return found
    for _, version, entry in links:
        try:
            await staff.second_person(desk.session, desk.person, version.author_id, now=desk.now)
        except NotPermitted:
            words = desk.t("tips.lacks_own", no=entry.entry_no)
            found.append({"words": words, "blocks": True, "href": f"/admin/entries/{entry.id}"})
    reach = await staff.reach(desk.session, desk.person)
    places = {unit.id: unit for unit in await tip_links.targets(desk.session, tip)}
    for _, version, _ in links:
        places[version.scope_unit_id] = await units.get(desk.session, version.scope_unit_id)
    if tip.supersedes_id is not None and (old := await desk.session.get(WorkTip, tip.supersedes_id)):
        places[old.unit_id] = await units.get(desk.session, old.unit_id)
    if far := [unit.name for unit in places.values() if not contains(reach, unit.path)]:
        words = desk.t("tips.lacks_reach", units=desk.t("list.comma").join(far))
        found.append({"words": words, "blocks": True, "href": ""})
    return found


async def _targets(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """Units, groups by channel, and what to look at first: groups in trouble, units that none would reach."""
    addressed = {unit.id for unit in await tip_links.targets(desk.session, tip)}
    found = await tip_targets.preview(desk.session, addressed, now=desk.now)
    reached = Counter(one.channel for one in found.groups if one.reached)
    troubles = []
    for health, tone in TONES.items():
        lines = [
            desk.t(
                "tips.trouble_line", unit=one.unit.name, title=one.group.title or desk.t("tips.untitled"),
                channel=desk.t(f"channel.{one.channel}"),
            )
            for one in found.troubled
            if one.health is health
        ]  # fmt: skip
        if lines:
            troubles.append(
                {"title": desk.t(f"tips.trouble_{health}", n=len(lines)), "tone": tone, "lines": lines}
            )
    if alone := [unit.name for unit in found.without_group]:
        title = desk.t("tips.trouble_alone", n=len(alone))
        troubles.append({"title": title, "tone": "warn", "lines": [desk.t("list.comma").join(alone)]})
    return {
        "units": len(addressed),
        "groups": found.reached,
        "channels": [(desk.t(f"channel.{channel}"), n) for channel, n in sorted(reached.items())],
        "troubles": troubles,
    }


async def _does(desk: Desk, tip: WorkTip, links: Links, targets: dict[str, Any]) -> list[str]:
    """What a release does, a sentence each, in the order in which it happens."""
    language = desk.frame.language
    later = tip.send_at is not None and tip.send_at > desk.now
    at = times.moment(tip.send_at, language, now=desk.now) if tip.send_at else ""
    said = [desk.t("tips.does_number", year=beijing_day(desk.now).year)]
    if not targets["groups"]:
        said.append(desk.t("tips.does_no_group"))
    elif later:
        said.append(desk.t("tips.does_send_at", at=at, groups=targets["groups"]))
    else:
        said.append(desk.t("tips.does_send", groups=targets["groups"]))
    if later:
        said.append(desk.t("tips.does_embargo", at=at))
    if links:
        begins = tip_words.begins(tip)
        coming = begins is not None and begins > desk.now
        when = times.moment(begins, language, now=desk.now) if begins else ""
        key = "tips.does_entries_at" if coming else "tips.does_entries"
        said.append(desk.t(key, n=len(links), at=when))
    if tip.supersedes_id is not None and (old := await desk.session.get(WorkTip, tip.supersedes_id)):
        key = "tips.does_supersede_at" if later else "tips.does_supersede"
        said.append(desk.t(key, no=tip_words.number(old), title=old.title, at=at))
    if tip.receipt_wanted:
        due = times.moment(receipt_due(desk, tip), language, now=desk.now)
        said.append(desk.t("tips.does_receipts", units=targets["units"], at=due))
    public = tip.secrecy is TipSecrecy.PUBLIC
    said.append(desk.t("tips.does_public" if public else "tips.does_internal"))
    return [*said, desk.t("tips.does_frozen")]
