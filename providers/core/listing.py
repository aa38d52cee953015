"""One listing for many askers: the connections of one store share a process, and each wants to see its keys."""

import copy
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

RECENT = 30.0
"""Seconds for which a listing may answer those who do not ask for a fresh one."""


class SharedListing(Generic[T]):
    """Reads a list for several threads: everybody gets one whose reading began after they asked.

    `read` does the work; `now` is a monotonic clock in seconds. An error of the reading goes to all who waited for it.
    """

    def __init__(self, read: Callable[[], T], now: Callable[[], float]) -> None:
        self._read, self._now = read, now
        self._changed = threading.Condition()
        self._latest: Future[T] = Future()
        self._started = self._ended = 0
        self._writes = 0
        self._recent: tuple[T, float] | None = None

    def forget(self) -> None:
        """A write of ours: no listing that began before it answers anybody who asks from now on."""
        with self._changed:
            self._writes += 1
            self._recent = None

    def get(self, *, fresh: bool) -> T:
        """A listing that began after this call; with `fresh=False` also a recent one, not followed by our own write."""
        with self._changed:
            asked = self._started

            def may_go_on() -> bool:
                return self._ended > asked or self._ended == self._started or (not fresh and self._usable())

            self._changed.wait_for(may_go_on)
            if not fresh and self._recent is not None and self._usable():
                return self._recent[0]
            joins = self._ended > asked
            if not joins:
                self._started += 1
                self._latest = Future()
            latest, writes, began = self._latest, self._writes, self._now()
        if not joins:
            self._run(latest, writes, began)
        return latest.result()

    def _usable(self) -> bool:
        return self._recent is not None and self._now() - self._recent[1] <= RECENT

    def _run(self, latest: Future[T], writes: int, began: float) -> None:
        try:
            latest.set_result(self._read())
        except BaseException as error:
            # A copy has no traceback, whose frames may hold what nobody should keep.
            latest.set_exception(copy.copy(error))
            raise
        finally:
            with self._changed:
                self._ended = self._started
                whole = writes == self._writes and latest.exception() is None
                self._recent = (latest.result(), began) if whole else None
                self._changed.notify_all()
