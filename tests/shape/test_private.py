"""Nothing in the tree tells of a machine or looks like a person's number."""

import re

from tests.shape.tree import ROOT, files, name

TEXTS = (".py", ".md", ".yaml", ".yml", ".jsonl", ".json", ".toml", ".html", ".css", ".js", ".po", ".txt",
         ".service", ".conf", ".mako", "")  # fmt: skip
_ID = re.compile(r"(?<![0-9A-Fa-f])[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9Xx](?![0-9A-Fa-f])")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
# The example printed in the national standard (GB 11643), which nobody bears; its check digit is X.
STANDARD = "11010519491231002"
_MOBILE = re.compile(r"(?<![0-9A-Za-z.])1[3-9][0-9]{9}(?![0-9A-Za-z])")
_MACHINE = re.compile(r"(?<![\w.<])/(?:work|tmp|home|root|Users)/|[A-Z]:\\\\")


def texts():
    for path in files(*TEXTS):
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise AssertionError(f"{name(path)} is no text in UTF-8") from error


def could_be_issued(number):
    """Whether the check digit is right: then somebody may bear it, and it must not stand in the tree."""
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[-1].upper()


def test_no_path_of_a_machine_is_written_down():
    assert not [name(path) for path, text in texts() if _MACHINE.search(text)]


def test_no_identity_number_that_somebody_may_bear():
    """Tests use numbers whose check digit is wrong: redaction does not care, and nobody bears them."""
    found = {
        name(path): number
        for path, text in texts()
        for number in _ID.findall(text)
        if could_be_issued(number) and number.upper() != STANDARD + "X"
    }
    assert not found


def test_the_check_digit_is_computed_right():
    assert [digit for digit in "0123456789X" if could_be_issued(STANDARD + digit)] == ["X"]


def test_no_number_in_the_data_looks_like_a_mobile():
    data = [(path, text) for path, text in texts() if (ROOT / "data") in path.parents]
    assert len(data) > 100
    assert not [name(path) for path, text in data if _MOBILE.search(text)]
