"""What core lends to a link, for tests of links alone: nothing, save what a test puts in its place."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NoReturn

from providers.core.contract import Clock, Inbound
from providers.core.http import Http
from providers.core.redaction import Secret


class Lending:
    """Implements `LinkTools`; a test subclasses it for what its link may ask for."""

    looking = False

    @property
    def clock(self) -> Clock:
        return lambda: datetime(2026, 5, 4, tzinfo=UTC)

    def http(self, host: str) -> Http:
        self._refuse()

    def admin_login(self, host: str, path: str) -> Mapping[str, Secret] | None:
        self._refuse()

    def hub(self, name: str) -> Mapping[str, Secret] | None:
        self._refuse()

    def inbound(self) -> Inbound | None:
        return None

    def receive(self, values: Mapping[str, Secret], generation: int) -> None:
        self._refuse()

    def notes(self) -> Mapping[str, str]:
        return {}

    def note(self, notes: Mapping[str, str]) -> None:
        self._refuse()

    def generation_of(self, secret: Mapping[str, Secret]) -> int | None:
        self._refuse()

    @staticmethod
    def _refuse() -> NoReturn:
        raise AssertionError("this link has no business here")
