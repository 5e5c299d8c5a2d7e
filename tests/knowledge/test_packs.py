"""Rule packs as files: what is shipped, and what is refused with its line."""

from __future__ import annotations

import pytest

from knowledge import packs
from knowledge.citations import Citation, cited
from knowledge.packs import BadPack, parse

SMALL = """\
id: small
name: 小市
name_en: Small
version: 2
effective_from: 2021-03-24
laws:
  细则: 小市选举细则
flags:
  X: {zh: 现行, en: in force}
region: [小市]
household: {slot: hukou, here: local, region: local, outside: away, abroad: away}
slots:
  hukou:
    ask: 户口在哪里？
    ask_en: Where?
    options:
      local: {label: 本地, label_en: Here}
      away: {label: 外地, label_en: Away}
  live:
    when: {hukou: local}
    ask: 住哪里？
    ask_en: Living where?
    options:
      here: {label: 本地, label_en: Here, says: 住本地, says_en: living here}
      there: {label: 别处, label_en: Elsewhere, says: "", says_en: ""}
leaves:
  - leaf: L1
    when: {hukou: local, live: [here]}
    answer: 在{{ office.name }}登记，最迟{{ cal.list_posted }}。
    answer_en: Register here.
    steps: [先来电]
    steps_en: [Telephone first]
    basis: [细则1(二)]
    topic: reg_where_hukou
    flags: [X]
  - leaf: L2
    when: {}
    answer: 我请值班同志答复您。
    answer_en: A person answers.
    topic: reg_other
    ticket: true
calendar:
  day: {label: 选举日, label_en: Day, relation: entered, citation: 细则2}
  posted: {label: 榜, label_en: List, relation: offset, base: day, days: -20, latest: true, citation: 细则3}
"""
LINES = ("", *SMALL.splitlines())


def with_line(number: int, text: str | None) -> str:
    """The small pack with one line replaced, or without it."""
    lines = SMALL.splitlines(keepends=True)
    lines[number - 1 : number] = [] if text is None else [text + "\n"]
    return "".join(lines)


def refused(text: str) -> BadPack:
    with pytest.raises(BadPack) as error:
        parse(text, "small.yaml")
    return error.value


def test_what_a_pack_holds() -> None:
    pack = parse(SMALL, "small.yaml")
    assert (pack.id, pack.name, pack.name_in("en"), pack.version) == ("small", "小市", "Small", 2)
    assert (str(pack.effective_from), pack.effective_until) == ("2021-03-24", None)
    hukou, live = pack.slots
    assert (hukou.ask_in("zh_CN"), hukou.ask_in("en")) == ("户口在哪里？", "Where?")
    assert [option.label_in("en") for option in hukou.options] == ["Here", "Away"]
    assert [option.says_in("zh_CN") for option in hukou.options] == ["本地", "外地"]
    assert [option.says for option in live.options] == ["住本地", ""]
    first, last = pack.leaves
    assert first.steps_in("en") == ("Telephone first",)
    assert (first.group, first.flags, first.row, first.edition) == ("登记组", ("X",), "L1", 0)
    assert last.ticket
    assert pack.rows("L2") == (last,)
    assert pack.offsets[1].label_in("en") == "List"
    assert (pack.offsets[1].base, pack.offsets[1].days, pack.offsets[1].latest) == ("day", -20, True)


@pytest.mark.parametrize("pack_id", packs.names())
def test_every_shipped_pack_can_be_used(pack_id: str) -> None:
    pack = packs.load(pack_id)
    assert pack.id == pack_id
    assert len(pack.slots) <= 12
    assert all(len(option.label) <= 10 for slot in pack.slots for option in slot.options)
    assert all(slot.ask_en for slot in pack.slots if slot.asked)
    assert {"day", "age_line", "list_posted", "voting"} <= {offset.kind for offset in pack.offsets}


