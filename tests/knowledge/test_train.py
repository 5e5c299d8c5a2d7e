"""Fitting the weights: a base asked about itself."""

import random

import numpy as np
import pytest

from knowledge.grams import Floats
from knowledge.match import Index, Source
from knowledge.model import SHIPPED
from knowledge.noise import misplace, spoil
from knowledge.pairs import FEATURES
from knowledge.phrasebook import Phrasebook
from knowledge.school import DENSE, NO_ENTRY, Label, Lesson, School, lessons
from knowledge.text import Lexicon
from knowledge.train import Sheet, descend, fit, learn, prior_weights

LEXICON = Lexicon.from_data({"foreign": ["公交卡", "医保"]})
BASE = (
    Source(1, "K-1", "card", "voter", "选民证丢了怎么办", ("选民证不见了要补吗", "找不到选民证还能投票吗")),
    Source(2, "K-2", "day", "voter", "选举日是哪一天", ("今年什么时候投票选举", "投票的日子定了没有")),
    Source(3, "K-3", "day", "voter", "投票几点结束", ("投票站几点关门", "晚上几点以后不能投票")),
    Source(4, "K-4", "import", "staff", "批量导入失败怎么处理", ("导入模板一直报错", "名册表格导不进系统")),
)


def test_the_shipped_weights_belong_to_the_features() -> None:
    assert len(SHIPPED.weights) == len(FEATURES)
    assert np.count_nonzero(SHIPPED.weights) > len(FEATURES) / 2
    assert SHIPPED.weights[FEATURES.index("opposite")] < 0
    assert SHIPPED.left
    assert SHIPPED.missing


def test_the_same_base_gives_the_same_lessons() -> None:
    first, second = (list(School(BASE, LEXICON, 5).hidden(0.5)) for _ in range(2))
    assert len(first) == len(second) > 6
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.rows, other.rows)
        assert one.left == other.left


def test_a_hidden_phrasing_is_not_among_its_own_answers() -> None:
    """Or the model would learn that the right answer is always there word for word."""
    same = FEATURES.index("same_sound")
    asked = list(School(BASE, LEXICON, 1).hidden(0.0))
    assert any(one.right.any() for one in asked)
    assert not any(one.rows[:, same].any() for one in asked)


def test_after_school_nothing_stays_hidden() -> None:
    book = Phrasebook(LEXICON, SHIPPED.words)
    book.build(BASE)
    with book.without(book.entries[1].numbers):
        assert not _found(book, "选民证丢了怎么办") & {1}
    assert 1 in _found(book, "选民证丢了怎么办")


def _found(book: Phrasebook, text: str) -> set[int]:
    from knowledge.features import form

    numbers, _ = book.pairs(form(text, LEXICON), lambda _: True)
    return {book.phrasings[number].entry_id for number in numbers}


def test_matters_of_other_offices_have_no_right_answer() -> None:
    asked = list(School(BASE, LEXICON, 1).foreign(1.0))
    assert asked
    assert not any(one.right.any() for one in asked)


def lesson(rows: Floats, right: list[bool], left: tuple[tuple[str, ...], ...], group: int = 1) -> Lesson:
    many = len(right)
    return Lesson(
        rows=rows,
        right=np.array(right),
        none_right=not any(right),
        entries=tuple(range(1, many + 1)),
        kin=np.zeros(many, dtype=bool),
        answerable=np.ones(many, dtype=bool),
        left=left,
        missing=((),) * many,
        weight=1.0,
        group=group,
    )


def test_fitting_finds_what_tells_right_from_wrong() -> None:
    dice = np.random.default_rng(1)
    telling = FEATURES.index("ratio")
    taught = []
    for place in range(200):
        rows = dice.random((4, DENSE))
        rows[:, 0] = 1
        right = [False] * 4
        rows[:, telling] = 0.1
        if place % 3:
            right[place % 4] = True
            rows[place % 4, telling] = 0.9
        taught.append(lesson(rows, right, tuple(("登",) if held else ("雨",) for held in right)))
    sheet = Sheet.of(taught)
    found = fit(sheet, np.zeros(DENSE), pull=3.0)
    assert int(np.argmax(found[:DENSE])) == telling
    words = dict(zip(sheet.names, found[DENSE:], strict=True))
    assert words["left", "雨"] < 0 < words["left", "登"]


def test_a_strong_pull_keeps_the_prior() -> None:
    rows = np.ones((2, DENSE))
    prior = np.linspace(-1, 1, DENSE)
    found = fit(Sheet.of([lesson(rows, [True, False], ((), ()))]), prior, pull=1e6)
    assert found == pytest.approx(prior, abs=1e-3)


