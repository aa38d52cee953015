"""What a consumer of a store's key asks the store: reads below `/wp-json/wc`, in the newest API version that answers.

Stand-ins of consumers try keys and work with them in this way; the store says whether a key is good, nobody else does.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from sandbox.vendor import Call

API_VERSIONS = ("v3", "v2", "v1")
USER_AGENT = "store-consumer/1.0"


@dataclass(frozen=True, slots=True)
class StoreKey:
    """Where a store is, and the pair that its consumer holds."""

    store_url: str
    consumer_key: str
    consumer_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoreAnswer:
    """What the store said; status 0 where it said nothing at all."""

    status: int
    document: Any
    """The JSON of the answer; None where it is none."""

    @property
    def is_good(self) -> bool:
        """Whether the key opens what was asked for."""
        return self.status == 200

    @property
    def words(self) -> str:
        """The store's own reason, or what can be said without one; never a part of the key."""
        if self.status == 0:
            return "the store does not answer"
        message = self.document.get("message") if isinstance(self.document, dict) else None
        return message if isinstance(message, str) and message else f"the store answers {self.status}"


async def read(call: Call, key: StoreKey, resource: str, **query: str) -> StoreAnswer:
    """`GET /wp-json/wc/<v>/RESOURCE`; a version that the store does not know is a 404, and the next lower one is asked."""
    pair = base64.b64encode(f"{key.consumer_key}:{key.consumer_secret}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Accept": "application/json", "User-Agent": USER_AGENT}
    answer = StoreAnswer(0, None)
    for version in API_VERSIONS:
        url = f"{key.store_url}/wp-json/wc/{version}/{resource}?{urlencode({'per_page': '1'} | query)}"
        told = await call("GET", url, headers=headers)
        if told is None:
            return StoreAnswer(0, None)
        answer = StoreAnswer(told.status, _json(told.body))
        if answer.status != 404:
            break
    return answer


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None
