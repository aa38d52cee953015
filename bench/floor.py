"""The floor: a bare asyncio + httpx program that makes the store calls of one `up`, and writes to the same Vault.

It proves nothing, survives nothing and decides nothing: what the product costs beyond it is the price of that. Written from
the request log of an `up`: the calls of the vendor's form (woocommerce.md 4), its two probes (7.2), and the documents of
one fresh connection in Vault.
"""

import asyncio
import re
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx

_NONCE = re.compile(r'"update_api_nonce":"([0-9a-f]+)"')
_REVOKE = re.compile(r"revoke-key=(\d+)")


@dataclass(frozen=True, slots=True)
class Target:
    """One store with its admin login, and the path of its connection's documents in Vault."""

    url: str
    username: str
    password: str
    user: str
    vault_path: str


async def _mint(bare: httpx.AsyncClient, vault: httpx.AsyncClient, target: Target) -> None:
    base = target.url
    admin = f"{base}/wp-admin/admin.php"
    settings = {"page": "wc-settings", "tab": "advanced", "section": "keys"}
    cookies: dict[str, str] = {}

    async def call(method: str, url: str, **given: Any) -> httpx.Response:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        answer = await bare.send(bare.build_request(method, url, headers=headers, **given))
        cookies.update({cookie.name: cookie.value or "" for cookie in answer.cookies.jar})
        # One session a store: the client's own jar would mix them.
        bare.cookies.clear()
        return answer

    async def keep(name: str, cas: int, data: dict[str, str]) -> None:
        (
            await vault.post(f"{target.vault_path}/{name}", json={"options": {"cas": cas}, "data": data})
        ).raise_for_status()

    await call("GET", f"{base}/wp-login.php")
    await call("POST", f"{base}/wp-login.php", data={"log": target.username, "pwd": target.password, "testcookie": "1"})
    await call("GET", f"{base}/wp-json/")
    nonce = (await call("GET", f"{base}/wp-admin/admin-ajax.php", params={"action": "rest-nonce"})).text
    search = {"context": "edit", "search": target.user}
    users = await call("GET", f"{base}/wp-json/wp/v2/users", params={**search, "_wpnonce": nonce})
    user_id = next(row["id"] for row in users.json() if row["username"] == target.user)
    await call("GET", admin, params=settings)
    await keep("journal", 0, {"phase": "open"})
    page = (await call("GET", admin, params={**settings, "create-key": "1"})).text
    nonce_found = _NONCE.search(page)
    if nonce_found is None:
        raise RuntimeError("no nonce on the page")
    form = {
        "action": "woocommerce_update_api_key",
        "security": nonce_found[1],
        "key_id": "0",
        "description": f"bench {target.vault_path}",
        "user": str(user_id),
        "permissions": "read",
    }
    await keep("journal", 1, {"phase": "open", "intended": "1"})
    made = (await call("POST", f"{base}/wp-admin/admin-ajax.php", data=form)).json()["data"]
    key_id_found = _REVOKE.search(made["revoke_url"])
    if key_id_found is None:
        raise RuntimeError("no key was made")
    await keep("generations/1", 0, {"consumer_key": made["consumer_key"], "consumer_secret": made["consumer_secret"]})
    await call("GET", admin, params={**settings, "edit-key": key_id_found[1]})
    await call("GET", admin, params=settings)
    pair = httpx.BasicAuth(made["consumer_key"], made["consumer_secret"])
    for method, path in (("GET", "products"), ("POST", "__probe")):
        await bare.request(method, f"{base}/wp-json/wc/v3/{path}", auth=pair)
    await keep("journal", 2, {"phase": "open", "current": "1"})
    await keep("credential", 0, {"consumer_key": made["consumer_key"], "consumer_secret": made["consumer_secret"]})
    await call("GET", f"{base}/wp-login.php", params={"action": "logout"})


async def _all(targets: Sequence[Target], ca: str, vault: str, token: str, at_once: int) -> float:
    context = ssl.create_default_context(cafile=ca)
    limits = httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    turn = asyncio.Semaphore(at_once)
    headers = {"X-Vault-Token": token}
    async with (
        httpx.AsyncClient(verify=context, limits=limits, timeout=60, trust_env=False) as http,
        httpx.AsyncClient(
            base_url=vault, headers=headers, verify=context, limits=limits, timeout=60, trust_env=False
        ) as kv,
    ):

        async def one(target: Target) -> None:
            async with turn:
                await _mint(http, kv, target)

        began = time.monotonic()
        await asyncio.gather(*(one(target) for target in targets))
        return time.monotonic() - began


def run(targets: Sequence[Target], ca: str, vault: str, token: str, at_once: int) -> float:
    """Seconds to mint a key at every target and put it into Vault, `at_once` targets at a time."""
    return asyncio.run(_all(targets, ca, vault, token, at_once))
