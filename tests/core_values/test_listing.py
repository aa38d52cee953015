"""One listing for many askers: none gets an older one than it asked for, and nobody reads twice for nothing."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from providers.core.errors import Transient
from providers.core.listing import RECENT, SharedListing


class Reader:
    """Counts its readings; each waits for its gate."""

    def __init__(self) -> None:
        self.count = 0
        self.time = 0.0
        self.began = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)
        self.fails = False
        self.listing = SharedListing(self.read, lambda: self.time)

    def read(self) -> int:
        self.count += 1
        number = self.count
        self.began.release()
        assert self.gate.acquire(timeout=10)
        if self.fails:
            raise Transient("the store is busy")
        return number

    def now(self, *, fresh: bool = True) -> int:
        self.gate.release()
        return self.listing.get(fresh=fresh)


def waiting(listing: SharedListing[int], count: int) -> Callable[[], bool]:
    return lambda: len(listing._changed._waiters) == count  # type: ignore[attr-defined]


def test_who_asks_while_one_is_read_shares_the_next() -> None:
    reader = Reader()
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(reader.listing.get, fresh=True)
        assert reader.began.acquire(timeout=10)
        later: list[Future[int]] = [pool.submit(reader.listing.get, fresh=True) for _ in range(3)]
        content = pool.submit(reader.listing.get, fresh=False)
        await_that(waiting(reader.listing, 4))
        reader.gate.release()
        assert first.result(10) == 1
        assert content.result(10) == 1
        reader.gate.release()
        assert [each.result(10) for each in later] == [2, 2, 2]
    assert reader.count == 2


def await_that(condition: Callable[[], bool]) -> None:
    deadline = threading.Event()
    for _ in range(1000):
        if condition():
            return
        deadline.wait(0.005)
    raise AssertionError("it did not come to that")


def test_an_error_goes_to_all_who_waited_and_to_nobody_later() -> None:
    reader = Reader()
    reader.fails = True
    with pytest.raises(Transient):
        reader.now()
    reader.fails = False
    assert reader.now(fresh=False) == 2


@pytest.mark.parametrize(("age", "count"), [(0.0, 1), (RECENT, 1), (RECENT + 0.1, 2)])
def test_a_recent_listing_answers_who_needs_no_fresh_one(age: float, count: int) -> None:
    reader = Reader()
    reader.now()
    reader.time = age
    assert reader.now(fresh=False) == count
    assert reader.now() == count + 1


def test_a_write_of_ours_ends_its_use() -> None:
    reader = Reader()
    reader.now()
    reader.listing.forget()
    assert reader.now(fresh=False) == 2


def test_a_write_while_it_is_read_does_too() -> None:
    reader = Reader()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(reader.listing.get, fresh=True)
        assert reader.began.acquire(timeout=10)
        reader.listing.forget()
        reader.gate.release()
        assert first.result(10) == 1
    assert reader.now(fresh=False) == 2
