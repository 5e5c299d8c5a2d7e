"""What a score is worth, and from where one may answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.calibrate import (
    FAINTEST,
    FIRMEST,
    HIGHEST,
    KNOTS,
    LOWEST,
    TRUST,
    Curve,
    answer_from,
    curve,
    isotonic,
    offer_from,
    verdicts_on,
)


def test_neighbours_out_of_order_share_their_mean() -> None:
    assert isotonic(np.array([1.0, 3.0, 2.0, 5.0]), np.ones(4)) == pytest.approx([1, 2.5, 2.5, 5])
    assert isotonic(np.array([4.0, 1.0]), np.array([3.0, 1.0])) == pytest.approx([3.25, 3.25])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_what_comes_out_rises_and_keeps_the_mean(values: list[float]) -> None:
    found = isotonic(np.array(values), np.ones(len(values)))
    assert (np.diff(found) >= -1e-12).all()
    assert found.mean() == pytest.approx(np.mean(values))


def test_a_curve_says_how_often_a_score_was_right() -> None:
    dice = np.random.default_rng(3)
    scores = dice.random(20_000)
    right = (dice.random(20_000) < scores**2).astype(float)
    found = curve(scores, right, np.ones(20_000))
    for score in (0.2, 0.5, 0.9):
        assert found(score) == pytest.approx(score**2, abs=0.05)
    assert list(found.worths) == sorted(set(found.worths))


def test_few_scores_give_the_plain_curve() -> None:
    assert curve(np.array([0.5]), np.array([0.0]), np.array([1.0])) == Curve()
    assert Curve()(0.37) == 0.37


def test_verdicts_bend_the_curve_only_where_they_were_given_and_only_in_number() -> None:
    assert verdicts_on(Curve(), []) == Curve()
    one = verdicts_on(Curve(), [(0.9, False)])
    many = verdicts_on(Curve(), [(0.9, False)] * 200)
    assert one(0.9) == pytest.approx(0.9, abs=0.05)
    assert many(0.9) < 0.6
    assert many(0.2) == pytest.approx(0.2, abs=0.05)
    assert many(0.85) < many(0.95)


def test_the_point_to_answer_from_keeps_the_wanted_share_of_all_questions() -> None:
    worths = np.linspace(1, 0, 1001)
    right = (worths > 0.7).astype(float)
    found = answer_from(worths, right, np.ones(1001), wanted_wrong=0.05)
    assert ((worths >= found) & (right == 0)).mean() == pytest.approx(0.05, abs=0.004)
    assert answer_from(worths, right, np.ones(1001), wanted_wrong=0.01) > found


def test_a_base_without_evidence_is_careful_and_a_perfect_one_not_reckless() -> None:
    assert answer_from(np.array([0.9]), np.array([1.0]), np.array([1.0]), 0.01) == HIGHEST
    sure = answer_from(np.linspace(0, 1, 500), np.ones(500), np.ones(500), 0.01)
    assert sure == LOWEST


def test_choices_are_offered_as_long_as_few_answers_are_lost() -> None:
    worths = np.linspace(0, 1, 1001)
    assert offer_from(worths, np.ones(1001), lost=0.1) == pytest.approx(0.1, abs=0.002)
    assert offer_from(worths, np.ones(1001), lost=0.5) == FIRMEST
    assert offer_from(np.ones(5), np.ones(5)) == FAINTEST


def test_each_part_of_a_curve_is_its_share_of_right_ones_with_half_a_doubt() -> None:
    scores = np.linspace(0, 1, 4 * KNOTS)
    right = (scores > 0.5).astype(float)
    found = curve(scores, right, np.ones(len(scores)))
    last = float(scores[-4:].mean())
    assert found.scores[-2] == pytest.approx(last, abs=1e-4)
    assert found.worths[-2] == pytest.approx((4 + 0.5 * last) / 4.5, abs=1e-3)
    assert found.worths[1] == pytest.approx(0.5 * float(scores[:4].mean()) / 4.5, abs=1e-3)
    assert (found(0.0), found(1.0)) == (0.0, 1.0)
    assert len(found.scores) == KNOTS + 2
    assert curve(scores[:-1], right[:-1], np.ones(len(scores) - 1)) == Curve()


def test_who_counts_more_bends_the_curve_more() -> None:
    scores = np.tile(np.linspace(0.01, 0.99, 500), 2)
    right = np.repeat([1.0, 0.0], 500)
    light, heavy = (curve(scores, right, np.repeat([1.0, weight], 500))(0.5) for weight in (1.0, 3.0))
    assert light == pytest.approx(0.5, abs=0.02)
    assert heavy == pytest.approx(0.25, abs=0.02)


def test_as_many_verdicts_as_trust_are_worth_as_much_as_the_base() -> None:
    bent = verdicts_on(Curve(), [(0.925, True)] * TRUST)
    assert bent(0.925) == pytest.approx((TRUST * 0.925 + TRUST) / (2 * TRUST), abs=0.03)
    before = Curve((0.0, 0.5, 1.0), (0.0, 0.8, 1.0))
    after = verdicts_on(before, [(0.8, False)] * 400)
    assert after.scores == before.scores
    assert after(0.5) < 0.6


def test_the_point_to_answer_from_counts_weights_and_one_error_more() -> None:
    worths = np.array([0.9, 0.8, 0.7, 0.6])
    right = np.array([1.0, 1.0, 0.0, 1.0])
    assert answer_from(worths, right, np.ones(4), wanted_wrong=0.25) == 0.8
    assert answer_from(worths, right, np.ones(4), wanted_wrong=0.5) == 0.6
    assert answer_from(worths, right, np.array([1.0, 1.0, 0.1, 1.0]), wanted_wrong=0.3) == 0.6
