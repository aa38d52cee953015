"""The closing line of the protocol's tests: what all workers ran together."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.protocol.budget import TALLY, Tally, closing_line

pytest.register_assert_rewrite("tests.protocol.directed")

_SENT = "protocol-tally"


@pytest.fixture
def tally() -> Tally:
    """Where tests count what they ran."""
    return TALLY


class Closing:
    """Sums what the workers counted, and says it at the end."""

    def __init__(self) -> None:
        self.total: Counter[str] = Counter()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands its counts to the controller."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_SENT] = dict(TALLY)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """The controller takes them."""
        self.total.update(getattr(node, "workeroutput", {}).get(_SENT, {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        self.total.update(TALLY)
        if self.total:
            terminalreporter.write_line(closing_line(self.total))


def pytest_configure(config: pytest.Config) -> None:
    """Registered once, also where this folder is met late."""
    config.pluginmanager.register(Closing(), "protocol-closing")
