"""What has happened to a ticket: its thread with the acts between, what changed meanwhile, the edits."""

from __future__ import annotations

from typing import Any

from admin import differences, times
from admin.pages import Desk, Refusal, lines
from office import audit, staff
from office.audit import AuditEntry
from ticketing.records import PostKind, ThreadPost, Ticket

# Acts that the thread shows by lines of their own, or that are nobody's news.
UNSHOWN_ACTS = ("open", "answer", "note", "reply", "contribute", "nudge", "extend", "follow_up", "edit")
# Refusals after which it has to be said what has happened since the page was made.
OVERTAKEN = ("stale_card", "not_yours", "asker_wrote", "taken")
POST_TONES = {
    PostKind.ASKER: "active",
    PostKind.EDITED: "warn",
    PostKind.INTERIM: "info",
    PostKind.ANSWER: "good",
    PostKind.NOTE: "neutral",
    PostKind.JOINT: "info",
    PostKind.NUDGE: "warn",
    PostKind.EXTENSION: "warn",
}


def last_word(posts: list[ThreadPost]) -> int:
    """Row number of the asker's newest line: an answer written before it may miss the point."""
    return max((post.id for post in posts if post.kind in (PostKind.ASKER, PostKind.EDITED)), default=0)


def timeline(
    desk: Desk, acts: list[AuditEntry], posts: list[ThreadPost], names: dict[int, str]
) -> list[dict[str, Any]]:
    """The lines of the thread and the acts between them, oldest first."""
    language = desk.frame.language
    shown = [
        (
            post.at,
            {
                "time": times.moment(post.at, language),
                "who": names.get(post.staff_id or 0, desk.t("actor.contact")),
                "what": desk.t(f"thread.{post.kind}"),
                "words": lines(post.text),
                "tone": POST_TONES[post.kind],
            },
        )
        for post in posts
    ]
    for act in acts:
        if act.action.removeprefix("ticket.") not in UNSHOWN_ACTS and (what := _what(desk, act)):
            words = {"who": _who(desk, act), "what": what, "words": "", "tone": "neutral"}
            shown.append((act.at, {"time": times.moment(act.at, language), **words}))
    return [line for _, line in sorted(shown, key=lambda pair: pair[0])]


def _who(desk: Desk, act: AuditEntry) -> str:
    if act.actor_kind == audit.ActorKind.STAFF:
        return staff.mask_name(act.actor_name)
    return desk.t(f"actor.{act.actor_kind}")


def _what(desk: Desk, act: AuditEntry) -> str:
    return desk.t_or(f"act.{act.action}", "")


def edited(ticket: Ticket, posts: list[ThreadPost]) -> dict[str, Any] | None:
    """What the asker has changed about the question, and whether a person had answered before (E4)."""
    newest = next((post for post in reversed(posts) if post.kind is PostKind.EDITED), None)
    if newest is None:
        return None
    earlier = [p for p in reversed(posts) if p.kind in (PostKind.EDITED, PostKind.ASKER) and p.id < newest.id]
    # An edit replaces the message it belongs to; of others the newest one is meant.
    same = [post for post in earlier if post.event_id and post.event_id == newest.event_id]
    before = next((post.text for post in same or earlier), ticket.words)
    after_answer = any(post.kind is PostKind.ANSWER and post.id < newest.id for post in posts)
    return {"words": newest.text, "parts": differences.of_text(before, newest.text), "answered": after_answer}


def since(desk: Desk, acts: list[AuditEntry], posts: list[ThreadPost], refusal: Refusal | None) -> list[str]:
    """What happened after the refused form was made, a line each, newest first."""
    if refusal is None or refusal.key not in OVERTAKEN:
        return []
    seen, post = desk.form.text("version"), desk.form.text("seen_post")
    lines_ = []
    for act in acts:
        versions = act.facts.get("version")
        if seen.isdecimal() and isinstance(versions, list) and versions[1] > int(seen) and _what(desk, act):
            said = {
                "time": times.clock(act.at, seconds=True),
                "who": _who(desk, act),
                "what": _what(desk, act),
            }
            lines_.append(desk.t("since.act", **said))
    for line in reversed(posts):
        asker = line.kind in (PostKind.ASKER, PostKind.EDITED)
        if post.isdecimal() and asker and line.id > int(post):
            lines_.append(
                desk.t("since.asker", time=times.clock(line.at, seconds=True), words=line.text[:80])
            )
    return lines_
