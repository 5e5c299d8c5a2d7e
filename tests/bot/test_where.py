"""`manage.py where`: a script's answer, a page to read, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bot import where

ROOT = Path(__file__).parent.parent.parent
GOLDEN = "我户口在嘉善，老公是朱泾人，我没工作，住罗星居民区，想在这里选。"


def asked(
    capsys: pytest.CaptureFixture[str], facts: object = None, text: str = "", pack: str = "shanghai"
) -> dict[str, object]:
    assert where.run(pack, json.dumps(facts or {}), text, as_json=True) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_facts_give_the_row_with_its_basis(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"hukou": "same_city", "status": "none", "live": "apart"}
    assert asked(capsys, facts) == {
        "leaf": "A3b", "ticket": False, "topic": "reg_separation", "basis": "细则20(三)、末款",
    }  # fmt: skip


def test_words_give_what_slots_they_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, text=GOLDEN) == {
        "leaf": "B1", "ticket": True, "topic": "migrant_relaxed", "basis": "细则20(十)",
    }  # fmt: skip


def test_facts_win_over_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, {"cert": "yes"}, GOLDEN)["leaf"] == "A10a"


def test_an_open_question_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert asked(capsys, {"hukou": "local"}) == {
        "leaf": None, "ticket": False, "topic": None, "basis": "", "ask": "status",
    }  # fmt: skip


def test_each_region_has_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"hukou": "elsewhere", "cert": "yes", "permit": "yes"}
    assert asked(capsys, facts, pack="zhejiang")["basis"] == "浙江细则27(五)"


def test_a_page_to_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert where.run("shanghai", '{"cert": "yes"}', GOLDEN, as_json=False) == 0
    page = capsys.readouterr().out
    assert "您的情况：外省市户口，没有单位，不住在户口所在地，有证明。" in page
    assert "可以在上海的现居住地或者工作单位登记。" in page
    assert "要带：选民资格证明；身份证" in page
    assert "《上海市区和乡镇人民代表大会代表直接选举实施细则》第二十条第（十）项" in page
    assert "A10a · reg_migrant · 登记组\n" in page


def test_steps_and_a_person_are_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    facts = {"hukou": "elsewhere", "status": "none", "cert": "no", "relax": "no"}
    where.run("shanghai", json.dumps(facts), "", as_json=False)
    assert "\n1. 向户口所在地的选举机构开选民资格证明" in capsys.readouterr().out
    where.run("shanghai", '{"hukou": "unsure"}', "", as_json=False)
    assert "登记组 · 转人工" in capsys.readouterr().out


def test_the_next_question_is_on_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    where.run("shanghai", "{}", "", as_json=False)
    page = capsys.readouterr().out
    assert "还要问：您的户口在哪里？（hukou）" in page
    assert "  外省市（elsewhere）" in page


@pytest.mark.parametrize(
    ("pack", "facts", "said"),
    [
        ("atlantis", "{}", "atlantis"),
        ("../shanghai", "{}", "../shanghai"),
        ("shanghai", '{"hukuo": "local"}', "hukuo"),
        ("shanghai", '{"hukou": "mars"}', "mars"),
        ("shanghai", '{"hukou": ["local"]}', "hukou"),
        ("shanghai", "{", "JSON"),
        ("shanghai", "[]", "--facts"),
    ],
)
def test_what_is_not_known_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], pack: str, facts: str, said: str
) -> None:
    assert where.run(pack, facts, "", as_json=True) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert said in printed.err
    assert printed.err.count("\n") == 1


def test_the_command_starts_without_the_conversation() -> None:
    script = (
        "import sys, bot.__main__ as m\n"
        "sys.argv = ['manage.py', 'where', '--facts', '{\"hukou\": \"unsettled\"}', '--json']\n"
        "assert m.main() == 0\n"
        "slow = {'aiogram', 'fastapi', 'sqlalchemy', 'numpy', 'opencc'} & set(sys.modules)\n"
        "assert not slow, slow\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["leaf"] == "A11"
