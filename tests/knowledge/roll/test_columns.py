"""Column maps: what the shipped ones say, and how a faulty one is refused with its line."""

import pytest
import yaml

from knowledge.roll import columns
from knowledge.roll.columns import BadCell, BadPack, Field, Place, Status
from office import words
from office.errors import Invalid
from tests.make import DATA

RIVERSIDE = (columns.FOLDER / "riverside.yaml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> str:
    assert old in RIVERSIDE
    return RIVERSIDE.replace(old, new, 1)


def test_two_invented_platforms_are_shipped():
    assert columns.names() == ["cornerstone", "riverside"]
    riverside, cornerstone = (columns.load(name) for name in ("riverside", "cornerstone"))
    assert riverside.name == "江流登记平台"
    assert not set(riverside.headings[Field.NUMBER]) & set(cornerstone.headings[Field.NUMBER])
    assert riverside.status("待核实") is Status.ASK_STATION
    assert cornerstone.status("１") is Status.REGISTERED
    assert cornerstone.status("已登记") is None


def test_the_group_number_may_stand_in_one_column_or_in_two():
    place = Place("临江街道", "第12选区", "12-03", "12-03")
    assert columns.load("riverside").place("临江街道", "第12选区", "", "１２－3", "12-03") == place
    assert columns.load("cornerstone").place("LJ", "", "第12选区", "03组", "12-03") == place


@pytest.mark.parametrize(
    "group", ["", "12", "12-", "2026-12-03", "12月3日", "12-03-1", "00-01", "甲-乙", "1234-1"]
)
def test_what_is_no_group_number_is_refused(group):
    with pytest.raises(BadCell) as refused:
        columns.load("riverside").place("临江街道", "第12选区", "", group, "")
    assert refused.value.key == "roll_row.group"


@pytest.mark.parametrize(
    ("cells", "key"),
    [
        (("云外街道", "第12选区", "", "12-03", ""), "roll_row.unit"),
        (("", "第12选区", "", "12-03", ""), "roll_row.unit"),
        (("临江街道", "", "", "12-03", ""), "roll_row.district"),
        (("临江街道", "选" * 81, "", "12-03", ""), "roll_row.district"),
        (("临江街道", "第12选区", "", "12-03", "书香苑居委会登记站"), "roll_row.station"),
    ],
)
def test_a_cell_that_is_not_what_its_column_holds_is_refused(cells, key):
    with pytest.raises(BadCell) as refused:
        columns.load("riverside").place(*cells)
    assert refused.value.key == key


def test_an_own_map_is_read_from_its_path(tmp_path):
    own = tmp_path / "own.yaml"
    own.write_text(changed("name: 江流登记平台", "name: 自建台账"), encoding="utf-8")
    assert columns.load(str(own)).name == "自建台账"


def test_a_map_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(Invalid) as refused:
        columns.load("nowhere")
    assert refused.value.key == "roll_file.no_map"
    assert "riverside" in refused.value.facts["known"]


def test_units_may_come_from_the_file_of_a_district():
    found = columns.load("riverside").with_units(DATA / "demo" / "district.yaml")
    assert found.units["东浦区"] == "东浦区"
    assert found.units["lj"] == "临江街道"


@pytest.mark.parametrize(
    ("old", "new", "line", "key"),
    [
        ("  number:", "  nummer:", 5, "pack_field_unknown"),
        ("  group: [选民小组, 选民小组号]\n", "", 4, "pack_field_missing"),
        ("[选区名称, 选区]", "[选区名称, 姓 名]", 8, "roll_map.heading_twice"),
        ("[待核实, ", "[已登记, ", 13, "roll_map.word_twice"),
        ("{code: HX, name: 和兴街道}", "{code: LJ, name: 和兴街道}", 19, "roll_map.unit_twice"),
        ("{code: HX, name: 和兴街道}", "{code: HX, name: 临江街道}", 19, "roll_map.unit_twice"),
        ("  district: [选区名称, 选区]\n", "", 4, "roll_map.district"),
        ("statuses:", "district: 第{area}选区\nstatuses:", 11, "roll_map.district"),
        ("  district: [选区名称, 选区]\n", "district: 第{zone}选区\n", 9, "pack_yaml"),
        ("name: 江流登记平台", "name: ''", 2, "pack_no_text"),
        ("  registered: [已登记]\n", "", 12, "pack_field_missing"),
    ],
)
def test_a_faulty_map_is_refused_with_its_line(old, new, line, key):
    with pytest.raises(BadPack) as refused:
        columns.read(changed(old, new), "riverside.yaml")
    assert (refused.value.key, refused.value.where) == (key, f"riverside.yaml:{line}")
    assert all(refused.value.said(language) for language in words.LANGUAGES)


def test_a_template_must_name_the_area():
    cornerstone = (columns.FOLDER / "cornerstone.yaml").read_text(encoding="utf-8")
    with pytest.raises(BadPack) as refused:
        columns.read(cornerstone.replace("{area}", "{zone}"), "own.yaml")
    assert refused.value.key == "roll_map.area"


def test_the_shipped_maps_know_the_units_of_the_demo_district():
    district = yaml.safe_load((DATA / "demo" / "district.yaml").read_text(encoding="utf-8"))
    for name in columns.names():
        assert {unit["name"] for unit in district["units"][1:]} == set(columns.load(name).units.values())
