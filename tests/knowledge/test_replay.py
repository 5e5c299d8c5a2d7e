"""Two bases against each other: what counts as worse, and what blocks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from knowledge import replay
from knowledge.lexicon import Lexicon
from knowledge.match import Index
from knowledge.outcomes import Source
from knowledge.replay import Case, Figures, Grade, Said, Turn

LEXICON = Lexicon.from_data({})
CARD = Source(1, "K-0001", "voter_card", "voter", "选民证丢了怎么办", ("选民证不见了", "补办选民证"))
DAY = Source(2, "K-0002", "vote_day", "voter", "哪一天投票选举", ("选举日是什么时候", "投票是几月几号"))
STAFF = Source(3, "K-0003", "st_import", "staff", "批量导入失败怎么处理", ("导入报错怎么办",))
LOST, WHEN = Case("选民证丢了怎么办", "voter_card"), Case("选举日是什么时候", "vote_day")
NOISE = Case("zzz qqq", "none")


def base(*sources: Source) -> Index:
    return Index(sources, LEXICON)


def said(grade: Grade, outcome: str = "hit", *entries: str) -> Said:
    return Said(outcome, entries, grade)


def figures(*, asked: int = 1000, in_scope: int = 800, wrong: int = 0, resolved: int = 700) -> Figures:
    return Figures(asked=asked, in_scope=in_scope, offered=resolved, wrong=wrong)


def unsure(right: int, *, in_scope: int = 800) -> Figures:
    """All that is not right at once is right among the choices."""
    return Figures(asked=1000, in_scope=in_scope, right=right, offered=in_scope - right)


def test_a_new_entry_that_answers_its_questions_passes() -> None:
    found = replay.compare(base(CARD), base(CARD, DAY), (LOST, WHEN, NOISE))
    (change,) = found.changes
    assert (change.case, change.turn) == (WHEN, Turn.BETTER)
    assert change.after == Said("hit", ("K-0002",), Grade.RIGHT)
    assert (found.before.right, found.after.right, found.after.in_scope, found.after.asked) == (1, 2, 2, 3)
    assert found.passed


def test_the_same_base_changes_nothing() -> None:
    found = replay.compare(base(CARD, DAY), base(DAY, CARD), (LOST, WHEN, NOISE))
    assert (found.changes, found.faults, found.before) == ((), (), found.after)


def test_an_entry_that_takes_another_s_questions_is_told_as_wrong() -> None:
    thief = Source(1, "K-0001", "voter_card", "voter", "选举日是什么时候", DAY.phrasings)
    found = replay.compare(base(CARD, DAY), base(thief), (WHEN,))
    assert found.changes[0].after.grade is Grade.WRONG
    assert (found.changes[0].turn, found.after.wrong) == (Turn.WORSE, 1)
    assert "wrong_limit" in found.faults


def test_voters_are_shown_voter_entries_and_staff_both() -> None:
    words = "批量导入失败怎么处理"
    asked = (Case(words, "st_import", audience="staff"), Case(words, "none"))
    run = replay.ask(base(CARD, STAFF), asked)
    assert [one.outcome for one in run.values()] == ["hit", "miss"]
    assert [one.grade for one in run.values()] == [Grade.RIGHT, Grade.RIGHT]


def test_only_what_concerns_the_base_is_asked() -> None:
    staff_only = Case("导入报错", "st_import")
    by_staff = Case("导入报错", "st_import", audience="staff")
    also = Case("换个说法", "unknown", also=("vote_day",))
    asked = (LOST, WHEN, NOISE, staff_only, by_staff, also)
    assert replay.concerned(asked, (DAY, STAFF)) == (WHEN, NOISE, by_staff, also)


def test_out_of_scope_an_answer_is_wrong_and_choices_are_no_help() -> None:
    card = base(CARD)
    answered = replay.ask(card, (Case("补办选民证", "none"),))
    assert replay.count(answered) == Figures(asked=1, wrong=1, astray=1)
    assert next(iter(answered.values())).grade is Grade.WRONG
    other = {NOISE: said(Grade.UNRESOLVED, "near", "K-0001")}
    assert replay.count(other) == Figures(asked=1)


def test_another_topic_that_answers_as_well_is_right() -> None:
    run = replay.ask(base(DAY), (Case("选举日是什么时候", "voter_card", also=("vote_day",)),))
    assert next(iter(run.values())).grade is Grade.RIGHT


@pytest.mark.parametrize(
    ("before", "after", "faults"),
    [
        (figures(), figures(), ()),
        (figures(), figures(wrong=1), ()),
        (figures(), figures(wrong=2), ("wrong_more",)),
        (figures(wrong=2), figures(), ()),
        (figures(wrong=20), figures(wrong=20), ()),
        (figures(wrong=19), figures(wrong=20), ()),
        (figures(wrong=20), figures(wrong=21), ("wrong_limit",)),
        (figures(wrong=30), figures(wrong=30), ()),
        (figures(asked=10, in_scope=8), figures(asked=10, in_scope=8, wrong=1), ("wrong_limit",)),
        (figures(resolved=700), figures(resolved=692), ()),
        (figures(resolved=700), figures(resolved=691), ("resolved_less",)),
        (figures(in_scope=20, resolved=10), figures(in_scope=20, resolved=9), ()),
        (figures(in_scope=20, resolved=10), figures(in_scope=20, resolved=8), ("resolved_less",)),
        (figures(), figures(wrong=25, resolved=600), ("wrong_limit", "wrong_more", "resolved_less")),
        (unsure(700), unsure(696), ()),
        (unsure(700), unsure(695), ("right_less",)),
        (unsure(20, in_scope=20), unsure(18, in_scope=20), ()),
        (unsure(20, in_scope=20), unsure(17, in_scope=20), ("right_less",)),
        (unsure(600), unsure(700), ()),
    ],
)
def test_limits(before: Figures, after: Figures, faults: tuple[str, ...]) -> None:
    assert replay.faults(before, after) == faults


def test_right_at_once_turning_into_a_choice_is_worse_but_not_lost() -> None:
    found = replay.weigh(
        {LOST: said(Grade.RIGHT, "hit", "K-0001")}, {LOST: said(Grade.OFFERED, "near", "K-0001", "K-0002")}
    )
    assert [change.turn for change in found.changes] == [Turn.WORSE]
    assert (found.before.resolved, found.after.resolved, found.faults) == (1, 1, ())


def test_sealed_questions_are_judged_and_counted_and_never_shown() -> None:
    sealed = [Case(f"密封的第{n}句", "voter_card", sealed=True) for n in range(3)]
    good, none = said(Grade.RIGHT, "hit", "K-0001"), said(Grade.UNRESOLVED, "miss")
    asked = [*sealed, LOST, WHEN]
    found = replay.weigh(dict.fromkeys(asked, good), {**dict.fromkeys(sealed, none), LOST: none, WHEN: good})
    assert found.faults == ("resolved_less", "right_less")
    assert found.figures()["sealed"] == {"worse": 3, "better": 0, "other": 0}
    assert found.figures()["open"] == {"worse": 1, "better": 0, "other": 0}
    assert [row["q"] for row in found.shown()] == [LOST.q]
    assert "密封" not in repr((found.shown(), found.figures()))
    with pytest.raises(ValueError, match="never shown"):
        found.changes[0].as_facts()


def test_what_got_worse_is_shown_first() -> None:
    cases = [Case(f"问{n}", "voter_card") for n in range(3)]
    right, wrong = said(Grade.RIGHT, "hit", "K-0001"), said(Grade.WRONG, "hit", "K-0009")
    other = said(Grade.RIGHT, "hit", "K-0002")
    found = replay.weigh(
        dict(zip(cases, (right, wrong, right), strict=True)),
        dict(zip(cases, (other, right, wrong), strict=True)),
    )
    assert [row["turn"] for row in found.shown()] == ["worse", "better", "other"]
    assert found.shown()[0]["after"] == {"outcome": "hit", "entries": ("K-0009",), "grade": "wrong"}


# --- what each entry is asked by its own name ---


def test_each_entry_is_asked_its_standard_question_by_whom_it_is_for() -> None:
    card, staff = replay.own_questions((CARD, STAFF))
    assert (card.q, card.audience, card.entry_no, card.kind) == (CARD.question, "voter", "K-0001", "own")
    assert (staff.audience, staff.in_scope, staff.sealed) == ("staff", True, False)
    run = replay.ask(base(CARD, DAY, STAFF), (card, staff))
    assert [(one.outcome, one.grade) for one in run.values()] == [("hit", Grade.RIGHT)] * 2


def test_another_entry_of_the_same_topic_is_no_right_answer_to_it() -> None:
    twin = replace(CARD, entry_id=9, entry_no="K-0009")
    (own,) = replay.own_questions((CARD,))
    assert replay.ask(base(twin), (own,))[own] == Said("hit", ("K-0009",), Grade.WRONG)
    assert replay.ask(base(CARD, twin), (own,))[own].grade is Grade.OFFERED


def test_two_entries_that_no_longer_answer_their_own_question_block() -> None:
    cases = replay.own_questions((CARD, DAY))
    right, choice = said(Grade.RIGHT, "hit", "K-0001"), said(Grade.OFFERED, "near", "K-0001", "K-0009")
    before = dict.fromkeys(cases, right)
    one, both = {cases[0]: choice, cases[1]: right}, dict.fromkeys(cases, choice)
    assert replay.weigh(before, one).faults == ()
    assert replay.weigh(before, both).faults == ("own_less",)
    assert replay.weigh(both, both).faults == ()
    # Golden questions beside them fall back to choices as well: that alone is no such fault.
    golden = {LOST: right, WHEN: right}
    assert replay.weigh(golden, dict.fromkeys(golden, choice)).faults == ()


def test_a_new_model_may_answer_a_little_less_at_once_and_not_much_less() -> None:
    before = replay.Figures(
        asked=1000, in_scope=1000, right=600, offered=300, unresolved=90, wrong=10, astray=0
    )
    little = replay.Figures(
        asked=1000, in_scope=1000, right=580, offered=320, unresolved=90, wrong=10, astray=0
    )
    much = replay.Figures(
        asked=1000, in_scope=1000, right=560, offered=340, unresolved=90, wrong=10, astray=0
    )
    assert replay.faults(before, little) == ("right_less",)
    assert replay.faults(before, little, replay.MODEL_FALL) == ()
    assert replay.faults(before, much, replay.MODEL_FALL) == ("right_less",)
