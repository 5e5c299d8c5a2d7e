"""Every setting is written down where people look for it: in the example file and in both readmes."""

import re

import pytest

from bot.settings import Settings
from tests.shape.tree import ROOT

NAMES = [name.upper() for name in Settings.model_fields]


def test_the_example_file_names_every_setting_once_and_in_order():
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE) == NAMES


def test_the_example_file_as_it_is_changes_nothing(tmp_path, monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    example = Settings(_env_file=ROOT / ".env.example")
    assert example.model_dump() == Settings(_env_file=None).model_dump()


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readme_names_every_setting(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert re.findall(r"^\| `([A-Z_]+)` \|", text, re.MULTILINE) == NAMES


def test_every_setting_is_described():
    assert not [name for name, field in Settings.model_fields.items() if not field.description]
