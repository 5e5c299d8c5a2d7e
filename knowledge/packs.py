"""Region packs: the files in `data/packs`, read, checked and kept as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import yaml

from knowledge import lint, pack_checks
from knowledge.citations import Citation as Citation
from knowledge.citations import cited
from knowledge.pack_nodes import BadPack as BadPack
from knowledge.pack_nodes import Spot
from knowledge.pack_parts import ANYWAY, UNSURE, Conditions, Household
from knowledge.pack_parts import Leaf as Leaf
from knowledge.pack_parts import Offset as Offset
from knowledge.pack_parts import Option as Option
from knowledge.pack_parts import RulePack as RulePack
from knowledge.pack_parts import Slot as Slot

FOLDER = Path(__file__).parent.parent / "data" / "packs"
TOPICS = Path(__file__).parent.parent / "data" / "topics.yaml"
GROUP = "登记组"
LONGEST_LABEL = 10
LONGEST_LABEL_EN = 32
MOST_OPTIONS = 6
MOST_SLOTS = 12
"""A button carries one character for each slot."""
RELATIONS = ("entered", "offset", "age")


def names() -> tuple[str, ...]:
    """The ids of the packs there are."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def load(pack_id: str) -> RulePack:
    """The pack of this id; raises `KeyError` for an unknown one, `BadPack` for one that cannot be used."""
    if pack_id not in names():
        raise KeyError(pack_id)
    return parse((FOLDER / f"{pack_id}.yaml").read_text(encoding="utf-8"), f"{pack_id}.yaml")


@cache
def topics() -> frozenset[str]:
    """The topics that there are (`data/topics.yaml`)."""
    return frozenset(row["id"] for row in yaml.safe_load(TOPICS.read_text(encoding="utf-8")))


def parse(text: str, name: str) -> RulePack:
    """A pack from its YAML text; raises `BadPack` naming `name` with the line and what is wrong there."""
    whole = Spot.whole(text, name)
    top = whole.fields(
        ("id", "name", "name_en", "version", "effective_from", "laws", "flags", "region", "household",
         "slots", "leaves", "calendar"),
        ("effective_until", "districts", "towns"),
    )  # fmt: skip
    first, until = top["effective_from"].day(), top.get("effective_until")
    if until is not None and until.day() < first:
        raise until.bad("dates_reversed")
    laws = {key.wording(): value.wording() for key, value in top["laws"].pairs()}
    flags = {key.wording(): _both(value) for key, value in top["flags"].pairs()}
    slots = _slots(top["slots"])
    rows = top["leaves"].items()
    region = top["id"].wording()
    pack = RulePack(
        id=region,
        name=top["name"].wording(),
        name_en=top["name_en"].wording(),
        version=top["version"].number(),
        effective_from=first,
        effective_until=until.day() if until is not None else None,
        laws=laws,
        flags=flags,
        region=_texts(top["region"]),
        districts=_texts(top["districts"]) if "districts" in top else (),
        towns=_texts(top["towns"]) if "towns" in top else (),
        household=_household(top["household"], slots),
        slots=slots,
        leaves=tuple(_leaf(row, region, slots, laws, flags) for row in rows),
        offsets=_calendar(top["calendar"], laws),
    )
    if (unreachable := pack_checks.unreachable(pack)) is not None:
        raise rows[unreachable].bad("pack_unreachable", leaf=pack.leaves[unreachable].row)
    if not pack_checks.complete(pack):
        raise top["leaves"].bad("pack_no_catch_all")
    return pack


# --- slots ----------------------------------------------------------------------------------------


def _slots(spot: Spot) -> tuple[Slot, ...]:
    found: list[Slot] = []
    for key, value in spot.pairs():
        if len(found) == MOST_SLOTS:
            raise key.bad("pack_slots_many", most=MOST_SLOTS)
        found.append(_slot(key.wording(), value, found))
    return tuple(found)


