"""The quota of a store: headers, sharing, 429 in its forms, and the platform in trouble."""

from __future__ import annotations

import pytest

from sandbox.client import ControlError
from tests.sandbox.gateway import EVERYTHING, MakeApi

HEADERS = (
    "x-rate-limit-time-window-ms",
    "x-rate-limit-time-reset-ms",
    "x-rate-limit-requests-quota",
    "x-rate-limit-requests-left",
)


def test_every_answer_carries_the_headers(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, quota=150)
    answers = [api.get(path) for path in ("/v2/time", "/v2/pages", "/v3/nothing", "/v3/themes/")]
    api.token = "unknown"
    answers.append(api.get("/v2/time"))
    assert [answer.status_code for answer in answers] == [200, 200, 404, 403, 401]
    assert [int(answer.headers[HEADERS[3]]) for answer in answers] == [149, 148, 147, 146, 145]
    for answer in answers:
        window, reset, quota = (int(answer.headers[name]) for name in HEADERS[:3])
        assert (window, quota) == (30_000, 150)
        assert 0 < reset <= window
        assert "x-retry-after" not in answer.headers
    foreign = api.http.get(api.url("/v2/time", "nobodyhas2"), headers={"X-Auth-Token": api.token})
    assert set(HEADERS) <= {name.lower() for name in foreign.headers}


def test_quota_is_shared_and_ends(make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, quota=3, window_ms=3_600_000)
    other = api.other(EVERYTHING)
    statuses = [one.get("/v2/time").status_code for one in (api, other, api, other, api)]
    assert statuses == [200, 200, 200, 429, 429]
    limited = other.post("/v2/pages", {"name": "News", "type": "page"})
    assert (limited.status_code, limited.headers[HEADERS[3]]) == (429, "0")
    # Seconds, and not less than the milliseconds of the window.
    assert int(limited.headers["x-retry-after"]) * 1000 >= int(limited.headers[HEADERS[1]]) > 3_500_000
    assert api.client.resources(api.hash)["pages"] == 2
    assert make_api(EVERYTHING, quota=3).get("/v2/time").status_code == 200


def test_window_begins_anew(make_api: MakeApi) -> None:
    api = make_api(quota=1, window_ms=3_600_000)
    assert [api.get("/v2/time").status_code for _ in range(2)] == [200, 429]
    # A window that is over at once: every request begins another.
    api.settings(window_ms=0)
    assert [api.get("/v2/time").status_code for _ in range(2)] == [200, 200]


def test_quota_by_hand(make_api: MakeApi) -> None:
    api = make_api(quota=150, window_ms=3_600_000)
    assert api.client.set_quota(api.hash, 2).left == 2
    assert [api.get("/v2/time").status_code for _ in range(3)] == [200, 200, 429]
    assert api.client.quota(api.hash).left == 0
    assert api.client.reset_quota(api.hash).left == 150
    assert api.get("/v2/time").headers[HEADERS[3]] == "149"
    with pytest.raises(ControlError, match="how many requests"):
        api.client.set_quota(api.hash, -1)


@pytest.mark.parametrize(
    ("settings", "ordinary", "limited"),
    [({}, True, True), ({"limit_headers": False}, True, False), ({"rate_headers": False}, False, False)],
)
def test_headers_can_be_missing(settings: dict[str, bool], ordinary: bool, limited: bool, make_api: MakeApi) -> None:
    api = make_api(quota=1, window_ms=3_600_000, **settings)
    first, second = api.get("/v2/time"), api.get("/v2/time")
    assert (first.status_code, second.status_code) == (200, 429)
    assert (HEADERS[3] in first.headers, HEADERS[3] in second.headers) == (ordinary, limited)
    assert ("x-retry-after" in second.headers) == limited


def test_overloaded_platform(make_api: MakeApi) -> None:
    """Sheet 7: 429 without the headers is no quota, and costs none."""
    api = make_api(quota=5, overloaded=True)
    answer = api.get("/v2/time")
    assert (answer.status_code, set(HEADERS) & {name.lower() for name in answer.headers}) == (429, set())
    api.settings(overloaded=False)
    assert api.get("/v2/time").headers[HEADERS[3]] == "4"


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 505])
def test_server_errors(status: int, make_api: MakeApi) -> None:
    api = make_api(EVERYTHING, server_error=status)
    assert api.post("/v2/pages", {"name": "News", "type": "page"}).status_code == status
    assert api.client.resources(api.hash)["pages"] == 2
    api.settings(server_error=0)
    assert api.get("/v2/time").status_code == 200
    with pytest.raises(ControlError, match="server_error"):
        api.settings(server_error=418)
