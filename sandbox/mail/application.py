"""The mail server as a part of the sandbox: it listens beside the one port and has routes of its own in the control API."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.control import body_of, integer
from sandbox.documents import Documents
from sandbox.exchange import VendorRequest
from sandbox.mail.post import Post
from sandbox.mail.server import MailServer
from sandbox.vendor import ControlRoute, Surroundings, Vendor

HOST = "127.0.0.1"


class Mail(Vendor):
    """The mail server of the process."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._port = surroundings.mail_port
        self._documents = Documents(surroundings.directory / "mail.sqlite")
        self._post = Post(self._documents)
        self._server = MailServer(self._post, surroundings.faults, surroundings.log, surroundings.directory)

    def site(self, request: VendorRequest) -> None:
        """None: nothing of it is on the web."""

    async def start(self) -> None:
        """Listen on loopback, wherever the stores are served."""
        await self._server.start(HOST, self._port)

    def close(self) -> None:
        """Close the database."""
        self._documents.close()

    def facts(self) -> dict[str, Any]:
        """Where it listens."""
        return {"mail": self._post.ports.model_dump()}

    def control_routes(self) -> list[ControlRoute]:
        """Its part of the control API."""
        return [
            ("GET", "/_control/mail", self._show),
            ("PATCH", "/_control/mail/settings", self._change_settings),
            ("DELETE", "/_control/mail/settings", self._reset_settings),
            ("POST", "/_control/mail/accounts", self._put_account),
            ("DELETE", "/_control/mail/accounts/{username}", self._delete_account),
            ("GET", "/_control/mails", self._list_mails),
            ("DELETE", "/_control/mails", self._clear_mails),
        ]

    async def _show(self, _: web.Request) -> Any:
        return {
            "ports": self._post.ports.model_dump(),
            "settings": self._post.settings.model_dump(),
            "usernames": self._post.usernames(),
        }

    async def _change_settings(self, request: web.Request) -> Any:
        self._post.change_settings(await body_of(request))
        return await self._show(request)

    async def _reset_settings(self, request: web.Request) -> Any:
        self._post.reset_settings()
        return await self._show(request)

    async def _put_account(self, request: web.Request) -> Any:
        self._post.put_account(await body_of(request))
        return await self._show(request)

    async def _delete_account(self, request: web.Request) -> Any:
        self._post.delete_account(request.match_info["username"])
        return await self._show(request)

    async def _list_mails(self, request: web.Request) -> Any:
        since = integer(request.query.get("since", "0"))
        return {"mails": [mail.model_dump() for mail in self._post.mails(since)]}

    async def _clear_mails(self, _: web.Request) -> Any:
        self._post.clear()
        return {}
