"""What is said about stations: which one, its card, a choice, the nearest, and else whom to ask."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from aiogram.methods import SendMessage, SendVenue
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, KeyboardButton, ReplyKeyboardMarkup

from handlers import keyboards, station_card
from handlers.callbacks import Op, tap
from handlers.turn import Reply, Turn
from knowledge import posters
from knowledge.live_stations import STREETS
from knowledge.station_index import Place, StationIndex
from knowledge.stations import StationKind
from office import units
from office.contacts import Channel
from office.units import Unit

HERE = "here"
NEAREST = 3
MOST_BUTTONS = 6
SHOWN = 4
LABEL = 16
# Each list by its verbs: the streets, and the stations of one.
STREETS_OF = {StationKind.REGISTRATION: "s", StationKind.POLLING: "t"}
STATIONS_OF = {StationKind.REGISTRATION: "u", StationKind.POLLING: "p"}
# Who is farther away than this from every station is somewhere else, or their device does not know.
FAR = 30_000


async def which(
    turn: Turn,
    index: StationIndex,
    said: str = "",
    page: int = 0,
    kind: StationKind = StationKind.REGISTRATION,
) -> Reply:
    """Which station: by words, by street, or by where one is. Without any published: whom to ask.

    `said` takes the place of the question.
    """
    streets = [unit for unit in await units.all_units(turn.session) if unit.kind in STREETS]
    human = keyboards.button(turn.words("menu.human"), tap(Op.HUMAN))
    if not index.places and not said:
        said = turn.words("sta.none_published", hours=turn.district.hours_text, address=turn.district.address)
    first = page * SHOWN
    here = [
        _button(street.name, f"{STATIONS_OF[kind]}0", street.id) for street in streets[first : first + SHOWN]
    ]
    further = first + SHOWN < len(streets)
    more = [_button(turn.words("sta.more"), f"{STREETS_OF[kind]}{page + 1}")] if further else []
    # Where one votes is not the nearest station but one's own.
    nearest = index.places and kind is StationKind.REGISTRATION
    last = _button(turn.words("sta.here"), HERE) if nearest else human
    asked = turn.words("sta.which" if kind is StationKind.REGISTRATION else "sta.which_polling")
    return turn.say(said or asked, keyboards.rows(*_pairs(here), [*more, last]))


async def nearest(turn: Turn, index: StationIndex, latitude: float, longitude: float) -> Reply:
    """The nearest registration stations with how far they are and whether they are open."""
    found = index.near(latitude, longitude, NEAREST, StationKind.REGISTRATION)
    if not found:
        return turn.say(turn.words("sta.position_dropped")) + await which(turn, index)
    if found[0][1] > FAR:
        return await which(turn, index, turn.words("sta.far", district=turn.district.name))
    lines = [turn.words("sta.nearest")]
    lines += [
        station_card.listed(place, turn.now, turn.lang, number=number, metres=metres)
        for number, (place, metres) in enumerate(found, start=1)
    ]
    lines.append(f"<i>{turn.words('sta.position_dropped')}</i>")
    return turn.say("\n\n".join(lines), _choice(turn, [place for place, _ in found]))


def shown(turn: Turn, place: Place, verb: str) -> Reply:
    """The card (`c`), the map (`m`), or both (`v`): who comes from a poster gets everything at once."""
    reply: Reply = []
    if verb in "mv" and place.latitude is not None and place.longitude is not None:
        reply.append(
            SendVenue(
                chat_id=turn.chat_id, latitude=place.latitude, longitude=place.longitude,
                title=posters.label(place, turn.lang), address=station_card.addressed(place, turn.lang),
            )
        )  # fmt: skip
    if verb == "m" and reply:
        return reply
    text = station_card.card(place, turn.now, turn.lang, brief=turn.large)
    if turn.large:
        # Every message shows the office's number there: beside the station's it must say whose it is.
        text += "\n" + turn.words("sta.phone.office")
    return reply + turn.say(text, _under_card(turn, place, mapped=verb == "c"))


def unanswered(turn: Turn, place: Place) -> Reply:
    """Nobody answers the station's phone: when somebody is there, and the office's number beside it."""
    key = "sta.unanswered" if place.phone else "sta.unanswered_none"
    said = turn.words(key, number=escape(place.phone), hours=escape(turn.district.hours_text))
    return turn.say(said) + shown(turn, place, "c")


def with_stations(turn: Turn, reply: Reply, kind: StationKind) -> Reply:
    """The reply with a button to the stations of a kind under its last message, where there is room."""
    last = reply[-1] if reply else None
    if not isinstance(last, SendMessage) or not isinstance(last.reply_markup, InlineKeyboardMarkup):
        return reply
    lines = last.reply_markup.inline_keyboard
    if sum(map(len, lines)) >= MOST_BUTTONS:
        return reply
    button = _button(turn.words(f"sta.find.{kind.value}"), f"{STREETS_OF[kind]}0")
    return [*reply[:-1], last.model_copy(update={"reply_markup": keyboards.rows([button], *lines)})]


def _under_card(turn: Turn, place: Place, *, mapped: bool) -> InlineKeyboardMarkup:
    first = [_wizard(turn)] if place.kind is StationKind.REGISTRATION else []
    rest: list[InlineKeyboardButton] = []
    if mapped and place.latitude is not None and place.longitude is not None:
        rest.append(_button(turn.words("sta.map"), _about("m", place)))
    root = _root(turn)
    if root is not None:
        url = f"{root}/stations/{place.kind.value}-{place.code}"
        rest.append(InlineKeyboardButton(text=turn.words("sta.print"), url=url))
    last = [
        _button(turn.words("sta.others"), "s0"),
        keyboards.button(turn.words("menu.human"), tap(Op.HUMAN)),
    ]
    return keyboards.rows(*[line for line in (first, rest, last) if line])


def _root(turn: Turn) -> str | None:
    # In the web chat an address of our own needs no host in front.
    return "" if turn.contact.channel is Channel.WEB else turn.desk.public_url or None


def _wizard(turn: Turn) -> InlineKeyboardButton:
    return keyboards.button(turn.words("sta.mine"), tap(Op.WIZARD))


def first_screen(turn: Turn, place: Place) -> InlineKeyboardMarkup:
    ways = {topic["key"]: number for number, topic in enumerate(keyboards.quick_topics())}

    def topic(key: str, words: str) -> InlineKeyboardButton:
        return keyboards.button(turn.words(words), tap(Op.ASK, arg=str(ways[key])))

    return keyboards.rows(
        [topic("menu.when", "menu.when"), _button(turn.words("menu.where"), _about("v", place))],
        [topic("menu.docs", "menu.docs"), topic("menu.status", "menu.status")],
        [
            keyboards.button(turn.words("menu.human"), tap(Op.HUMAN)),
            keyboards.button(turn.words("sta.large"), tap(Op.LARGE)),
        ],
    )


def offered(turn: Turn, places: Sequence[Place], more: int) -> Reply:
    lines = [turn.words("sta.several" if len(places) + more > 1 else "sta.this_one")]
    lines += [
        station_card.listed(place, turn.now, turn.lang, number=number)
        for number, place in enumerate(places, start=1)
    ]
    if more:
        lines.append(turn.words("sta.several_more", n=more))
    return turn.say("\n\n".join(lines), _choice(turn, places))


def of_street(
    turn: Turn,
    index: StationIndex,
    street: Unit,
    page: int,
    kind: StationKind = StationKind.REGISTRATION,
) -> Reply:
    """The stations of a street, some at a time; of one that has none, its office."""
    places = [place for place in index.places if place.street_id == street.id and place.kind is kind]
    first = page * SHOWN
    here = places[first : first + SHOWN]
    if not here:
        return office(turn, street, "sta.street_none", kind)
    kind_name = turn.words(f"sta.kind.{kind.value}")
    lines = [turn.words("sta.of_street", street=escape(street.name), n=len(places), kind=kind_name)]
    lines += [
        station_card.listed(place, turn.now, turn.lang, number=number)
        for number, place in enumerate(here, start=first + 1)
    ]
    last = [_back(turn, kind)]
    if places[first + SHOWN :]:
        last = [_button(turn.words("sta.more"), f"{STATIONS_OF[kind]}{page + 1}", street.id)]
        root = _root(turn)
        if root is not None:
            url = f"{root}/stations?street={street.id}&kind={kind.value}"
            last.append(InlineKeyboardButton(text=turn.words("sta.all"), url=url))
    return turn.say("\n\n".join(lines), keyboards.rows(*_choice(turn, here, first).inline_keyboard, last))


def office(
    turn: Turn,
    unit: Unit | None,
    key: str = "sta.unknown",
    kind: StationKind = StationKind.REGISTRATION,
) -> Reply:
    """No station is known there: the street's office is named, or the district's, and nothing guessed."""
    known = unit if unit is not None and unit.phone else turn.district
    text = turn.words(
        key, place=escape((unit or turn.district).name), phone=known.phone,
        office=escape(known.office_name or known.name),
        hours=escape(known.hours_text or turn.district.hours_text), kind=turn.words(f"sta.kind.{kind.value}"),
    )  # fmt: skip
    human = keyboards.button(turn.words("menu.human"), tap(Op.HUMAN))
    return turn.say(text, keyboards.rows([_back(turn), human]))


def share(turn: Turn) -> Reply:
    """How to share where one is: a button of the channel's own where there is one."""
    if turn.contact.channel is not Channel.TELEGRAM or turn.large:
        # In the large-print view four lasting buttons stand where the channel would put its own.
        return turn.say(turn.words("sta.share_web" if turn.contact.channel is Channel.WEB else "sta.share"))
    ask = KeyboardButton(text=turn.words("sta.share_button"), request_location=True)
    keyboard = ReplyKeyboardMarkup(keyboard=[[ask]], resize_keyboard=True, one_time_keyboard=True)
    return [SendMessage(chat_id=turn.chat_id, text=turn.words("sta.share"), reply_markup=keyboard)]


def _choice(turn: Turn, places: Sequence[Place], before: int = 0) -> InlineKeyboardMarkup:
    # A registration and a polling station may bear the same code.
    buttons = [
        _button(
            f"{number}. {place.code} {turn.words(f'sta.button.{place.kind.value}')}", _about("c", place)
        )
        for number, place in enumerate(places, start=before + 1)
    ]  # fmt: skip
    return keyboards.rows(*_pairs(buttons))


def _pairs(buttons: Sequence[InlineKeyboardButton]) -> list[list[InlineKeyboardButton]]:
    return [list(buttons[at : at + 2]) for at in range(0, len(buttons), 2)]


def _back(turn: Turn, kind: StationKind = StationKind.REGISTRATION) -> InlineKeyboardButton:
    return _button(turn.words("sta.streets"), f"{STREETS_OF[kind]}0")


def _about(verb: str, place: Place) -> str:
    return f"{verb}{place.kind.value[0]}{place.code}"


def _button(label: str, arg: str, row: int = 0) -> InlineKeyboardButton:
    return keyboards.button(label[:LABEL], tap(Op.STATION, row, arg=arg))
