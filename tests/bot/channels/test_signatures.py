"""The signatures of group robots, against published answers and against the platforms' own examples."""

from __future__ import annotations

from bot.channels import dingtalk, feishu
from tests.servers.robots import dingtalk_sign, feishu_sign


def test_signatures_are_those_of_known_answers() -> None:
    """Of the same secret and second, as independent implementations in Go and JavaScript publish them."""
    assert feishu.sign("xxx", 1661860880) == "QnWVTSBe6FmQDE0bG6X0mURbI+DnvVyu1h+j5dHOjrU="
    assert dingtalk.sign("xxx", 1661860880) == "dIUMcehSFkPlWOGqwoP5EFcartyN67QSY9wbVW+hTbE="
    for secret, at in (("SEC0123456789abcdef", 1763604300123), ("带中文的秘密", 1), ("+/=&", 2**40)):
        assert dingtalk.sign(secret, at) == dingtalk_sign(str(at), secret)
        assert feishu.sign(secret, at) == feishu_sign(str(at), secret)
