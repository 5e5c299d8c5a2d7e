"""The asker's case decides between entries that are alike, and never makes an answer out of nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from knowledge import answer
from knowledge.answer import LiveBase
from knowledge.case import Case
from knowledge.features import form
from knowledge.live import lexicon
from knowledge.match import Index
from knowledge.model import SHIPPED
from knowledge.outcomes import Candidate, Hit, Miss, Near, Outcome, Source, Thresholds
from knowledge.sharpening import AskBack, Place, sharpen
from knowledge.text import normalise
from knowledge.train import shipped
from knowledge.versions import Audience
from office.store import Store
from office.units import Unit
from tests.make import Cast, an_entry

SOURCES = [
    Source(1, "K-0300", "reg_docs", "voter", "选民登记要带什么材料？", ("去登记要带啥", "登记带哪些证件")),
    Source(2, "K-0301", "reg_docs", "voter", "外地户口登记要带什么材料？", ("外省市户口去登记要带啥",)),
    Source(3, "K-0302", "reg_docs", "voter", "上海户口登记要带什么材料？", ("本市户口去登记要带啥",)),
    Source(4, "K-0320", "reg_deadline", "voter", "选民登记什么时候开始？", ("什么时候开始登记",)),
    Source(5, "K-0560", "vote_day", "voter", "投票什么时候开始？", ("什么时候开始投票",)),
    Source(6, "K-0541", "voter_card", "voter", "选民证丢了怎么办？", ("选民证掉了咋办",)),
    Source(7, "K-0542", "voter_card", "voter", "选民证丢了，怎么办", ("选民证掉了怎么弄",)),
    Source(8, "K-0500", "list_fix", "voter", "名单上没有我的名字怎么办？", ("榜上没有我",)),
    Source(9, "K-0501", "list_fix", "voter", "名单上有我的名字怎么办？", ("榜上有我",)),
    Source(10, "K-0142", "reg_where_retired", "voter", "外地户口退休了登记要带什么材料？", ()),
    Source(11, "K-0563", "vote_day", "voter", "投票那天放假吗？", ("上班的人投票放假吗", "职工投票放假吗")),
]
LIMITS = Thresholds(hit=0.6, margin=0.1, near=0.05)
INDEX = Index(SOURCES, lexicon(), replace(SHIPPED, thresholds=LIMITS))
WHAT = "登记要带什么材料"
WHEN = "什么时候开始"
DISTRICT, STREET = "/1/", "/1/2/"


def found(question: str, chances: Mapping[int, float]) -> tuple[Candidate, ...]:
    """Candidates as the matcher would give them, each by its standard question, with these probabilities."""
    asked = form(normalise(question, lexicon()), lexicon())
    made = []
    for entry_id, chance in chances.items():
        source = INDEX.source(entry_id)
        matched = INDEX.book.phrasings[INDEX.book.entries[entry_id].numbers[0]].form
        made.append(
            Candidate(entry_id, source.entry_no, source.topic, source.question, chance, asked, matched)
        )
    return tuple(made)


def near(question: str, chances: Mapping[int, float]) -> Near:
    candidates = found(question, chances)
    return Near(candidates, candidates[:3])


def sharper(
    outcome: Outcome, *, stage: str = "", street: tuple[int, ...] = (), staff: int = 0, **facts: str
) -> Outcome:
    """The outcome with these facts known, where the entries of `street` are the street's own.

    Asked without some entries, the matcher shown here believes as much in the best of the others as it did
    in both.
    """

    def again(hidden: frozenset[int]) -> Outcome:
        rest = [one for one in outcome.candidates if one.entry_id not in hidden]
        ahead = max(one.probability for one in outcome.candidates if one.entry_id in hidden)
        rest.sort(key=lambda one: one.probability, reverse=True)
        sure = replace(rest[0], probability=round(rest[0].probability + ahead, 4))
        rival = rest[1].probability if len(rest) > 1 else 0.0
        if sure.probability < LIMITS.hit or sure.probability - rival < LIMITS.margin or sure.asked.latin:
            return Near((sure, *rest[1:]), (sure, *rest[1:3]))
        return Hit((sure, *rest[1:]))

    def place(entry: int) -> Place:
        return Place(STREET if entry in street else DISTRICT, not staff or entry == staff)

    return sharpen(outcome, INDEX, Case(facts, stage), place, again)


def shown(outcome: Outcome) -> list[int]:
    """The entries the asker gets to see, in their order."""
    if isinstance(outcome, Hit):
        return [outcome.best.entry_id]
    return [choice.entry_id for choice in outcome.choices] if isinstance(outcome, Near) else []


# Whose an entry is.


def test_of_two_entries_about_the_same_the_nearer_office_answers() -> None:
    both = near("选民证丢了", {6: 0.45, 7: 0.4})
    outcome = sharper(both, street=(7,))
    assert isinstance(outcome, Hit)
    assert shown(outcome) == [7]
    assert outcome.best.probability == 0.85
    assert {one.entry_id for one in outcome.candidates} == {6, 7}


def test_without_a_nearer_office_they_stay_a_choice() -> None:
    assert sharper(near("选民证丢了", {6: 0.45, 7: 0.4})) == near("选民证丢了", {6: 0.45, 7: 0.4})


def test_the_wider_entry_is_not_answered_with_although_it_fits_better() -> None:
    hit = Hit(found("选民证丢了", {6: 0.8, 7: 0.1}))
    assert shown(sharper(hit, street=(7,))) == [7]
    assert shown(sharper(hit, street=(6,))) == [6]
    assert shown(sharper(hit)) == [6]


def test_another_rival_still_keeps_the_nearer_office_from_answering() -> None:
    outcome = sharper(near("选民证丢了", {6: 0.35, 7: 0.3, 1: 0.6}), street=(7,))
    assert not isinstance(outcome, Hit)
    assert 6 not in shown(outcome)


def test_together_they_must_reach_what_a_hit_needs() -> None:
    outcome = sharper(near("选民证丢了", {6: 0.3, 7: 0.29}), street=(7,))
    assert isinstance(outcome, Near)
    assert shown(outcome) == [7]


def test_an_opposite_question_of_the_nearer_office_replaces_nothing() -> None:
    pair = near("名单上我的名字怎么办", {8: 0.4, 9: 0.4})
    assert shown(sharper(pair, street=(9,))) == [8, 9]


def test_staff_get_what_was_written_for_staff() -> None:
    assert shown(sharper(near("选民证丢了", {6: 0.45, 7: 0.4}), staff=7)) == [7]
    assert shown(sharper(near("选民证丢了", {6: 0.45, 7: 0.4}), staff=6)) == [6]


# Facts that were stated.


@pytest.mark.parametrize(("hukou", "entry"), [("elsewhere", 2), ("local", 3)])
def test_a_fact_stated_before_decides_between_two_cases(hukou: str, entry: int) -> None:
    outcome = sharper(near(WHAT, {2: 0.4, 3: 0.4}), hukou=hukou)
    assert isinstance(outcome, Hit)
    assert shown(outcome) == [entry]


def test_a_fact_outweighs_wording() -> None:
    assert shown(sharper(near(WHAT, {2: 0.55, 3: 0.15}), hukou="local")) == [3]


def test_a_fact_stated_in_the_question_wins_over_an_earlier_one() -> None:
    outcome = sharper(near("外地户口登记要带什么材料", {2: 0.4, 3: 0.4}), hukou="local")
    assert shown(outcome)[0] == 2


def test_the_entry_for_a_case_gives_way_to_nobodys_but_its_opposite() -> None:
    hit = Hit(found("登记带什么", {1: 0.7, 2: 0.2}))
    assert shown(sharper(hit, hukou="local")) == [1]
    assert shown(sharper(hit)) == [1]
    assert shown(sharper(Hit(found("登记带什么", {1: 0.7, 2: 0.6})), hukou="elsewhere")) == [2]
    outcome = sharper(near("登记带什么", {1: 0.4, 2: 0.4}), hukou="elsewhere")
    assert isinstance(outcome, Hit)
    assert shown(outcome) == [2]


def test_a_hit_for_another_case_is_offered_at_most() -> None:
    outcome = sharper(Hit(found("登记带什么", {2: 0.9, 6: 0.01})), hukou="local")
    assert isinstance(outcome, Near)


def test_what_the_base_has_word_for_word_is_answered_whoever_asks() -> None:
    hit = Hit(found("投票那天放假吗？", {11: 0.99, 5: 0.1}))
    assert sharper(hit, status="retired") is hit
    less = Hit(found("投票那天放不放假", {11: 0.9, 5: 0.1}))
    assert isinstance(sharper(less, status="retired"), Near)
    assert sharper(less, status="working") is less


def test_an_answer_for_everybody_stays_where_the_entry_for_the_case_is_not_sure() -> None:
    hit = Hit(found("登记带什么", {1: 0.41, 2: 0.1}))
    assert sharper(hit, hukou="elsewhere") is hit


def test_a_hit_that_no_fact_concerns_stays_as_it_is() -> None:
    hit = Hit(found("选民证丢了", {6: 0.9, 2: 0.02}))
    assert sharper(hit, hukou="local", stage="vote_day") is hit


def test_unrelated_entries_are_ordered_by_facts_and_never_answered() -> None:
    outcome = sharper(near("要带什么", {6: 0.5, 2: 0.45}), hukou="elsewhere")
    assert isinstance(outcome, Near)
    assert shown(outcome) == [2, 6]
    assert shown(sharper(near("要带什么", {2: 0.5, 6: 0.45}), hukou="local")) == [6, 2]


def test_unknown_facts_do_no_harm() -> None:
    assert shown(sharper(near(WHAT, {2: 0.4, 3: 0.3}), shoe_size="42")) == [2, 3]


# What is never done.


def test_a_miss_stays_a_miss() -> None:
    miss = Miss(found(WHAT, {2: 0.04, 3: 0.03}))
    assert sharper(miss, hukou="local", stage="registration", street=(2,)) is miss
    assert sharper(Miss()) == Miss()


def test_pinyin_is_offered_and_never_answered() -> None:
    outcome = sharper(near("dengji yao dai shenme cailiao", {2: 0.4, 3: 0.4}), hukou="local")
    assert type(outcome) is Near
    assert type(sharper(near("dengji yao dai shenme cailiao", {2: 0.4, 3: 0.4}))) is Near


def test_what_the_matcher_would_not_offer_is_not_answered_with() -> None:
    fourth = near(WHAT, {1: 0.3, 6: 0.25, 7: 0.2, 3: 0.19})
    assert isinstance(sharper(fourth, hukou="local"), Near)
    faint = near(WHAT, {2: 0.59, 3: 0.04})
    assert isinstance(sharper(faint, hukou="local"), Near)


# Asking back.


def test_two_cases_of_one_question_are_asked_back() -> None:
    outcome = sharper(near(WHAT, {2: 0.4, 3: 0.3}))
    assert isinstance(outcome, AskBack)
    assert outcome.fact == "hukou"
    assert outcome.options == (("elsewhere", 2), ("local", 3))


def test_a_third_entry_of_the_same_topic_does_not_keep_the_fact_from_being_asked() -> None:
    outcome = sharper(near(WHAT, {2: 0.4, 1: 0.35, 3: 0.3}))
    assert isinstance(outcome, AskBack)
    assert outcome.options == (("elsewhere", 2), ("local", 3))
    assert type(sharper(near(WHAT, {2: 0.4, 6: 0.35, 3: 0.3}))) is Near, "of another topic it does"
    assert type(sharper(near(WHAT, {1: 0.4, 2: 0.35, 3: 0.3}))) is Near, "the first is one of the two"
    assert type(sharper(near(WHAT, {2: 0.4, 1: 0.35, 6: 0.32, 3: 0.3}))) is Near, "as is what is offered"


@pytest.mark.parametrize("question", ["学生在哪里登记", "大学生在哪登记"])
def test_the_shipped_base_asks_students_where_their_hukou_is(question: str) -> None:
    sources = shipped()
    voters = {source.entry_id for source in sources if source.audience == "voter"}
    index = Index(sources, lexicon())

    def ask(hidden: frozenset[int] = frozenset(), **facts: str) -> Outcome:
        matched = index.rank(question, lambda entry_id: entry_id in voters - hidden)
        return sharpen(matched, index, Case(facts), lambda _: Place(DISTRICT), ask) if not hidden else matched

    outcome = ask()
    assert isinstance(outcome, AskBack)
    assert dict(outcome.options).keys() == {"local", "elsewhere"}
    for value, entry_id in outcome.options:
        assert shown(ask(hukou=value))[0] == entry_id


def test_what_is_registered_for_or_voted_on_is_asked_back() -> None:
    outcome = sharper(near(WHEN, {4: 0.4, 5: 0.3, 6: 0.01}))
    assert isinstance(outcome, AskBack)
    assert outcome.options == (("registration", 4), ("voting", 5))


@pytest.mark.parametrize(
    "chances",
    [
        {6: 0.06, 2: 0.04, 3: 0.04},  # rather something else
        {2: 0.8, 3: 0.1},  # rather the first
        {2: 0.3, 3: 0.25, 6: 0.2},  # or a third
        {2: 0.3, 6: 0.3},  # no fact between them
        {3: 0.3, 10: 0.3},  # not the same question for another case
    ],
)
def test_otherwise_the_choices_are_offered(chances: Mapping[int, float]) -> None:
    outcome = sharper(near("要带什么", chances))
    assert type(outcome) is Near
    assert shown(outcome) == list(chances)


def test_what_was_stated_is_not_asked() -> None:
    assert not isinstance(sharper(near(WHAT, {2: 0.3, 3: 0.28}), hukou="local"), AskBack)
    assert not isinstance(sharper(near("外地户口" + WHAT, {2: 0.3, 3: 0.28})), AskBack)


def test_a_matter_of_other_offices_is_not_asked_about() -> None:
    assert type(sharper(near("医保卡要带什么", {2: 0.3, 3: 0.28}))) is Near


# The stage of the election.


def test_the_stage_orders_what_is_nearly_equal() -> None:
    pair = near(WHEN, {4: 0.36, 5: 0.3})
    assert shown(sharper(pair, stage="registration")) == [4, 5]
    assert shown(sharper(pair, stage="vote_day")) == [5, 4]
    assert shown(sharper(pair)) == [4, 5]


def test_the_stage_decides_nothing_alone() -> None:
    assert isinstance(sharper(near(WHEN, {4: 0.4, 5: 0.4}), stage="registration"), Near)
    clear = near(WHEN, {4: 0.5, 5: 0.2})
    assert shown(sharper(clear, stage="vote_day")) == [4, 5]


# In the running program.


async def entries(store: Store, cast: Cast, now: datetime) -> None:
    """The district's entry about lost voter cards, the street's own, and one for staff."""
    lost = ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补")
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0541", phrasings=lost)
        await an_entry(session, cast, now, "K-0542", phrasings=lost, scope_unit_id=cast.riverside.id)
        await an_entry(session, cast, now, "K-0543", phrasings=lost, audience=Audience.STAFF)


@pytest.mark.parametrize("words", ["选民证丢了怎么办？", "我把选民证弄丢了怎么办"])
async def test_each_asker_gets_the_entry_meant_for_them(
    words: str, store: Store, cast: Cast, now: datetime
) -> None:
    await entries(store, cast, now)
    live = LiveBase()

    async def answered(unit: Unit, audience: Audience = Audience.VOTER) -> str:
        async with store.reading() as session:
            outcome = await answer.find(session, live, words, audience=audience, unit=unit, now=now)
        return outcome.best.entry_no if isinstance(outcome, Hit) else ""

    assert await answered(cast.riverside) == "K-0542"
    assert await answered(cast.north) == "K-0541"
    assert await answered(cast.district) == "K-0541"
    assert await answered(cast.north, Audience.STAFF) == "K-0543"


async def test_the_day_and_the_facts_reach_the_choice(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for no, topic, what in (("K-0320", "reg_deadline", "登记"), ("K-0560", "vote_day", "投票")):
            wordings = (f"什么时候{what}", f"几号开始{what}", f"{what}从哪天开始")
            await an_entry(session, cast, now, no, topic=topic, question=WHEN, phrasings=wordings)
    live = LiveBase()

    async def first(at: datetime, **facts: str) -> str:
        async with store.reading() as session:
            outcome = await answer.find(
                session, live, WHEN, audience=Audience.VOTER, unit=cast.district, now=at, facts=facts
            )
        return outcome.candidates[0].entry_no

    assert await first(now) == "K-0320"
    assert await first(now + timedelta(days=38)) == "K-0560"
    assert await first(now, matter="voting") == "K-0560"
