"""What has become of a robot's test message, in words: sent, failed and why, or waiting for when."""

from __future__ import annotations

import re
from typing import Any

from admin import times
from admin.pages import Desk
from office import robot_use
from office.outbox import Delivery, DeliveryState
from office.robots import Robot
from ticketing import tip_arrivals

PENDING = (DeliveryState.DUE, DeliveryState.CLAIMED)
_CODE = re.compile(r"refuses with (-?[0-9]{1,9})")


async def view(desk: Desk, robot: Robot) -> dict[str, Any]:
    """The last test message; `over`: nothing changes any more by itself."""
    row = await robot_use.last_test(desk.session, robot.contact)
    here = {"base": f"/admin/robots/{robot.row.id}"}
    if row is None:
        return here | {"over": True, "result": None}
    stopped = robot.row.stopped_at is not None
    waits = row.state in PENDING
    said = {
        "asked": desk.t("robots.test_asked", at=_moment(desk, row.created_at)),
        "words": desk.t("robots.test_failed"),
        "tone": "danger",
        "note": _why(desk, row),
    }
    if row.state is DeliveryState.SENT:
        at = _moment(desk, row.sent_at or row.created_at)
        note = desk.t("robots.test_at", at=at)
        said |= {"words": desk.t("robots.test_sent"), "tone": "good", "note": note}
    elif waits and stopped:
        note = desk.t_or(f"robots.why.{robot.row.stopped_why}", "")
        said |= {"words": desk.t("robots.test_held"), "tone": "warn", "note": note}
    elif waits:
        again = desk.t("robots.test_again", why=_why(desk, row), at=_moment(desk, row.due_at))
        said |= {
            "words": desk.t("robots.test_waits"),
            "tone": "info",
            "note": again if row.last_error else "",
        }
    return here | {"over": not waits or stopped, "result": said}


def _why(desk: Desk, row: Delivery) -> str:
    """Why it did not leave; of what the platform said its number alone, which its handbook explains."""
    why = desk.t(f"tipboard.why_{tip_arrivals.why(row) or 'other'}")
    code = _CODE.search(row.last_error)
    return desk.t("robots.test_code", why=why, code=code[1]) if code else why


def _moment(desk: Desk, at: Any) -> str:
    return times.moment(at, desk.frame.language)
