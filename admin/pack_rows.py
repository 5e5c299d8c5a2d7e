"""The district's own wording of a row, and the directory of neighbouring offices: seen, checked, proposed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.forms import Form
from admin.packs import Reading, adapted_pack, overrides, proposals, row_facts
from admin.pages import Desk, Refusal, done, signed_in
from admin.rule_fields import FIELDS, LISTS, TRANSLATED, between, field_label, leaf_fields, untranslated
from knowledge import calendar, eligibility, lint, packs, rules
from knowledge.citations import cited
from knowledge.eligibility import BadRow
from knowledge.pack_parts import Leaf, RulePack
from office import changes, units
from office.changes import Change, ChangeKind
from office.errors import NotFound
from office.staff import Permission
from office.words import say

router = APIRouter(prefix="/packs")
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]
DAYS = ("effective_from", "effective_until", "review_on")
CONTACT = ("name", "says", "office", "phone", "hours", "address")
EMPTY_ROWS = 2
GLIMPSE = 24
TICKETS = (("", "as_row"), ("0", "no"), ("1", "yes"))


@router.get("/{pack_id}/contacts")
async def contacts(desk: Reading, pack_id: str) -> Response:
    """The neighbouring offices in force, as a table that may be proposed otherwise."""
    return await _contacts_page(desk, pack_id)


@router.post("/{pack_id}/contacts")
async def propose_contacts(desk: Drafting, pack_id: str) -> Response:
    """Propose the directory; the other button only adds a line to the form."""
    fault: list[BadRow] = []

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _contacts_page(later, pack_id, refusal, fault[0].field if fault else "")

    desk.on_refusal(again)
    if desk.form.text("then") == "row":
        return await _contacts_page(desk, pack_id, typed=True)
    await adapted_pack(desk, pack_id)
    rows = [
        {
            **row,
            "says": [word.strip() for word in row["says"].replace("，", "、").split("、") if word.strip()],
        }
        for row in _contact_rows(desk.form)
        if any(row.values())
    ]
    try:
        change = await rules.propose_contacts(
            desk.session, pack_id, rows, basis=desk.form.text("paper"),
            scope=await units.election_office(desk.session), actor=desk.person, now=desk.now,
            review_on=desk.form.day("review_on"),
        )  # fmt: skip
    except BadRow as error:
        fault.append(error)
        raise
    return done(f"/admin/changes/{change.id}", "change_proposed")


@router.get("/{pack_id}/{row}")
async def one(desk: Reading, pack_id: str, row: str) -> Response:
    """One row with its shipped text, what holds now, and the form for another wording."""
    return await _page(desk, pack_id, row)


@router.post("/{pack_id}/{row}")
async def propose(desk: Drafting, pack_id: str, row: str) -> Response:
    """Propose another wording, or only look at what it would be; a refused one keeps what was typed."""
    fault: list[BadRow] = []

    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, pack_id, row, refusal, fault[0] if fault else None)

    desk.on_refusal(again)
    pack, shipped = await _both(desk, pack_id, row)
    try:
        content = _content(desk.form, pack, shipped)
        if desk.form.text("then") == "look":
            eligibility.adapted(packs.load(pack_id), {row: content})
            return await _page(desk, pack_id, row, looked=content)
        change = await rules.propose_row(
            desk.session, pack_id, row, content, basis=desk.form.text("paper"),
            scope=await units.election_office(desk.session), actor=desk.person, now=desk.now,
            **{name: desk.form.day(name) for name in DAYS},
        )  # fmt: skip
    except BadRow as error:
        fault.append(error)
        raise
    return done(f"/admin/changes/{change.id}", "change_proposed")


async def _both(desk: Desk, pack_id: str, row: str) -> tuple[RulePack, Leaf]:
    pack = await adapted_pack(desk, pack_id)
    shipped = packs.load(pack_id).rows(row)
    if not shipped:
        raise NotFound("pack_row_unknown")
    return pack, shipped[0]


def _content(form: Form, pack: RulePack, shipped: Leaf) -> dict[str, Any]:
    """What the form says otherwise than the files do; a field left as it is shipped is not given."""
    code = form.text("leaf") or shipped.row
    others = pack.rows(code) if code != shipped.row else ()
    known = [_as_typed(leaf) for leaf in (shipped, *others[:1])]
    content: dict[str, Any] = {} if code == shipped.row else {"leaf": code}
    for name in FIELDS:
        if name == "ticket":
            if form.text("ticket"):
                content["ticket"] = form.text("ticket") == "1"
            continue
        typed = _lines(form.text(name).splitlines())
        # Without English a changed Chinese text is shown to everybody; there is nothing to write down for it.
        if any(typed == fields[name] for fields in known) or (not typed and name.endswith("_en")):
            continue
        if name == "basis":
            content["basis"] = [_citation(line, pack) for line in typed]
        elif name in LISTS:
            content[name] = typed
        else:
            content[name] = "\n".join(typed)
    return _without_stale_english(content, form, _as_typed(pack.rows(shipped.row)[0]))


def _without_stale_english(
    content: dict[str, Any], form: Form, now: Mapping[str, list[str]]
) -> dict[str, Any]:
    """The content without the district's own English of a text whose Chinese alone was changed."""

    def left(name: str) -> bool:
        return _lines(form.text(name).splitlines()) == now[name]

    stale = [f"{name}_en" for name in TRANSLATED if left(f"{name}_en") and not left(name)]
    return {name: value for name, value in content.items() if name not in stale}


