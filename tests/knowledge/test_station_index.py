"""Which station is meant: found beyond doubt, offered as a choice, or not found; never guessed."""

from __future__ import annotations

import csv
import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.live import lexicon
from knowledge.station_index import Found, Nothing, Place, Several, StationIndex, find
from knowledge.station_nearest import Nearest, metres
from knowledge.stations import StationKind

DEMO = Path(__file__).parent.parent.parent / "data" / "demo" / "stations.csv"
REGISTRATION, POLLING = StationKind.REGISTRATION, StationKind.POLLING
KINDS = {"登记站": REGISTRATION, "投票站": POLLING}
RIVERSIDE, HEXING, NORTH, ISLAND = 2, 3, 4, 5
STREETS = {"临江街道": RIVERSIDE, "和兴街道": HEXING, "北塘镇": NORTH}


def a_place(number: int, row: dict[str, str]) -> Place:
    street = row["所属街镇"]
    return Place(
        id=number, version=1, kind=KINDS[row["类型"]], code=row["编号"], name=row["名称"],
        unit_id=STREETS[street], street=street, street_id=STREETS[street], above=("东浦区", street),
        neighbourhood=row["居村"], groups=tuple(row["服务小组"].split("、")), address=row["地址"],
        near=row["附近"], directions="", hours=(), phone=row["电话"], access=(), note="",
        latitude=float(row["纬度"]), longitude=float(row["经度"]),
    )  # fmt: skip


@cache
def index() -> StationIndex:
    """The stations of the demo; 江心镇 has none."""
    with DEMO.open(encoding="utf-8-sig", newline="") as file:
        places = [a_place(number, row) for number, row in enumerate(csv.DictReader(file), start=1)]
    units = [*((unit_id, name) for name, unit_id in STREETS.items()), (ISLAND, "江心镇")]
    return StationIndex(places, units, lexicon())


def said(query: str, kind: StationKind | None = REGISTRATION) -> str | list[str] | int | None:
    """The code that is found, the codes that are offered, or the unit whose office is named."""
    outcome = find(index(), query, kind)
    if isinstance(outcome, Found):
        return outcome.place.code
    if isinstance(outcome, Several):
        return [place.code for place in outcome.places]
    assert isinstance(outcome, Nothing)
    return outcome.unit_id


@pytest.mark.parametrize(
    ("query", "code"),
    [
        # By code and group number, in every way they are written.
        ("12-03", "12-03"),
        ("12－03", "12-03"),
        ("12-04", "12-03"),
        ("我是13-02组的，在哪里登记", "13-01"),
        ("12选区3组", "12-03"),
        ("第十二选区第三小组", "12-03"),
        ("12-03 书香苑", "12-03"),
        # By estate, committee, road, what is near.
        ("书香苑", "12-03"),
        ("临江街道 书香苑", "12-03"),
        ("临江街道书香苑在哪里登记", "12-03"),
        ("临江书香苑", "12-03"),
        ("东浦区临江街道书香苑居委会", "12-03"),
        ("我住书香苑3号楼502室，在哪里登记？", "12-03"),
        ("书香苑！！！", "12-03"),
        ("书 香 苑", "12-03"),
        ("书院路88弄", "12-03"),
        ("书院路88弄1号", "12-03"),
        ("书院小学", "12-03"),
        ("罗星居民区", "12-05"),
        ("罗星居委会", "12-05"),
        ("罗星社区", "12-05"),
        ("北塘村", "21-01"),
        ("北塘村委会怎么走", "21-01"),
        ("老盐场边上", "21-07"),
        ("机床厂宿舍", "13-07"),
        ("临江街道社区中心", "12-09"),
        ("江堤路200号", "12-09"),
        # The same name in two streets: the street decides.
        ("临江街道 阳光花园", "12-06"),
        ("和兴街道 阳光花园", "13-06"),
        ("临江花园", "12-08"),
        # Traditional script and dialect.
        ("臨江街道 書香苑", "12-03"),
        ("阿拉住勒书香苑，哪能走", "12-03"),
        # The words say which kind.
        ("书香苑投票站在哪里", "12-03"),
    ],
)
def test_what_is_named_exactly_is_found(query: str, code: str) -> None:
    assert said(query) == code


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        # One estate's name in two streets.
        ("阳光花园", ["12-06", "13-06"]),
        ("和兴阳光花园", ["13-06"]),
        ("江堤路", ["12-01", "12-09"]),
        # Written wrongly: asked about, not taken for granted.
        ("书香园", ["12-03"]),
        ("书香院", ["12-03"]),
        ("书乡苑", ["12-03"]),
        ("林江街道 书香苑", ["12-03"]),
        ("罗兴新村", ["12-05"]),
        ("稻乡村", ["21-04"]),
        ("机床宿舍", ["13-07"]),
        ("机床厂", ["13-07"]),
        ("荷塘月色", ["13-03"]),
        ("书香小区", ["12-03"]),
        ("书香", ["12-03"]),
        ("shuxiangyuan", ["12-03"]),
        ("linjiang jiedao shuxiangyuan", ["12-03"]),
        # Something beside it that nobody knows.
        ("书香苑二期", ["12-03"]),
        ("新书香苑", ["12-03"]),
        ("书香苑幼儿园", ["12-03"]),
        ("书院路99弄", ["12-03"]),
        # One digit too few for a number, which may be a date.
        ("12-3", ["12-03"]),
        # Words and number do not agree; two estates at once.
        ("88-77 书香苑", ["12-03"]),
        ("12-03 阳光花园", ["12-03", "12-06", "13-06"]),
        ("望潮苑还是罗星新村", ["12-05", "12-08"]),
        ("社区中心", ["12-09", "13-09", "21-08"]),
    ],
)
def test_what_is_doubtful_is_offered(query: str, codes: list[str]) -> None:
    assert said(query) == codes


