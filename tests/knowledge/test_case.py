"""Facts are read from words, entries' facts from their own wordings, the stage from the key dates."""

from __future__ import annotations

from datetime import date

import pytest
import yaml

from knowledge import calendar, case
from knowledge.calendar import DateKind, Election, KeyDate, Window
from knowledge.case import DATA, Profile, profile, table
from knowledge.live import lexicon
from knowledge.text import normalise
from office.words import CHINESE, LANGUAGES, catalogue
from tests.make import ELECTION_DAY

REGISTRATION = KeyDate(DateKind.REGISTRATION, date(2026, 11, 16), date(2026, 12, 5))
WINDOW = Window(REGISTRATION.first, REGISTRATION.last)
SPANS = calendar.computed(
    Election("示例选举", "shanghai", ELECTION_DAY, windows=(WINDOW,)), calendar.rules("shanghai")
)


def said(words: str) -> str:
    """The words as they are compared."""
    return normalise(words, lexicon())


def entry(*wordings: str) -> Profile:
    return profile(tuple(said(wording) for wording in wordings))


@pytest.mark.parametrize(
    ("words", "fact", "value"),
    [
        ("我是外地户口，怎么登记", "hukou", "elsewhere"),
        ("户口在老家的人怎么登记", "hukou", "elsewhere"),
        ("不是上海户口能登记吗", "hukou", "elsewhere"),
        ("上海户口在哪里登记", "hukou", "local"),
        ("我在厂里上班，在哪登记", "status", "working"),
        ("我没上班，在哪登记", "status", "no_unit"),
        ("我退休了，在哪登记", "status", "retired"),
        ("我在读大学，在哪登记", "status", "student"),
        ("人户分离在哪登记", "residence", "apart"),
        ("几号登记", "matter", "registration"),
        ("投票是几号", "matter", "voting"),
    ],
)
def test_a_fact_is_read_from_words(words: str, fact: str, value: str) -> None:
    assert case.stated(said(words))[fact] == value


@pytest.mark.parametrize(
    ("words", "fact"),
    [
        ("怎么登记", "hukou"),
        ("外地户口和上海户口的人都能登记吗", "hukou"),
        ("我快退休了，在哪登记", "status"),
        ("我还没退休，在哪登记", "status"),
        ("退休返聘的在哪登记", "status"),
        ("登记站的工作人员几点上门", "status"),
        ("登记了怎么投票", "matter"),
    ],
)
def test_a_fact_is_not_read_where_none_or_both_are_said(words: str, fact: str) -> None:
    assert fact not in case.stated(said(words))


def test_an_entry_states_what_most_of_its_wordings_name() -> None:
    foreign = ["外地户口登记带什么材料", "外省市户口去登记要带啥", "非沪籍登记带哪些证件"]
    assert entry(*foreign, "外来的人登记带什么").facts["hukou"] == "elsewhere"
    assert "hukou" not in entry("登记带什么材料", "去登记要带啥", "外地户口登记带什么").facts
    assert "hukou" not in entry(*foreign, "上海户口登记带什么").facts


def test_one_stray_wording_in_ten_does_not_count() -> None:
    wordings = [f"外地户口登记问题{number}" for number in range(10)]
    assert entry(*wordings, "上海户口登记").facts["hukou"] == "elsewhere"
    assert "hukou" not in entry(*wordings, "上海户口登记", "上海户口怎么登").facts


@pytest.mark.parametrize(
    ("words", "others"),
    [("我妈妈退休了在哪登记", True), ("我退休了在哪登记", False), ("其他证件可以吗", False)],
)
def test_who_speaks_of_others_is_noticed(words: str, others: bool) -> None:
    assert case.of_others(said(words)) is others


def test_only_lasting_facts_are_carried_on() -> None:
    assert case.lasting(case.stated(said("外地户口投票"))) == {"hukou": "elsewhere"}


@pytest.mark.parametrize(
    ("today", "stage"),
    [
        (date(2026, 11, 15), "before_registration"),
        (date(2026, 11, 16), "registration"),
        (date(2026, 12, 5), "registration"),
        (date(2026, 12, 6), "registration_closed"),
        (date(2026, 12, 9), "list_published"),
        (date(2026, 12, 14), "candidates"),
        (date(2026, 12, 27), "candidates"),
        (date(2026, 12, 28), "vote_day"),
        (date(2026, 12, 29), "vote_day"),
        (date(2026, 12, 30), "after"),
    ],
)
def test_the_stage_follows_from_the_key_dates(today: date, stage: str) -> None:
    assert case.stage(SPANS, today) == stage


