"""What need not be said twice in a short while."""

from __future__ import annotations

from datetime import datetime, timedelta

MOST_REMEMBERED = 10_000


class Sparing:
    """Remembers what was just said to whom, in this process only: forgetting costs one line too many."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def lately(self, key: str, now: datetime) -> bool:
        """Whether `key` is remembered; asking changes nothing."""
        return self._until.get(key, now) > now

    def first_in(self, key: str, span: timedelta, now: datetime) -> bool:
        """Whether `key` has not come within `span`; if so, it is remembered from now on."""
        if self._until.get(key, now) > now:
            return False
        if len(self._until) >= MOST_REMEMBERED:
            self._until = {k: until for k, until in self._until.items() if until > now}
        self._until[key] = now + span
        return True