@pytest.mark.parametrize(
    ("query", "unit_id"),
    [
        ("幸福里", None),
        ("幸福小区", None),
        ("万达广场", None),
        ("99-99", None),
        ("菜场", None),
        ("登记站在哪里", None),
        ("", None),
        ("，，，", None),
        ("😀" * 50, None),
        # Whatever names a unit must agree.
        ("和兴街道 书香苑", HEXING),
        ("西岸区 书香苑", None),
        ("滨江街道 书香苑", None),
        ("幸福居委会 书香苑", None),
        ("临江街道 幸福里", RIVERSIDE),
        ("北塘镇 望潮苑", NORTH),
        ("罗星居委会 望潮苑", None),
        # A town without a station: its office is named.
        ("江心镇", ISLAND),
        ("江心镇 书香苑", ISLAND),
        ("江心镇 12-03", ISLAND),
    ],
)
def test_what_is_unknown_or_contradicts_itself_finds_nothing(query: str, unit_id: int | None) -> None:
    outcome = find(index(), query, REGISTRATION)
    assert outcome == Nothing(unit_id)


def test_the_kind_in_the_words_goes_first() -> None:
    outcome = find(index(), "书香苑投票站在哪里", REGISTRATION)
    assert isinstance(outcome, Found)
    assert outcome.place.kind is POLLING
    assert said("12-03", POLLING) == "12-03"
    both = find(index(), "12-03")
    assert isinstance(both, Several)
    assert [place.kind for place in both.places] == [REGISTRATION, POLLING]


def test_a_street_offers_its_first_stations_and_says_how_many_there_are() -> None:
    outcome = find(index(), "临江街道", REGISTRATION)
    assert isinstance(outcome, Several)
    assert ([place.code for place in outcome.places], outcome.more, outcome.unit_id) == (
        ["12-01", "12-03", "12-05", "12-06", "12-08"], 1, RIVERSIDE,
    )  # fmt: skip


def test_a_very_long_message_is_read_to_its_eightieth_character() -> None:
    assert said("书香苑" + "啊" * 6000) == "12-03"
    assert said("啊" * 6000 + "书香苑") is None


def test_by_code_and_group() -> None:
    found = index().by_code("12-3")
    assert found is not None
    assert (found.kind, found.code) == (REGISTRATION, "12-03")
    polling = index().by_code("012-003", POLLING)
    assert polling is not None
    assert polling.kind is POLLING
    for code in ("99-99", "", "12", "12-03-04", "书香苑", "12-x"):
        assert index().by_code(code) is None
        assert index().by_group(code) == ()
    assert [place.code for place in index().by_group("12-4", REGISTRATION)] == ["12-03"]


