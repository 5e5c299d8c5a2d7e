"""What is typed on the secure page: checked, brought to one form, and never kept, shown or written down."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from admin.forms import Form
from knowledge.roll import challenges, identity, receipts
from knowledge.roll.challenges import Challenge
from knowledge.roll.identity import BadIdentity
from office.errors import Invalid

LONGEST = 200
_ROUND = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One sent form: a receipt code, or name and number; both empty where they cannot be used.

    `errors` are wording keys by field. What was typed shows in no `repr`, so that no log can hold it.
    """

    round: str
    name: str = field(default="", repr=False)
    number: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    answer: str = field(default="", repr=False)
    errors: Mapping[str, str] = field(default_factory=dict)


def question(secret: bytes, pass_token: str, which: str) -> Challenge:
    """The question of one showing of the form; bound to the pass, so that an answer is of use there alone."""
    return challenges.draw(hmac.digest(secret, f"lookup:{pass_token}:{which}".encode(), "sha256"))


def fresh() -> str:
    """The name of a question that was not asked yet."""
    return secrets.token_hex(8)


def read(form: Form, secret: bytes, pass_token: str, today: date) -> Asked:
    """Read a sent form. A right answer stays right when something else has to be mended.

    `today` is the day in Beijing.
    """
    which = form.text("round")
    if not _ROUND.fullmatch(which):
        raise Invalid("form_broken")
    if form.text("way") == "receipt":
        return _receipt(form.text("code"), which)
    errors: dict[str, str] = {}
    name = _checked(errors, "name", form.text("name"), identity.read_name)
    number = _checked(errors, "number", form.text("number"), lambda raw: identity.read_number(raw, today))
    answer = form.text("answer")[: challenges.LONGEST_ANSWER]
    if not question(secret, pass_token, which).answered_by(answer):
        errors["answer"] = "lookuppage.error.answer" if answer.strip() else "lookuppage.error.empty_answer"
        which, answer = fresh(), ""
    if errors:
        return Asked(which, answer=answer, errors=errors)
    return Asked(which, name, number)


def _receipt(typed: str, which: str) -> Asked:
    if not typed.strip():
        return Asked(which, errors={"code": "lookuppage.error.empty_code"})
    try:
        return Asked(which, code=receipts.read_code(typed[:LONGEST]))
    except Invalid:
        return Asked(which, errors={"code": "lookuppage.error.code"})


def _checked(errors: dict[str, str], name: str, typed: str, reading: Callable[[str], str]) -> str:
    if not typed.strip():
        errors[name] = f"lookuppage.error.empty_{name}"
        return ""
    try:
        return reading(typed[:LONGEST])
    except BadIdentity as problem:
        errors[name] = f"lookuppage.error.{problem.key}"
        return ""
