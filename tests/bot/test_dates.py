"""The command `dates`: the table of a region's days as JSON or to read, and one line about what is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from bot import dates
from knowledge import packs
from knowledge.calendar import DateKind
from tests.shape.tree import ROOT

KEYS = [kind.value for kind in DateKind if kind not in (DateKind.REGISTRATION, DateKind.LOOKUP)]


def run(capsys: pytest.CaptureFixture[str], day: str, posted: str | None = None, pack: str = "shanghai"):
    assert dates.run(pack, day, posted, as_json=True) == 0
    return json.loads(capsys.readouterr().out)


def test_the_days_of_an_earlier_election(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "2021-11-16")
    assert list(found) == KEYS
    assert found["list_posted"] == "2021-10-27"
    assert found["nominees_posted"] == "2021-11-01"
    assert found["candidates_posted"] == "2021-11-09"
    assert found["suits_close"] == "2021-11-11"
    assert found["list_amended"] == "2021-11-14"
    assert found["age_line"] == "2003-11-16"
    assert found["registration_opens"] is None
    assert found["registration_closes"] is None


def test_the_list_that_was_posted_moves_what_counts_from_it(capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "2026-12-29", "2026-12-09")
    assert (found["appeals_close"], found["appeal_decided"]) == ("2026-12-14", "2026-12-17")
    found = run(capsys, "2026-12-29", "2026-12-01")
    assert (found["list_posted"], found["appeals_close"]) == ("2026-12-01", "2026-12-06")


@pytest.mark.parametrize("pack", packs.names())
def test_every_pack_gives_every_key(capsys: pytest.CaptureFixture[str], pack: str) -> None:
    found = run(capsys, "2026-12-29", pack=pack)
    assert list(found) == KEYS
    assert found["list_posted"] == "2026-12-09"


@pytest.mark.parametrize("pack", packs.names())
def test_the_table_names_rule_and_basis(capsys: pytest.CaptureFixture[str], pack: str) -> None:
    assert dates.run(pack, "2026-12-29", None, as_json=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == KEYS
    rules = {rule.kind: rule for rule in packs.load(pack).offsets}
    for line in lines:
        rule = rules.get(line.split()[0])
        # Voting begins on election day and takes as long as the office enters.
        if rule is not None and rule.relation == "offset" and rule.kind != "voting":
            assert rule.citation in line
            assert f"{rule.base}{rule.days:+d}" in line


@pytest.mark.parametrize(
    ("pack", "day", "posted", "named"),
    [
        ("atlantis", "2026-12-29", None, "--pack"),
        ("../shanghai", "2026-12-29", None, "--pack"),
        ("shanghai", "2026-12-32", None, "--election-day"),
        ("shanghai", "", None, "--election-day"),
        ("shanghai", "tomorrow", None, "--election-day"),
        ("shanghai", "0001-01-01", None, "--election-day"),
        ("shanghai", "9999-12-31", None, "--election-day"),
        ("shanghai", "2026-12-29", "soon", "--posted"),
        ("shanghai", "2026-12-29", "2026-12-10", "--posted"),
        ("shanghai", "2026-12-29", "2027-01-05", "--posted"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], pack: str, day: str, posted: str | None, named: str
) -> None:
    assert dates.run(pack, day, posted, as_json=True) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(named)
    assert err.count("\n") == 1


def test_from_the_command_line() -> None:
    asked = [sys.executable, "manage.py", "dates", "--pack", "shanghai", "--election-day"]
    good = subprocess.run([*asked, "2026-12-29", "--json"], cwd=ROOT, capture_output=True, check=False)
    assert good.returncode == 0
    assert json.loads(good.stdout)["candidates_posted"] == "2026-12-22"
    bad = subprocess.run(
        [*asked, "2026-12-29", "--posted", "2026-12-30"], cwd=ROOT, capture_output=True, check=False
    )
    assert (bad.returncode, bad.stdout) == (2, b"")