def _slot(code: str, spot: Spot, before: list[Slot]) -> Slot:
    fields = spot.fields(("options",), ("ask", "ask_en", "when", "default"))
    if ("ask" in fields) == ("default" in fields):
        raise spot.bad("pack_ask_or_default", slot=code)
    options: list[Option] = []
    for key, value in fields["options"].pairs():
        if len(options) == MOST_OPTIONS:
            raise key.bad("pack_options_many", slot=code, most=MOST_OPTIONS)
        options.append(_option(key, value))
    found = Slot(
        code=code,
        ask=fields["ask"].wording() if "ask" in fields else "",
        ask_en=_english(spot, fields, "ask").wording() if "ask" in fields else "",
        options=tuple(options),
        when=_when(fields["when"], before) if "when" in fields else ({},),
        default=fields["default"].text() if "default" in fields else "",
    )
    if "default" in fields and found.option(found.default) is None:
        raise fields["default"].bad("pack_option_unknown", slot=code, option=found.default)
    return found


def _option(key: Spot, spot: Spot) -> Option:
    fields = spot.fields(("label", "label_en"), ("says", "says_en"))
    if len(fields["label"].wording()) > LONGEST_LABEL:
        raise fields["label"].bad("pack_label_long", word=fields["label"].text(), most=LONGEST_LABEL)
    if len(fields["label_en"].wording()) > LONGEST_LABEL_EN:
        raise fields["label_en"].bad("pack_label_long", word=fields["label_en"].text(), most=LONGEST_LABEL_EN)
    if key.text() in ANYWAY and key.text() != UNSURE:
        raise key.bad("pack_option_reserved", option=key.text())
    label, label_en = fields["label"].text(), fields["label_en"].text()
    if "says" not in fields:
        return Option(key.wording(), label, label_en, label, label_en)
    says, says_en = fields["says"].text(), _english(spot, fields, "says")
    if bool(says) != bool(says_en.text()):
        raise says_en.bad("pack_no_english", field="says")
    return Option(key.wording(), label, label_en, says, says_en.text())


def _household(spot: Spot, slots: tuple[Slot, ...]) -> Household:
    fields = spot.fields(("slot", "here", "region", "outside", "abroad"))
    slot = next((slot for slot in slots if slot.code == fields["slot"].text()), None)
    if slot is None:
        raise fields["slot"].bad("pack_slot_unknown", slot=fields["slot"].text())
    codes = {}
    for name in ("here", "region", "outside", "abroad"):
        codes[name] = fields[name].text()
        if slot.option(codes[name]) is None:
            raise fields[name].bad("pack_option_unknown", slot=slot.code, option=codes[name])
    return Household(slot.code, **codes)


def _when(spot: Spot, slots: list[Slot] | tuple[Slot, ...]) -> Conditions:
    """Conditions on these slots; a single mapping is the only alternative."""
    known = {slot.code: slot for slot in slots}
    found = []
    for alternative in spot.one_or_more():
        row: dict[str, frozenset[str]] = {}
        for key, value in alternative.pairs():
            slot = known.get(key.text())
            if slot is None:
                raise key.bad("pack_slot_unknown", slot=key.text())
            codes = value.one_or_more()
            for code in codes:
                if not slot.accepts(code.text()):
                    raise code.bad("pack_option_unknown", slot=slot.code, option=code.text())
            row[slot.code] = frozenset(code.text() for code in codes)
        found.append(row)
    return tuple(found)


# --- rows -----------------------------------------------------------------------------------------


def _leaf(
    spot: Spot, region: str, slots: tuple[Slot, ...], laws: Mapping[str, str], flags: Collection[str]
) -> Leaf:
    fields = spot.fields(
        ("leaf", "when", "answer", "topic"),
        ("answer_en", "steps", "steps_en", "bring", "bring_en", "basis", "ticket", "group", "flags"),
    )
    if fields["topic"].text() not in topics():
        raise fields["topic"].bad("pack_topic_unknown", topic=fields["topic"].text())
    for mark in fields["flags"].items() if "flags" in fields else ():
        if mark.text() not in flags:
            raise mark.bad("pack_flag_unknown", flag=mark.text())
    steps, steps_en = _list(fields, "steps", region)
    bring, bring_en = _list(fields, "bring", region)
    basis = tuple(_citation(each, laws) for each in fields["basis"].items()) if "basis" in fields else ()
    ticket = "ticket" in fields and fields["ticket"].flag()
    if not basis and not ticket:
        raise spot.bad("pack_no_basis", leaf=fields["leaf"].text())
    return Leaf(
        code=fields["leaf"].wording(),
        row=fields["leaf"].text(),
        when=_when(fields["when"], slots),
        answer=_said(fields["answer"], region),
        answer_en=_said(_english(spot, fields, "answer"), region),
        steps=steps,
        steps_en=steps_en,
        bring=bring,
        bring_en=bring_en,
        basis=basis,
        topic=fields["topic"].text(),
        ticket=ticket,
        group=fields["group"].wording() if "group" in fields else GROUP,
        flags=_texts(fields["flags"]) if "flags" in fields else (),
    )