def test_labels_teach_the_right_entry_and_away_from_the_wrong_one() -> None:
    school = School(BASE, LEXICON, 1)
    yes, no, none, gone = (
        list(school.labelled([Label("投票选在哪一天", entry, right, 0.5)]))
        for entry, right in ((2, True), (2, False), (NO_ENTRY, True), (99, True))
    )
    assert [one.right.any() for one in yes] == [True]
    assert not yes[0].none_right
    assert yes[0].weight == 0.5
    assert list(no[0].right) == [not held for held in yes[0].right]
    assert no[0].none_right
    assert none[0].none_right
    assert not none[0].right.any()
    assert gone == []


def test_a_label_that_became_a_phrasing_is_not_its_own_proof() -> None:
    same = FEATURES.index("same_sound")
    found = list(School(BASE, LEXICON, 1).labelled([Label("今年什么时候投票选举", 2, True, 1.0)]))
    assert not found[0].rows[:, same].any()


def test_a_base_with_few_phrasings_keeps_the_prior_and_answers_only_what_is_sure() -> None:
    model = learn(BASE, LEXICON)
    assert model.left == {} == model.missing
    assert model.weights[:-1] == pytest.approx(prior_weights())
    assert model.thresholds.hit > 0.9


def grown(dice: random.Random) -> list[Source]:
    """Forty entries of one shape each, known by five phrasings: enough to learn from."""
    things = [first + second for first in "选登名投提公委罢" for second in "民册单票名"]
    asks = ("{}丢了怎么办", "{}在哪里可以拿到", "请问{}多久能办下来", "我的{}什么时候能发", "{}写错了找谁改")
    return [
        Source(n, f"K-{n}", f"topic{n}", "voter", asks[0].format(thing),
               tuple(ask.format(thing) for ask in dice.sample(asks[1:], 4)))
        for n, thing in enumerate(things, start=1)
    ]  # fmt: skip


def test_the_same_base_gives_the_same_model_and_another_seed_of_entries_another() -> None:
    base = grown(random.Random(1))
    one, other = (learn(base, LEXICON, effort=400) for _ in range(2))
    assert one == other
    assert one.left
    assert learn(base[:30], LEXICON, effort=400).digest != one.digest


def test_who_wants_fewer_wrong_answers_gets_a_higher_threshold() -> None:
    base = grown(random.Random(1))
    careful, bold = (learn(base, LEXICON, wanted_wrong=share, effort=400) for share in (0.001, 0.2))
    assert careful.thresholds.hit > bold.thresholds.hit


def test_lessons_are_many_for_a_small_base_and_bounded_for_a_big_one() -> None:
    assert len(lessons(BASE, LEXICON)) > len(lessons(BASE, LEXICON, most=1)) > 0


def test_descending_reaches_the_lowest_point() -> None:
    goal = np.array([3.0, -2.0, 0.5])

    def bowl(at: Floats) -> tuple[float, Floats]:
        off = (at - goal) * np.array([1.0, 10.0, 100.0])
        return float((off * (at - goal)).sum()), 2 * off

    assert descend(bowl, np.zeros(3)) == pytest.approx(goal, abs=1e-3)


def test_noise_is_repeatable_and_does_something() -> None:
    text = "选民证丢了还能不能去投票站投票"
    assert [spoil(text, random.Random(n)) for n in range(20)] == [
        spoil(text, random.Random(n)) for n in range(20)
    ]
    assert len({spoil(text, random.Random(n)) for n in range(20)}) > 12
    assert spoil("投票", random.Random(3)).count("投票") == 1


def test_a_misplaced_word_takes_the_telling_one_with_it() -> None:
    weights = {"选": 1.0, "民": 1.0, "证": 4.0}
    found = misplace(
        "选民证丢了怎么办", "选民证丢", lambda char: weights.get(char, 0.1), ["公交卡"], random.Random(1)
    )
    assert found is not None
    assert "公交卡" in found
    assert "证" not in found
    assert misplace("怎么办", "", lambda _: 1.0, ["公交卡"], random.Random(1)) is None


def test_what_another_office_does_is_not_answered() -> None:
    index = Index(BASE, LEXICON)
    assert not LEXICON.foreign.get("选")
    outcome = index.rank("公交卡选民证丢了怎么办")
    assert type(outcome).__name__ != "Hit"


def test_of_two_that_fit_alike_the_asker_s_own_wins() -> None:
    pair = (
        Source(1, "K-1", "a", "voter", "名单上的人过世了怎么处理呢", ()),
        Source(2, "K-2", "b", "staff", "名单上的人过世了怎么处理吧", ()),
    )
    index = Index(pair, LEXICON)
    plainly, preferred = (
        index.rank("名单上有人过世了要怎么处理", prefer=prefer)
        for prefer in (None, lambda number: number == 2)
    )
    first, second = ({c.entry_id: c.probability for c in out.candidates} for out in (plainly, preferred))
    assert second[2] > first[2]
    assert second[2] > second[1]