def test_the_calendar_of_shanghai() -> None:
    rows = {offset.kind: offset for offset in packs.load("shanghai").offsets}
    assert {kind: (row.base, row.days) for kind, row in rows.items() if row.relation == "offset"} == {
        "list_posted": ("day", -20),
        "appeals_close": ("list_posted", 5),
        "appeal_decided": ("appeals_close", 3),
        "suits_close": ("day", -5),
        "suspension_served": ("day", -5),
        "court_decides": ("day", -1),
        "list_amended": ("day", -2),
        "nomination_opens": ("list_posted", 0),
        "nominees_posted": ("day", -15),
        "candidates_posted": ("day", -7),
        "introduction_stops": ("day", 0),
        "voting": ("day", 0),
    }
    entered = {kind for kind, row in rows.items() if row.relation == "entered"}
    assert entered == {"day", "registration_opens", "registration_closes"}
    assert (rows["age_line"].relation, rows["age_line"].base) == ("age", "day")
    assert [kind for kind, row in rows.items() if row.receipt] == ["appeal_decided"]
    assert rows["list_posted"].citation == "细则25"


def test_an_unknown_pack_is_refused() -> None:
    with pytest.raises(KeyError):
        packs.load("../shanghai")


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("", 1, "pack_empty"),
        ("id: a\n  b: c\n", 2, "pack_yaml"),
        ("- 1\n", 1, "pack_no_mapping"),
        (with_line(3, None), 1, "pack_field_missing"),
        (with_line(3, "nema_en: Small"), 3, "pack_field_unknown"),
        (with_line(4, "version: zwei"), 4, "pack_no_number"),
        (with_line(5, "effective_from: 2021-02-29"), 5, "pack_no_day"),
        (with_line(5, "effective_from: 2021-03-24\neffective_until: 2021-03-23"), 6, "dates_reversed"),
        (with_line(7, "  细则: ''"), 7, "pack_no_text"),
        (with_line(10, "region: 小市"), 10, "pack_no_list"),
        (with_line(11, LINES[11].replace("outside: away", "outside: far")), 11, "pack_option_unknown"),
        (with_line(11, LINES[11].replace("slot: hukou", "slot: home")), 11, "pack_slot_unknown"),
        (with_line(15, None), 14, "pack_no_english"),
        (with_line(15, LINES[15] + "\n    default: local"), 14, "pack_ask_or_default"),
        (with_line(14, None), 14, "pack_ask_or_default"),
        (with_line(17, f"      local: {{label: {'本' * 11}, label_en: Here}}"), 17, "pack_label_long"),
        (with_line(17, f"      local: {{label: 本地, label_en: {'Here' * 9}}}"), 17, "pack_label_long"),
        (with_line(17, "      other: {label: 本地, label_en: Here}"), 17, "pack_option_reserved"),
        (with_line(18, "      local: {label: 外地, label_en: Away}"), 18, "pack_twice"),
        (with_line(20, "    when: {hukou: lokal}"), 20, "pack_option_unknown"),
        (with_line(20, "    when: {live: here}"), 20, "pack_slot_unknown"),
        (with_line(24, "      here: {label: 本地, label_en: Here, says: 住本地}"), 24, "pack_no_english"),
        (with_line(28, "    when: {hukuo: local}"), 28, "pack_slot_unknown"),
        (with_line(28, "    when: {hukou: local, live: [hier]}"), 28, "pack_option_unknown"),
        (with_line(28, "    when: {hukou: away, live: here}"), 27, "pack_unreachable"),
        (with_line(28, "    when: {}"), 36, "pack_unreachable"),
        (with_line(29, "    answer: 最迟12月9日登记。"), 29, "lint_date"),
        (with_line(29, "    answer: 最迟{{ cal.some_day }}登记。"), 29, "lint_variable"),
        (with_line(29, "    answer: 住满6个月才有选举权。"), 29, "lint_wrong_claim"),
        (with_line(30, None), 27, "pack_no_english"),
        (with_line(30, "    answer_en: Register before 9 December."), 30, "lint_date"),
        (with_line(31, "    steps: [12月9日前来电]"), 31, "lint_date"),
        (with_line(32, "    steps_en: []"), 32, "pack_no_english"),
        (with_line(32, None), 31, "pack_no_english"),
        (with_line(33, "    basis: [细责1(二)]"), 33, "pack_law_unknown"),
        (with_line(33, None), 27, "pack_no_basis"),
        (with_line(34, "    topic: reg_where"), 34, "pack_topic_unknown"),
        (with_line(35, "    flags: [Y]"), 35, "pack_flag_unknown"),
        (with_line(37, "    when: {hukou: away}"), 27, "pack_no_catch_all"),
        (with_line(41, "    ticket: ja"), 41, "pack_no_flag"),
        (with_line(44, LINES[44].replace("base: day", "base: dya")), 44, "pack_base_unknown"),
        (with_line(44, LINES[44].replace("base: day", "base: posted")), 44, "pack_offset_circle"),
        (with_line(44, LINES[44].replace("base: day, ", "")), 44, "pack_field_missing"),
        (with_line(44, LINES[44].replace("days: -20", "days: zwanzig")), 44, "pack_no_number"),
        (with_line(43, LINES[43].replace("entered", "given")), 43, "pack_relation"),
        (with_line(43, LINES[43].replace("entered", "entered, days: 3")), 43, "pack_field_unknown"),
        (with_line(43, LINES[43].replace("细则2", "细责2")), 43, "pack_law_unknown"),
    ],
)  # fmt: skip
def test_a_bad_pack_is_refused_with_the_line(text: str, line: int, key: str) -> None:
    error = refused(text)
    assert (error.key, error.line) == (key, line)
    assert error.where == f"small.yaml:{line}"
    assert str(error).startswith(f"small.yaml:{line}: ")
    assert error.said("en").startswith(f"small.yaml:{line}: ")
    assert error.said("en") != str(error)


