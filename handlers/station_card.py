"""A station in words, for the chat and the public pages alike: the card, a line in a list, how far it is."""

from __future__ import annotations

from datetime import date, datetime
from html import escape

from knowledge.opening import days_of, hours_lines, opening, opening_words
from knowledge.posters import label
from knowledge.station_index import Place
from knowledge.stations import StationKind
from office.hours import beijing_day
from office.words import CHINESE, say

# Metres up to which a distance is named, and what is said up to there. Three distances to known places give
# away where somebody stands, and the reply is kept where the position itself is not: so they stay rough.
_WITHIN = ((300, "300"), (500, "500"), (1000, "1000"), (2000, "2000"), (3000, "3000"), (5000, "5000"))
_KILOMETRES = 5
ACCESS = {
    "ramp": "sta.access.ramp",
    "ground_floor": "sta.access.ground_floor",
    "lift": "sta.access.lift",
    "toilet": "sta.access.toilet",
    "seats": "sta.access.seats",
    "glasses": "sta.access.glasses",
    "sign": "sta.access.sign",
    "parking": "sta.access.parking",
}


def card(place: Place, at: datetime, lang: str = CHINESE, *, brief: bool = False) -> str:
    """All that is known of a station, as HTML of a message; `brief` for the large-print view."""
    lines = [f"<b>{escape(label(place, lang))}</b>", escape(place.name)]
    lines.append(where_and_when(place, at, lang))
    if place.phone:
        lines.append(say(f"sta.phone.{place.kind.value}", lang, phone=escape(place.phone)))
    if not brief:
        lines += [f"{name}{escape(words)}" for name, words in further(place, lang)]
    if place.kind is StationKind.POLLING:
        lines.append(f"<i>{say('sta.own_polling', lang)}</i>")
    return "\n".join(lines)


def where_and_when(place: Place, at: datetime, lang: str = CHINESE) -> str:
    """The address and the hours, as HTML of a message: what everybody asks who stands before a poster."""
    lines = [
        say("sta.address", lang, address=escape(addressed(place, lang))),
        f"👉 {escape(standing(place, at, lang))}",
    ]
    return "\n".join(lines + open_lines(place, at, lang))


def open_lines(place: Place, at: datetime, lang: str = CHINESE) -> list[str]:
    """The opening days with their hours, a line each, as HTML of a message."""
    found = dated_hours(place, beijing_day(at), lang)
    return [say("sta.open", lang, hours=escape(line)) for line in found]


def further(place: Place, lang: str = CHINESE) -> list[tuple[str, str]]:
    """What not every station has: directions, accessibility, groups, a note; the name of each first."""
    joint = say("sta.joint", lang)
    rows = [
        ("sta.directions", place.directions),
        ("sta.access", joint.join(accessible(place, lang))),
        ("sta.groups", joint.join(place.groups)),
        ("sta.note", place.note),
    ]
    return [(say(key, lang), words) for key, words in rows if words]


def accessible(place: Place, lang: str = CHINESE) -> list[str]:
    """Accessibility in words; what the office wrote in its own stays as it is."""
    return [say(ACCESS[code], lang) if code in ACCESS else code for code in place.access]


def addressed(place: Place, lang: str = CHINESE) -> str:
    """The address with what is near."""
    return say("sta.near", lang, address=place.address, near=place.near) if place.near else place.address


def standing(place: Place, at: datetime, lang: str = CHINESE) -> str:
    """现在开放，到17:00, or when it opens next."""
    return opening_words(opening(place.hours, at), at, lang)


def dated_hours(place: Place, today: date, lang: str = CHINESE) -> list[str]:
    """The hours, a line for each span of days, each with its tense on this Beijing day."""
    lines = hours_lines(place.hours, lang)
    return [
        say("sta.hours", lang, hours=line, tense=_tense(*days_of(row), today, lang))
        for row, line in zip(place.hours, lines, strict=True)
    ]


def listed(
    place: Place, at: datetime, lang: str = CHINESE, *, number: int = 0, metres: float | None = None
) -> str:
    """A station as a numbered line of a list, as HTML of a message."""
    away = f"{distance(metres, lang)} · " if metres is not None else ""
    return (
        f"{number}. <b>{escape(label(place, lang))}</b> {escape(place.name)}\n"
        f"{away}{escape(standing(place, at, lang))}\n{escape(addressed(place, lang))}"
    )


def distance(metres: float, lang: str = CHINESE) -> str:
    """A distance as a rough step: 500米以内, 2公里以内, 约8公里."""
    for limit, name in _WITHIN:
        if metres <= limit:
            return say(f"sta.within.{name}", lang)
    steps = int(-(-metres // (1000 * _KILOMETRES))) * _KILOMETRES
    return say("sta.within.km", lang, km=steps)


def _tense(first: date, last: date, today: date, lang: str) -> str:
    if today < first:
        return say("sta.tense.before", lang, n=(first - today).days)
    if today < last:
        return say("sta.tense.running", lang, n=(last - today).days)
    return say("sta.tense.last" if today == last else "sta.tense.over", lang)