def _list(fields: Mapping[str, Spot], name: str, region: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Lines in both languages, as many in each."""
    chinese = fields[name].items() if name in fields else []
    if chinese and f"{name}_en" not in fields:
        raise fields[name].bad("pack_no_english", field=name)
    foreign = fields[f"{name}_en"].items() if f"{name}_en" in fields else []
    if len(chinese) != len(foreign):
        raise fields[f"{name}_en"].bad("pack_no_english", field=name)
    return tuple(_said(each, region) for each in chinese), tuple(_said(each, region) for each in foreign)


def _citation(spot: Spot, laws: Mapping[str, str]) -> Citation:
    found = cited(spot.wording(), laws)
    if found is None:
        raise spot.bad("pack_law_unknown", law=spot.text())
    return found


def _said(spot: Spot, region: str) -> str:
    """What a voter is told: held to the rules for the answers of entries."""
    for problem in lint.in_texts([spot.wording()], region=region):
        raise spot.bad(problem.key, **problem.facts)
    return spot.text()


def _english(spot: Spot, fields: Mapping[str, Spot], name: str) -> Spot:
    if f"{name}_en" not in fields:
        raise spot.bad("pack_no_english", field=name)
    return fields[f"{name}_en"]


def _both(spot: Spot) -> tuple[str, str]:
    fields = spot.fields(("zh", "en"))
    return fields["zh"].wording(), fields["en"].wording()


def _texts(spot: Spot) -> tuple[str, ...]:
    return tuple(each.wording() for each in spot.items())


# --- the calendar's rules -------------------------------------------------------------------------


def _calendar(spot: Spot, laws: Mapping[str, str]) -> tuple[Offset, ...]:
    found: dict[str, Offset] = {}
    spots: dict[str, Spot] = {}
    for key, value in spot.pairs():
        found[key.text()] = _offset(key.wording(), value, laws)
        spots[key.text()] = value
    for kind, offset in found.items():
        if offset.relation != "entered" and offset.base not in found:
            raise spots[kind].bad("pack_base_unknown", base=offset.base)
    if (kind_in_circle := pack_checks.circle(found)) is not None:
        raise spots[kind_in_circle].bad("pack_offset_circle", kind=kind_in_circle)
    return tuple(found.values())


def _offset(kind: str, spot: Spot, laws: Mapping[str, str]) -> Offset:
    fields = spot.fields(("label", "label_en", "relation", "citation"), ("base", "days", "latest", "receipt"))
    relation = fields["relation"].text()
    if relation not in RELATIONS:
        raise fields["relation"].bad("pack_relation", word=relation)
    for name, needed in (("base", relation != "entered"), ("days", relation == "offset")):
        if needed != (name in fields):
            raise spot.bad("pack_field_missing" if needed else "pack_field_unknown", word=name)
    citation = fields["citation"].wording()
    if cited(citation, laws) is None:
        raise fields["citation"].bad("pack_law_unknown", law=citation)
    return Offset(
        kind=kind,
        base=fields["base"].wording() if "base" in fields else "",
        days=fields["days"].number() if "days" in fields else 0,
        citation=citation,
        latest="latest" in fields and fields["latest"].flag(),
        label=fields["label"].wording(),
        label_en=fields["label_en"].wording(),
        relation=relation,
        receipt="receipt" in fields and fields["receipt"].flag(),
    )