def test_by_words_the_better_fit_comes_first() -> None:
    found = index().by_words("临江街道 阳光花园 望潮苑", kind=REGISTRATION)
    assert {place.code for place, _ in found} == {"12-06", "12-08"}
    exact = index().by_words("书香苑", kind=REGISTRATION)
    assert [(place.code, score) for place, score in exact] == [("12-03", 1.0)]
    typo = index().by_words("书香院", kind=REGISTRATION)
    assert typo[0][0].code == "12-03"
    assert 0 < typo[0][1] < 1
    assert index().by_words("西岸区 书香苑") == []
    assert len(index().by_words("北塘镇", limit=3)) == 3


def test_without_leaves_a_station_out_of_every_answer() -> None:
    gone = index().by_code("12-03")
    assert gone is not None
    fewer = index().without([gone.id])
    assert fewer.by_code("12-03", REGISTRATION) is None
    assert fewer.by_group("12-04", REGISTRATION) == ()
    assert fewer.by_words("书香苑", kind=REGISTRATION) == []
    assert isinstance(find(fewer, "书香苑", REGISTRATION), Nothing)
    assert gone.latitude is not None
    assert gone.longitude is not None
    assert fewer.near(gone.latitude, gone.longitude, 1, REGISTRATION)[0][0].code != "12-03"
    assert gone not in fewer.places
    assert index().by_code("12-03") == gone


def test_an_empty_index_finds_nothing() -> None:
    empty = StationIndex(())
    assert empty.near(31.0, 121.9) == []
    assert empty.by_words("书香苑") == []
    assert find(empty, "12-03") == Nothing()


def test_no_position_on_the_globe() -> None:
    for latitude, longitude in ((91.0, 0.0), (0.0, 181.0), (math.nan, 0.0), (0.0, math.inf)):
        with pytest.raises(ValueError, match="globe"):
            index().near(latitude, longitude)


# --- against looking at every station ---------------------------------------------------------------------

positions = st.tuples(st.floats(-90, 90), st.floats(-180, 180))
close = st.tuples(st.floats(30.9, 31.1), st.floats(121.8, 122.0))


@settings(max_examples=150)
@given(st.lists(positions | close, max_size=60), positions | close, st.integers(1, 5))
def test_the_nearest_as_if_every_distance_were_computed(
    places: list[tuple[float, float]], at: tuple[float, float], limit: int
) -> None:
    found = Nearest(places).find(*at, limit)
    expected = sorted(metres(*at, *place) for place in places)[:limit]
    # Two ways of computing differ by less than a millimetre, anywhere on the globe but for its far side.
    assert [away for _, away in found] == pytest.approx(expected, abs=0.5)
    assert len({number for number, _ in found}) == len(found)


def test_of_several_at_one_place_the_first_ones_come_first() -> None:
    found = Nearest([(31.0, 121.9)] * 40).find(31.0, 121.9, 3)
    assert [number for number, _ in found] == [0, 1, 2]


def test_a_known_distance() -> None:
    assert metres(31.0, 121.9, 31.0, 121.9) == 0
    assert metres(0, 0, 0, 180) == pytest.approx(math.pi * 6_371_008.8)
    # One minute of latitude is a nautical mile.
    assert metres(31.0, 121.9, 31.0 + 1 / 60, 121.9) == pytest.approx(1853, abs=2)


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(1, 30)), unique=True, max_size=40), st.data())
def test_by_code_as_if_every_station_were_looked_at(
    codes: list[tuple[int, int]], data: st.DataObject
) -> None:
    first = index().places[0]
    places = [
        replace(
            first, id=number, kind=KINDS[data.draw(st.sampled_from(list(KINDS)))],
            code=f"{district:02}-{group:02}", groups=(f"{district:02}-{group:02}",),
        )
        for number, (district, group) in enumerate(codes)
    ]  # fmt: skip
    found = StationIndex(places)
    for district in range(1, 31):
        code = f"{district}-{data.draw(st.integers(1, 30)):02}"
        for kind in (None, *StationKind):
            key = tuple(map(int, code.split("-")))
            scanned = [
                place for place in places
                if tuple(map(int, place.code.split("-"))) == key and kind in (None, place.kind)
            ]  # fmt: skip
            assert found.by_code(code, kind) == (scanned[0] if scanned else None)
            assert list(found.by_group(code, kind)) == scanned