def test_without_key_dates_there_is_no_stage() -> None:
    assert case.stage({}, date(2026, 12, 1)) == ""


def test_windows_entered_apart_are_one_registration() -> None:
    early = KeyDate(DateKind.REGISTRATION, date(2026, 11, 10), date(2026, 11, 12), audience="单位登记")
    spans = {DateKind.REGISTRATION: [REGISTRATION, early]}
    assert case.stage(spans, date(2026, 11, 10)) == "registration"
    assert case.stage(spans, date(2026, 12, 5)) == "registration"
    assert case.stage(spans, date(2026, 12, 6)) == "registration_closed"


HERE = entry("上海户口登记带什么", "本市户口登记要什么材料")
ELSEWHERE = entry("外地户口登记带什么", "外省市户口登记要什么材料")
RETIRED_ELSEWHERE = entry("外地户口退休了登记带什么", "外省市户口的退休人员登记要什么材料")
OFFERED = {1: HERE, 2: ELSEWHERE}


@pytest.mark.parametrize("words", ["外地的", "我是外地户口", "外省市", "2号人，老家的", "外地人"])
def test_words_can_answer_what_was_asked_back(words: str) -> None:
    chosen = case.told(said(words), OFFERED)
    assert chosen == (None if "2号" in words else 2)


@pytest.mark.parametrize(
    "words", ["外地的能登记吗", "外地和上海都有", "登记", "不知道", "", "上海外地户口在哪里办居住证"]
)
def test_other_words_do_not(words: str) -> None:
    assert case.told(said(words), OFFERED) is None


def test_words_that_state_a_fact_choose_among_entries_that_differ_otherwise_too() -> None:
    working, retired = (
        Profile((), {"status": "working"}),
        Profile((), {"status": "retired", "hukou": "local"}),
    )
    general = Profile((), {})
    assert case.told(said("我退休了"), {1: working, 2: retired, 3: general}) == 2
    assert case.told(said("退休"), {1: working, 2: retired, 3: retired}) is None, "two are for the retired"
    assert case.told(said("退休"), {1: general, 2: retired}) is None, "they do not differ in it"
    assert case.told(said("不是"), {1: working, 2: retired, 3: general}) is None, "nobody asked"
    assert case.told(said("退休了能在家投票吗"), {1: working, 2: retired, 3: general}) is None


def test_words_that_state_a_fact_and_nothing_else() -> None:
    assert case.only_states(said("我是本市户口")) == {"hukou": "local"}
    assert case.only_states(said("退休")) == {"status": "retired"}
    assert case.only_states(said("退休了怎么登记")) == {}
    assert case.only_states(said("谢谢")) == {}


def test_nothing_is_told_where_more_than_one_fact_differs() -> None:
    working = entry("上海户口上班的登记带什么", "本市户口在职的登记要什么材料")
    assert case.the_difference([HERE, ELSEWHERE]) == "hukou"
    assert case.the_difference([working, RETIRED_ELSEWHERE]) == ""
    assert case.told(said("外地的"), {1: working, 2: RETIRED_ELSEWHERE}) is None
    assert case.told(said("外地的"), {1: HERE, 2: ELSEWHERE, 3: RETIRED_ELSEWHERE}) is None


def test_a_choice_tells_the_fact() -> None:
    assert case.chosen(OFFERED, 2) == {"hukou": "elsewhere"}
    assert case.chosen(OFFERED, 7) == {}
    assert case.chosen(OFFERED, None) == {}
    assert case.chosen({2: ELSEWHERE}, 2) == {}


def test_every_fact_can_be_asked_in_both_languages() -> None:
    for fact in table().facts.values():
        values = {value for value in fact.said.values() if value}
        for key in [f"case.{fact.name}.ask", *(f"case.{fact.name}.{value}" for value in values)]:
            assert all(key in catalogue(language) for language in LANGUAGES)


def test_every_value_on_a_button_can_be_typed_instead() -> None:
    for fact in table().facts.values():
        for value in {value for value in fact.said.values() if value}:
            label = catalogue(CHINESE)[f"case.{fact.name}.{value}"]
            offered = {place: Profile((), {fact.name: other}) for place, other in enumerate(["?", value])}
            assert case.told(said(label), offered) == 1, label


def test_stages_name_topics_and_key_dates_that_exist() -> None:
    topics = {row["id"] for row in yaml.safe_load((DATA / "topics.yaml").read_text(encoding="utf-8"))}
    for stage in table().stages:
        assert stage.topics <= topics
        assert not stage.since or stage.since in {kind.value for kind in DateKind}
