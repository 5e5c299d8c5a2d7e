"""What a voter's own words say of the case: slots of the registration wizard, read from free text.

Better one question more than a wrong answer: what is not sure, or said two ways, is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

from knowledge import births
from knowledge.pack_parts import OTHER, UNSURE, RulePack, Slot
from knowledge.places import Gazetteer, Place, Where
from knowledge.tellings import Clause, Heard, clauses, corrected, folded, rules_in, table
from knowledge.text import plain

_UNKNOWN = "?"
"""The household is in the region, and nothing says whether in the own district."""
_INSIDE = (Where.HERE, Where.REGION, Where.INSIDE)


@dataclass(slots=True)
class _Told:
    """What was found in a message: options by slot, and marks for the inferences."""

    options: dict[str, set[str]] = field(default_factory=dict)
    implied: dict[str, set[str]] = field(default_factory=dict)
    marks: set[str] = field(default_factory=set)
    outweighed: set[tuple[str, str]] = field(default_factory=set)
    words: dict[str, str] = field(default_factory=dict)
    households: list[tuple[str, Place | None]] = field(default_factory=list)
    homes: list[str] = field(default_factory=list)

    def states(self, slot: str, option: str) -> None:
        self.options.setdefault(slot, set()).add(option)


def read(
    pack: RulePack,
    text: str,
    *,
    local: Iterable[str] = (),
    neighbours: Iterable[str] = (),
    age_line: date | None = None,
) -> dict[str, str]:
    """The slots that the text states of the asker, as `heard` has them."""
    found = heard(pack, text, local=local, neighbours=neighbours, age_line=age_line)
    return dict(found.facts)


def heard(
    pack: RulePack,
    text: str,
    *,
    local: Iterable[str] = (),
    neighbours: Iterable[str] = (),
    age_line: date | None = None,
) -> Heard:
    """What the text states of the asker, slots in the order of the pack.

    `local` are names of the own district and its parts, `neighbours` of other parts of the region; `age_line`
    is the latest birth date that may register. A certificate that a told case never mentions counts as not
    there when the asker wants to take part here (`inferences` of `data/statements.yaml`). What follows a
    correction (有证明，不对，没有证明) takes the place of what was stated before it.
    """
    places = Gazetteer(pack, local, neighbours)
    parts = [_heard(pack, part, places, age_line) for part in corrected(text)]
    facts = {slot: option for part in parts for slot, option in part.facts.items()}
    return Heard(
        {slot.code: facts[slot.code] for slot in pack.slots if slot.code in facts},
        frozenset.union(*(part.guessed for part in parts)),
        {slot: said for part in parts for slot, said in part.words.items() if facts.get(slot) == OTHER},
        tuple(home for part in parts for home in part.homes),
    )


def _heard(pack: RulePack, text: str, places: Gazetteer, age_line: date | None) -> Heard:
    told = _Told()
    message = [each for each in clauses(text) if not re.search(table()["asks_only"], each.said)]
    for clause in message:
        if clause.own:
            _by_rules(pack, clause.text, told)
            _by_places(pack, clause, places, told)
        else:
            _by_spouse(clause.text, places, told)
    _by_age(message, age_line, told)
    _by_home(pack, places, told)
    return _settled(pack, told)


def answer_to(
    pack: RulePack, slot: str, text: str, *, local: Iterable[str] = (), neighbours: Iterable[str] = ()
) -> str | None:
    """What a typed reply to the slot's question means: an option, `other` or `unsure`; None for no answer.

    A number is the place of the option on its button. Raises `KeyError` for an unknown slot.
    """
    asked = pack.slot(slot)
    if asked is None:
        raise KeyError(slot)
    reply = plain(text)
    by_label = {
        plain(each): option.code for option in asked.options for each in (option.label, option.label_en)
    }
    numbered = {str(place): option.code for place, option in enumerate(asked.options, start=1)}
    found = by_label.get(reply) or numbered.get(reply) or _replied(asked, reply)
    if found is not None:
        return found
    stated = read(pack, text, local=local, neighbours=neighbours).get(slot)
    if stated is None and slot == pack.household.slot:
        place = Gazetteer(pack, local, neighbours).at_start(folded(text).strip().removeprefix("在"))
        stated = _household(pack, place) if place is not None else None
    return stated if stated is not None and stated != _UNKNOWN else None


def names_nothing(text: str) -> bool:
    """Whether a reply says that no option fits, and no more: 都不是."""
    return plain(text) in table()["replies"][OTHER]


def states_case(found: Mapping[str, str], text: str, *, household: str = "hukou") -> bool:
    """Whether a message tells its case and asks where, or whether, to register or take part here.

    `found` are the slots read from it: two at least, one of them the slot of the `household`.
    """
    told = set(found) - set(table()["together"])
    said = "".join(clause.said for clause in clauses(text))
    return household in found and len(told) >= 2 and bool(re.search(table()["asks_where"], said))


# --- what the rules state -------------------------------------------------------------------------


def _by_rules(pack: RulePack, text: str, told: _Told) -> None:
    for rule, words in rules_in(text):
        if "slot" in rule:
            told.states(rule["slot"], rule["option"])
            told.words.setdefault(rule["slot"], rule.get("words", words))
            if "over" in rule:
                told.outweighed.add((rule["slot"], rule["over"]))
        for slot, option in rule.get("also", {}).items():
            told.states(slot, option)
            told.words.setdefault(slot, words)
        if "household" in rule:
            told.implied.setdefault(pack.household.slot, set()).add(
                getattr(pack.household, rule["household"])
            )
        if "mark" in rule:
            told.marks.add(rule["mark"])
    if _wants_here(pack.region).search(text):
        told.marks.add("wants_here")


def _by_age(message: Iterable[Clause], line: date | None, told: _Told) -> None:
    """Of a birth date, or of years of age that leave no doubt. Age counts on election day."""
    own = [clause for clause in message if clause.own]
    born = {date for clause in own if (date := births.stated(clause.said)) is not None}
    if len(born) == 1 and line is not None:
        told.options["age"] = {births.by(born.pop(), line)}
        return
    for clause in own:
        if found := re.search(table()["age"], clause.text):
            years = int(found["years"])
            if years < births.MAY_TURN:
                told.states("age", "under")
            elif years == births.MAY_TURN:
                told.states("age", UNSURE)


# --- what places state ----------------------------------------------------------------------------


def _by_places(pack: RulePack, clause: Clause, places: Gazetteer, told: _Told) -> None:
    text = clause.text
    for pattern in table()["households"]:
        for found in re.finditer(pattern, text):
            groups = found.groupdict()
            if "name" not in groups:
                _placed(groups["place"], places, bool(groups.get("no")), told)
            elif places.at_start(groups["name"]) is not None:
                _placed(groups["name"], places, False, told)
    for found in re.finditer(table()["before_household"], text):
        before = text[: found.start()]
        place = places.at_end(before)
        if place is not None:
            denied = before[: -len(place.name)].endswith(tuple(table()["denials"]))
            _placed(place.name, places, denied, told)
    for found in re.finditer(table()["studies"], text):
        place = places.at_start(found["place"])
        if place is not None and place.where in (Where.OUTSIDE, Where.SPECIAL):
            told.marks.add("studies_away")
    for pattern in table()["homes"]:
        told.homes += [found["place"] for found in re.finditer(pattern, text)]
    for pattern in table()["married_to"]:
        for found in re.finditer(pattern, text):
            if _is_local(found["place"], places):
                told.states("relax", "married_in")


def _placed(said: str, places: Gazetteer, denied: bool, told: _Told) -> None:
    place = places.at_start(said)
    if not denied:
        told.households.append((said, place))
    elif place is not None and place.where is Where.INSIDE and place.name not in table()["vague"]:
        told.households.append(("", Place(place.name, Where.OUTSIDE)))


def _by_spouse(text: str, places: Gazetteer, told: _Told) -> None:
    spouse = _spouse().match(text)
    if spouse and not spouse["no"] and _is_local(spouse["place"], places):
        told.states("relax", "married_in")


def _is_local(said: str, places: Gazetteer) -> bool:
    place = places.at_start(said)
    return said.startswith(tuple(table()["local_spouse"])) or (place is not None and place.where in _INSIDE)


def _by_home(pack: RulePack, places: Gazetteer, told: _Told) -> None:
    """Living elsewhere than where the household is, where the two were told as different places."""
    slot = pack.household.slot
    for _, place in told.households:
        if place is not None:
            told.states(slot, _household(pack, place))
    stated = told.options.get(slot, set())
    homes = [home for home in told.homes if not re.match(table()["homeless"], home)]
    for home in homes:
        lives = places.at_start(home)
        for said, place in told.households:
            if _apart(home, lives, said, place):
                told.states("live", "apart")
        if not told.households and stated == {pack.household.outside}:
            told.states("live", "apart")


def _apart(home: str, lives: Place | None, said: str, place: Place | None) -> bool:
    if place is None:
        return not said.startswith(home[:2]) and not home.startswith(said[:2])
    if place.where is Where.OUTSIDE:
        return lives is None or lives.where in _INSIDE
    if place.where is Where.HERE:
        return lives is not None and lives.where in (Where.REGION, Where.OUTSIDE)
    if place.where is Where.REGION:
        return lives is not None and lives.where in (Where.HERE, Where.OUTSIDE)
    return lives is not None and lives.where is Where.OUTSIDE


def _household(pack: RulePack, place: Place) -> str:
    at = pack.household
    if place.where is Where.INSIDE:
        return _UNKNOWN
    options = {Where.HERE: at.here, Where.REGION: at.region, Where.OUTSIDE: at.outside}
    return options.get(place.where, at.abroad)


# --- what it comes to -----------------------------------------------------------------------------


def _settled(pack: RulePack, told: _Told) -> Heard:
    at = pack.household
    options = {slot: set(found) for slot, found in told.options.items()}
    for slot, implied in told.implied.items():
        options.setdefault(slot, implied)
    for slot, option in told.outweighed:
        if len(options[slot]) > 1:
            options[slot].discard(option)
    if (households := options.get(at.slot, set()) - {_UNKNOWN}) and households <= {at.here, at.region}:
        options[at.slot] = households
    if "single" in told.marks:
        options.get("relax", set()).discard("married_in")
    if "studies_away" in told.marks:
        options.get("status", set()).discard("student")
    found = {slot: only for slot, values in options.items() if (only := _only(values))}
    guessed = set()
    for row in table()["inferences"]:
        if options.get(row["slot"], set()) <= {_UNKNOWN} and _follows(row, found, told.marks):
            found[row["slot"]] = row["option"]
            guessed |= {row["slot"]} if row.get("guess") else set()
    facts = {
        slot.code: found[slot.code]
        for slot in pack.slots
        if slot.code in found and slot.accepts(found[slot.code])
    }
    homes = tuple(home for home in told.homes if not re.match(table()["homeless"], home))
    return Heard(facts, frozenset(guessed & set(facts)), told.words, homes)


def _only(values: set[str]) -> str | None:
    return next(iter(values)) if len(values) == 1 and _UNKNOWN not in values else None


def _follows(row: Mapping[str, Any], found: Mapping[str, str], marks: set[str]) -> bool:
    facts = row.get("facts", {})
    return (
        all(found.get(slot) == option for slot, option in facts.items())
        and set(row.get("marks", ())) <= marks
        and not marks & set(row.get("without", ()))
        and len(set(found) - set(facts)) >= row.get("told", 0)
    )


# --- tables made into patterns --------------------------------------------------------------------


def _replied(asked: Slot, reply: str) -> str | None:
    rows = table()["replies"]
    for option, replies in rows.get(asked.code, {}).items():
        if asked.accepts(option) and reply in replies:
            return str(option)
    return next((option for option in (UNSURE, OTHER) if reply in rows[option]), None)


@cache
def _spouse() -> re.Pattern[str]:
    data = table()
    own, spouses = "|".join(data["self"]), "|".join(data["spouses"])
    return re.compile(f"(?:{own})?(?:的|家)?(?:{spouses}){data['spouse']}")


@cache
def _wants_here(region: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(table()["wants_here"].replace("{region}", "|".join(region)))