def test_a_circle_of_several_milestones_is_found() -> None:
    row = "{{label: 公布, label_en: Posted, relation: offset, base: {base}, days: 1, citation: 细则3}}"
    circle = SMALL + "".join(
        f"  {kind}: {row.format(base=base)}\n" for kind, base in (("tail", "b"), ("b", "c"), ("c", "b"))
    )
    error = refused(circle)
    assert (error.key, error.facts["kind"]) == ("pack_offset_circle", "b")
    assert error.line == 46


def test_more_questions_than_a_button_can_carry_are_refused() -> None:
    slot = "\n".join(SMALL.splitlines()[12:18])
    more = "".join(slot.replace("hukou", f"q{number}") + "\n" for number in range(11))
    text = SMALL.replace("leaves:\n", more + "leaves:\n")
    assert refused(text).key == "pack_slots_many"


def test_more_options_than_a_screen_can_show_are_refused() -> None:
    more = "".join(f"      o{number}: {{label: 别处, label_en: Away}}\n" for number in range(5))
    text = SMALL.replace("  live:\n", more + "  live:\n")
    error = refused(text)
    assert (error.key, error.line) == ("pack_options_many", 23)


@pytest.mark.parametrize(
    ("article", "long"),
    [
        ("20(十)", "第二十条第（十）项"),
        ("20(三)、末款", "第二十条第（三）项、末款"),
        ("3、9", "第三条、第九条"),
        ("100", "第一百条"),
        ("105", "第一百零五条"),
        ("110", "第一百一十条"),
        ("185", "第一百八十五条"),
        ("", ""),
    ],
)
def test_a_citation_is_short_for_officers_and_long_for_voters(article: str, long: str) -> None:
    citation = Citation("细则", article, "小市选举细则")
    assert citation.short == f"细则{article}"
    assert citation.long == f"《小市选举细则》{long}"


def test_the_longest_short_name_is_the_law() -> None:
    laws = {"细则": "甲", "细则办法": "乙"}
    assert cited("细则办法3", laws) == Citation("细则办法", "3", "乙")
    assert cited("细则3", laws) == Citation("细则", "3", "甲")
    assert cited("办法3", laws) is None
