"""The conversation, ready to be held."""

from __future__ import annotations

from datetime import datetime

import pytest

from office.store import Store
from tests.journeys.conversation import Chat, Town, open_town
from tests.make import Cast


@pytest.fixture
def town(store: Store, cast: Cast, now: datetime) -> Town:
    """The desk at the frozen moment of the tests."""
    return open_town(store, cast, now)


@pytest.fixture
def chat(town: Town) -> Chat:
    """张敏's private chat."""
    return town.chat()