def _as_typed(leaf: Leaf) -> dict[str, list[str]]:
    """A row's texts as the form would send them back untouched: blank lines do not come through it."""
    return {name: _lines(value) for name, value in leaf_fields(leaf).items() if isinstance(value, list)}


def _lines(lines: Iterable[str]) -> list[str]:
    return [line.strip() for line in lines if line.strip()]


def _citation(line: str, pack: RulePack) -> dict[str, str]:
    """`细则20(十)`, or a document of the district's own in 《》 with what follows as its place."""
    found = cited(line, pack.laws)
    if found is not None:
        return {"law": found.law, "article": found.article}
    title, mark, article = line.partition("》")
    return {"law": title + mark, "article": article.strip()}


async def _page(
    desk: Desk,
    pack_id: str,
    row: str,
    refusal: Refusal | None = None,
    fault: BadRow | None = None,
    looked: Mapping[str, Any] | None = None,
) -> Response:
    pack, shipped = await _both(desk, pack_id, row)
    now = pack.rows(row)[0]
    signed, waiting = await overrides(desk, pack_id), await proposals(desk, pack_id)
    scopes = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    typed = refusal is not None or looked is not None
    values = _typed(desk.form) if typed else _values(now, signed.get(row))
    become = (
        eligibility.adapted(packs.load(pack_id), {row: looked}).rows(row)[0] if looked is not None else None
    )
    return desk.render(
        "console/pack_row.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/packs/{pack_id}/{row}",
        error=refusal.words if refusal else "",
        fault=_fault_field(desk, fault) if fault else "",
        fault_name=fault.field.partition("[")[0] if fault else "",
        pack={"id": pack_id, "name": pack.name_in(desk.frame.language)},
        row=row_facts(desk, shipped, now, signed.get(row), scopes, waiting.get(row)),
        values=values,
        tickets=[(value, desk.t(f"packs.ticket_{name}")) for value, name in TICKETS],
        codes=_codes(desk, row, packs.load(pack_id)),
        problems=_problems(desk, values, pack_id) if typed else [],
        looked=between(desk, now, become) if become else None,
        notes=untranslated(desk, looked) if looked is not None else [],
        laws=", ".join(pack.laws),
        may_draft=desk.may(Permission.DRAFT_RULES),
    )


def _codes(desk: Desk, row: str, pack: RulePack) -> list[tuple[str, str]]:
    """The rows as which this one may be answered, itself first, each with the beginning of its answer."""
    answers = {leaf.row: leaf.answer_in(desk.frame.language) for leaf in reversed(pack.leaves)}
    order = [row, *sorted((code for code in answers if code != row), key=[x.row for x in pack.leaves].index)]
    return [(code, f"{code} {answers[code][:GLIMPSE]}") for code in order]


