"""The model as text: what was written is read, anything else is refused."""

import json
from dataclasses import replace

import pytest

from knowledge.calibrate import Curve
from knowledge.model import SHIPPED, Model


def test_a_model_survives_being_written_down() -> None:
    assert Model.from_json(SHIPPED.as_json()) == SHIPPED
    assert Model.from_json(SHIPPED.as_json()).digest == SHIPPED.digest


def test_another_weight_is_another_model() -> None:
    other = replace(SHIPPED, features={**SHIPPED.features, "ratio": 0.123})
    assert other.digest != SHIPPED.digest


def spoiled(**changes: object) -> str:
    return json.dumps(json.loads(SHIPPED.as_json()) | changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "not json",
        spoiled(features={"ratio": 1.0}),
        spoiled(left={"登": "much"}),
        spoiled(left={"登": float("nan")}),
        spoiled(left=None),
        spoiled(thresholds={"hit": 0.5, "tall": 1.0}),
        spoiled(curve={"scores": [0.5, 0.1], "worths": [0.1, 0.2]}),
        spoiled(curve={"scores": [0.1, 0.5], "worths": [0.1]}),
        spoiled(curve={"scores": [0.1, 1.5], "worths": [0.1, 0.2]}),
    ],
)
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Model.from_json(text)


def test_without_a_curve_a_share_of_belief_is_its_own_probability() -> None:
    assert replace(SHIPPED, curve=Curve()).curve(0.4) == 0.4
