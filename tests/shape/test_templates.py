"""What browsers are sent: nothing inline, nothing from anybody else's server."""

import re

from admin import pages
from admin.headers import HEADERS
from tests.shape.tree import ROOT, name

TEMPLATES = sorted((ROOT / "admin" / "templates").rglob("*.html"))
STATIC = sorted(path for path in (ROOT / "admin" / "static").iterdir() if path.is_file())
# A name in XML, which no browser asks for.
NAMESPACE = "http://www.w3.org/2000/svg"


def without_comments(path):
    text = path.read_text(encoding="utf-8").replace(NAMESPACE, "")
    return re.sub(r"\{#.*?#\}|/\*.*?\*/", "", text, flags=re.DOTALL)


def test_templates_have_no_inline_script_or_style():
    """The policy of the headers would refuse them in silence."""
    inline = re.compile(
        r"""<style\b|<script\b(?![^>]*\bsrc=)|\sstyle\s*=|\son[a-z]+\s*=\s*["']|javascript:""", re.IGNORECASE
    )
    assert TEMPLATES
    assert not [name(path) for path in TEMPLATES if inline.search(without_comments(path))]


def test_nothing_is_fetched_from_third_parties():
    address = re.compile(r"(?:https?:)?//[A-Za-z0-9-]+\.[A-Za-z]")
    found = [name(path) for path in (*TEMPLATES, *STATIC) if address.search(without_comments(path))]
    assert not found


def test_scripts_write_no_markup_from_strings_of_their_own():
    """`eval` and friends are refused by the policy; a script that needs them is broken."""
    forbidden = re.compile(r"\beval\(|new Function\(|document\.write\(")
    scripts = [path for path in STATIC if path.suffix == ".js"]
    assert scripts
    assert not [name(path) for path in scripts if forbidden.search(without_comments(path))]


def test_data_is_never_trusted_as_markup():
    """`|safe` is for what our own code has made of escaped parts: the messages of the chat."""
    found = {name(path) for path in TEMPLATES if re.search(r"\|\s*safe\b", without_comments(path))}
    assert not found


def test_every_template_compiles():
    environment = pages.environment()
    for template in environment.list_templates():
        environment.get_template(template)


def test_the_policy_stays_strict():
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