def _values(leaf: Leaf, change: Change | None) -> dict[str, str]:
    fields = leaf_fields(leaf)
    texts = {name: "\n".join(value) for name, value in fields.items() if isinstance(value, list)}
    ticket = change.content.get("ticket") if change else None
    said = "" if ticket is None else str(int(ticket))
    return texts | {"leaf": leaf.code, "ticket": said, "paper": ""} | dict.fromkeys(DAYS, "")


def _typed(form: Form) -> dict[str, str]:
    return {name: form.text(name) for name in (*FIELDS, "leaf", "paper", *DAYS)}


def _problems(desk: Desk, values: Mapping[str, str], pack_id: str) -> list[dict[str, Any]]:
    """Everything that a voter may not be told, in all fields at once, so that nobody mends one by one."""
    found = []
    for name in FIELDS:
        if name in ("ticket", "basis"):
            continue
        for problem in lint.in_texts(values[name].splitlines(), region=pack_id):
            words = say(problem.key, desk.frame.language, **problem.facts)
            found.append({"blocks": problem.blocks, "words": f"{field_label(desk, name)}：{words}"})
    return found


def _fault_field(desk: Desk, fault: BadRow) -> str:
    name, _, place = fault.field.partition("[")
    number = place.partition("]")[0]
    label = field_label(desk, name)
    return desk.t("packs.field_line", field=label, n=int(number) + 1) if number.isdecimal() else label


def _contact_rows(form: Form) -> list[dict[str, str]]:
    columns = [form.all(f"contact_{name}") for name in CONTACT]
    return [
        {name: value.strip() for name, value in zip(CONTACT, row, strict=True)}
        for row in zip(*columns, strict=False)
    ]


def _contact_place(desk: Desk, place: str) -> dict[str, Any]:
    """Which line and which field of it `contacts[2].phone` is."""
    number = place.partition("[")[2].partition("]")[0]
    name = place.partition("].")[2]
    if not number.isdecimal():
        return {"id": "", "words": ""}
    n = int(number) + 1
    label = desk.t(f"packs.contact_{name}") if name in CONTACT else desk.t("packs.contacts")
    return {
        "id": f"contact_{name or CONTACT[0]}_{n}",
        "words": desk.t("packs.field_line", field=label, n=n),
    }


async def _contacts_page(
    desk: Desk, pack_id: str, refusal: Refusal | None = None, place: str = "", *, typed: bool = False
) -> Response:
    pack = await adapted_pack(desk, pack_id)
    if refusal or typed:
        rows: Sequence[Mapping[str, str]] = _contact_rows(desk.form)
    else:
        rows = [
            {
                "name": contact.name, "says": "、".join(contact.says), "office": contact.office,
                "phone": contact.phone, "hours": contact.hours, "address": contact.address,
            }
            for contact in await rules.contacts(desk.session, desk.now, pack_id)
        ]  # fmt: skip
    empty = [dict.fromkeys(CONTACT, "")] * EMPTY_ROWS
    waiting = await proposals(desk, pack_id)
    held = await changes.in_force(
        desk.session, ChangeKind.RULES, f"{pack_id}:{rules.CONTACTS}", calendar.today(desk.now)
    )
    return desk.render(
        "console/pack_contacts.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/packs/{pack_id}/contacts",
        error=refusal.words if refusal else "",
        pack={"id": pack_id, "name": pack.name_in(desk.frame.language)},
        fields=[(name, desk.t(f"packs.contact_{name}")) for name in CONTACT],
        rows=[
            *(row for row in rows if any(row.values())),
            *(empty if desk.may(Permission.DRAFT_RULES) else []),
        ],
        wrong=_contact_place(desk, place),
        paper=desk.form.text("paper"),
        review_on=desk.form.text("review_on"),
        waiting=waiting.get(rules.CONTACTS),
        change=held.id if held else None,
        may_draft=desk.may(Permission.DRAFT_RULES),
    )
