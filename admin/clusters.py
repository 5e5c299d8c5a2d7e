"""Clusters in the console: what many ask, making one of it, and who has been told."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response
from sqlalchemy import select

from admin import times
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.queue import EXCERPT, TONES
from knowledge.versions import Entry, topics
from office import staff, units
from office.errors import NotFound
from office.staff import Permission
from office.units import Unit
from ticketing import cluster_answers, clusters, queue
from ticketing.clusters import Cluster, ClusterState, Place, Suggestion
from ticketing.records import OPEN_STATES, Ticket, TicketState

router = APIRouter(prefix="/clusters")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_TICKETS))]
Working = Annotated[Desk, Depends(signed_in(Permission.WORK_TICKETS))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]

STATES = {ClusterState.OPEN: "active", ClusterState.ANSWERED: "good", ClusterState.CLOSED: "neutral"}
PLACES = {
    Place.TOLD: "good",
    Place.PARKED: "warn",
    Place.UNDELIVERABLE: "danger",
    Place.TO_CALL: "warn",
    Place.UNDER_WAY: "info",
}
MOST_CLUSTERS = 50
DONE = ("confirmed", "added", "split", "closed", "drafted")


@router.get("")
async def show(desk: Reading) -> Response:
    """What may be one question, and the clusters there are."""
    return await _list(desk)


@router.post("/confirm")
async def confirm(desk: Working) -> Response:
    """Make a cluster of the chosen tickets."""
    desk.on_refusal(_list)
    chosen = [await _ticket(desk, number) for number in _numbers(desk)]
    lead = await _ticket(desk, desk.form.number("lead")) if desk.form.text("lead") else None
    if lead is None and chosen:
        lead = chosen[0]
    if lead is None:
        raise NotFound("ticket_unknown")
    title = desk.form.text("title")
    cluster = await clusters.confirm(desk.session, chosen, lead, title, actor=desk.person, now=desk.now)
    return done(f"/admin/clusters/{cluster.id}", "confirmed")


@router.get("/{cluster_id}")
async def show_cluster(desk: Reading, cluster_id: Number) -> Response:
    """One cluster: its members, who has been told, what is similar besides."""
    return await _page(desk, cluster_id)


@router.post("/{cluster_id}/add")
async def add(desk: Working, cluster_id: Number) -> Response:
    """Join more tickets; where the answer is out already they are told at once."""
    cluster = await _cluster(desk, cluster_id)
    chosen = [await _ticket(desk, number) for number in _numbers(desk)]
    hours = desk.hours
    await clusters.add(desk.session, cluster, chosen, actor=desk.person, hours=hours, now=desk.now)
    return done(f"/admin/clusters/{cluster_id}", "added")


@router.post("/{cluster_id}/split/{ticket_id}")
async def split(desk: Working, cluster_id: Number, ticket_id: Number) -> Response:
    """Part a member that asks something else; a leader decides."""
    cluster = await _cluster(desk, cluster_id)
    ticket = await _ticket(desk, ticket_id)
    if ticket.cluster_id != cluster.id:
        raise NotFound("ticket_unknown")
    await clusters.split(desk.session, ticket, actor=desk.person, now=desk.now)
    return done(f"/admin/clusters/{cluster_id}", "split")


@router.post("/{cluster_id}/close")
async def close(desk: Working, cluster_id: Number) -> Response:
    """Put the cluster away."""
    cluster = await _cluster(desk, cluster_id)
    await clusters.close(desk.session, cluster, actor=desk.person, now=desk.now)
    return done(f"/admin/clusters/{cluster_id}", "closed")


@router.post("/{cluster_id}/drafts")
async def drafts(desk: Drafting, cluster_id: Number) -> Response:
    """Begin the entry and the tip that the answer left undrafted."""
    cluster = await _cluster(desk, cluster_id)
    lead = await desk.session.get_one(Ticket, cluster.lead_id)
    await cluster_answers.drafted(desk.session, cluster, lead, actor=desk.person, now=desk.now)
    return done(f"/admin/clusters/{cluster_id}", "drafted")


async def _cluster(desk: Desk, cluster_id: int) -> Cluster:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, cluster_id, refusal)

    desk.on_refusal(again)
    return await clusters.get(desk.session, desk.person, cluster_id)


async def _ticket(desk: Desk, number: int) -> Ticket:
    return (await queue.seen_by(desk.session, desk.person, number))[0]


def _numbers(desk: Desk) -> list[int]:
    return [int(text) for text in desk.form.all("tickets") if text.isdecimal() and len(text) < 10]


async def _list(desk: Desk, refusal: Refusal | None = None) -> Response:
    rows = await desk.session.scalars(
        select(Cluster)
        .join(Unit, Unit.id == Cluster.unit_id)
        .where(Unit.path.startswith(await staff.reach(desk.session, desk.person)))
        .order_by(Cluster.state == ClusterState.CLOSED, Cluster.id.desc())
        .limit(MOST_CLUSTERS)
    )
    found = await clusters.suggested(desk.session, desk.person, now=desk.now)
    places = await _places(desk)
    return desk.render(
        "console/clusters.html",
        status=refusal.status if refusal else 200,
        here="/admin/clusters",
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        suggestions=[_suggestion(desk, one, places) for one in found],
        rows=[await _row(desk, cluster) for cluster in rows.all()],
        may_work=desk.may(Permission.WORK_TICKETS),
    )


def _suggestion(desk: Desk, found: Suggestion, places: dict[int, str]) -> dict[str, Any]:
    return {
        "title": found.title,
        "asked": found.asked,
        "askers": found.askers,
        "units": found.units,
        "topic": _topic(found.topic),
        "first": times.moment(found.first_asked_at, desk.frame.language),
        "growth": _signed(found.growth),
        "last_day": found.last_day,
        "cluster": {"id": found.cluster.id, "no": found.cluster.cluster_no} if found.cluster else None,
        "tickets": [_member(desk, ticket, places) for ticket in found.tickets],
    }


def _member(desk: Desk, ticket: Ticket, places: dict[int, str]) -> dict[str, Any]:
    words = " ".join(ticket.words.split())
    return {
        "id": ticket.id,
        "no": ticket.ticket_no,
        "words": words[:EXCERPT] + ("…" if len(words) > EXCERPT else ""),
        "unit": places.get(ticket.unit_id, ""),
        "channel": desk.t(f"channel.{ticket.channel}"),
        "accepted": times.moment(ticket.accepted_at, desk.frame.language),
        "state": desk.t(f"ticket.state.{ticket.state}"),
        "tone": TONES[ticket.state],
    }


async def _row(desk: Desk, cluster: Cluster) -> dict[str, Any]:
    told = await clusters.board(desk.session, cluster)
    return {
        "id": cluster.id,
        "no": cluster.cluster_no,
        "title": cluster.title,
        "state": desk.t(f"cluster.state.{cluster.state}"),
        "tone": STATES[cluster.state],
        "members": told.members,
        "told": told.told,
        "rest": told.members - told.told,
        "first": times.moment(cluster.first_asked_at, desk.frame.language),
    }


async def _page(desk: Desk, cluster_id: int, refusal: Refusal | None = None) -> Response:
    cluster = await clusters.get(desk.session, desk.person, cluster_id)
    inside = await clusters.members(desk.session, cluster)
    lead = await desk.session.get_one(Ticket, cluster.lead_id)
    stand = await clusters.places(desk.session, inside, cluster)
    places = await _places(desk)
    last = sum(ticket.accepted_at > desk.now - timedelta(hours=24) for ticket in inside)
    before = sum(
        desk.now - timedelta(hours=48) < ticket.accepted_at <= desk.now - timedelta(hours=24)
        for ticket in inside
    )
    near = (
        await clusters.more(desk.session, desk.person, cluster, now=desk.now)
        if cluster.state is not ClusterState.CLOSED
        else []
    )
    entry = await desk.session.get(Entry, cluster.entry_id or 0)
    asked = desk.request.query_params.get("done", "")
    waiting = any(ticket.state is TicketState.MERGED for ticket in inside)
    answered = bool(lead.conclusion_no) and lead.state not in OPEN_STATES
    drafts = desk.may(Permission.DRAFT_ENTRIES)
    return desk.render(
        "console/cluster.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/clusters/{cluster.id}",
        error=refusal.words if refusal else "",
        done=asked if asked in DONE else "",
        cluster={
            **await _row(desk, cluster),
            "units": sorted({places.get(ticket.unit_id, "") for ticket in inside}),
            "growth": _signed(last - before),
            "answer": lead.answer_text if answered else "",
            "open": lead.state in OPEN_STATES,
        },
        lead={"id": lead.id, "no": lead.ticket_no},
        board=[
            {
                "label": desk.t(f"cluster.place.{place}"),
                "n": sum(found is place for found in stand.values()),
                "tone": tone,
            }
            for place, tone in PLACES.items()
        ],
        members=[
            {
                **_member(desk, ticket, places),
                "lead": ticket.id == lead.id,
                "place": desk.t(f"cluster.place.{stand[ticket.id]}"),
                "place_tone": PLACES[stand[ticket.id]],
                "can_split": ticket.state is TicketState.MERGED and desk.may(Permission.WORK_TICKETS),
            }
            for ticket in inside
        ],
        near=[_member(desk, ticket, places) for ticket in near],
        entry={"id": entry.id, "no": entry.entry_no, "draft": entry.published_id is None} if entry else None,
        tip_id=cluster.tip_id,
        can_draft=answered and drafts and (cluster.entry_id is None or cluster.tip_id is None),
        can_close=cluster.state is not ClusterState.CLOSED
        and desk.may(Permission.WORK_TICKETS)
        and not (waiting and lead.state in OPEN_STATES),
        may_work=desk.may(Permission.WORK_TICKETS),
    )


async def _places(desk: Desk) -> dict[int, str]:
    return {unit.id: unit.name for unit in await units.all_units(desk.session)}


def _topic(topic: str) -> str:
    return topics()[topic].meaning if topic in topics() else ""


def _signed(number: int) -> str:
    return f"{number:+d}" if number else "±0"
