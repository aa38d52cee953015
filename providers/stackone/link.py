"""The link to StackOne: a linked account that holds a WooCommerce key (stackone.md 3, 4 and 6).

Credentials enter an account through the form behind a connect session, which a person fills in; only where a declaration
says under which names (`update: patch`), an account that is there already is changed by a call. A session overwrites the
account of its origin owner without a word, so one that is not ours is refused before any session is made.

Notes in the journal: `account_id` is ours, `generation` the one it was last proved with, `session` the one that brought
that about.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal

from providers.core.address import host_of
from providers.core.contract import TAKEN_OVER, Finding, LinkTools
from providers.core.errors import PersonNeeded, Rejected, StoreError, Unauthorized, Unexpected
from providers.core.links import contradicted
from providers.core.redaction import Secret
from providers.stackone import identity
from providers.stackone.account import STATUS, Account, findings
from providers.stackone.sessions import Session, kept, opened
from providers.stackone.wire import ACTION, Api

SESSION: Final = "connect session"
"""The check of what a person was given to follow."""

GONE: Final = "it is not there any more"


class AccountLink:
    """Implements `Link`. No call is made before a method needs one."""

    def __init__(self, inputs: Mapping[str, Any], tools: LinkTools) -> None:
        self._inputs, self._tools = inputs, tools
        self._url = identity.api_url(inputs["api"], inputs.get("hub", {}))
        self._owner = identity.owner(inputs, inputs.get("pinned", {}))
        self._label: str = inputs.get("label", "")
        self._where = f"{inputs['connection']}/{inputs['link']}"

    @property
    def place(self) -> str:
        """The one account of this origin owner in this region."""
        return identity.place(self._inputs["api"], self._inputs.get("hub", {}), self._owner)

    @property
    def acknowledges(self) -> Literal["here", "overlap", "person"]:
        """The proof through the account."""
        return "here"

    def check(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """The key's own proof, and the rules that hold before any call, say all that StackOne asks for."""
        return ()

    # --- giving -------------------------------------------------------------------------------------------------------

    def connect(self, generation: int, secret: Mapping[str, Secret]) -> None:
        """Open a session for a person, or finish what a person did with one; `PersonNeeded` while one is awaited."""
        api, session = self._api(), self._session()
        account = self._ours(api, session)
        reasons: tuple[str, ...] = ()
        waiting = session if session is not None and session.generation == generation else None
        if account is not None and _used(session, account):
            self._own(account)
        if account is not None and (self._gave(account) == generation or _used(waiting, account)):
            used = waiting if _used(waiting, account) else None
            account = self._settled(api, account)
            reasons = contradicted(self._proof(api, account, secret))
            if not reasons:
                self._note({"generation": str(generation), **({"session": used.id} if used is not None else {})})
                return
            waiting = None if used is not None else waiting
        if account is not None and self._inputs.get("update") == "patch":
            self._patch(api, account, generation, secret)
            return
        if waiting is None or waiting.is_over(self._tools.clock()) or waiting.edits != (account.id if account else ""):
            waiting = self._open(api, account, generation)
        raise PersonNeeded(
            "; ".join(("a person gives StackOne Store URL, Consumer Key and Consumer Secret", *reasons)),
            do=f"Run `connections link {self._where} --show` on a terminal and follow its link"
            f" until {waiting.expires:%Y-%m-%d %H:%M %Z}, then `pulumi up`",
            where=self._where,
        )

    def verify(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """The account as StackOne shows it, and a read action through it. Raises where either shows nothing."""
        api = self._api()
        noted = self._tools.notes().get("account_id", "")
        account = api.account(noted) if noted else None
        if account is None:
            return (Finding(STATUS, "contradicted", GONE),)
        return self._proof(api, account, secret)

    def _proof(self, api: Api, account: Account, secret: Mapping[str, Secret]) -> tuple[Finding, ...]:
        found = self._look(account, secret)
        if found[0].verdict == "unverifiable":
            raise Unexpected(f"nothing can be concluded of the account: {found[0].evidence}", where=self._where)
        if contradicted(found):
            return found
        return (*found, api.read(account.id, self._inputs["proof_action"]))

    def _look(self, account: Account, secret: Mapping[str, Secret]) -> tuple[Finding, ...]:
        return findings(account, self._owner, self._label, self._inputs["url"], secret)

    def _open(self, api: Api, account: Account | None, generation: int) -> Session:
        """Make a session and keep its link in Vault. One whose link could not be kept is known to nobody."""
        api.connector()
        ttl = int(self._inputs["expires_in"])
        expires = self._tools.clock() + timedelta(seconds=ttl)
        body: dict[str, Any] = {
            "origin_owner_id": self._owner.id,
            "origin_owner_name": self._owner.name,
            "provider": identity.PROVIDER,
            "expires_in": ttl,
        }
        if self._label:
            body["label"] = self._label
        if account is not None:
            body["account_id"] = account.id
        number, link = api.open(body)
        edits, before = (account.id, account.updated_at) if account is not None else ("", "")
        session = Session(number, generation, expires, edits, before)
        self._tools.receive(kept(session, link), generation)
        return session

    def _patch(self, api: Api, account: Account, generation: int, secret: Mapping[str, Secret]) -> None:
        """Change what the account holds by a call. It counts only where the account says that it changed (T16)."""
        names: Mapping[str, str] = self._inputs["credential_fields"]
        values = {"store_url": self._inputs["url"], **{name: secret[name] for name in names if name != "store_url"}}
        # From here on it may hold what is ours.
        self._own(account)
        api.change(account.id, {self._inputs["bag"]: {names[name]: value for name, value in values.items()}})
        changed = api.account(account.id)
        if changed is None or changed.updated_at in {"", account.updated_at}:
            raise Rejected(
                "StackOne took the change, but the account does not show any: it does not count as given",
                do="Compare `bag` and `credential_fields` with StackOne, or declare `update: session`",
                where=self._where,
            )
        reasons = contradicted(self._proof(api, self._settled(api, changed), secret))
        if reasons:
            raise Rejected(
                f"the account does not work after the change: {'; '.join(reasons)}",
                do="Compare `bag` and `credential_fields` with StackOne, or declare `update: session`",
                where=self._where,
            )
        self._note({"generation": str(generation)})

    def _settled(self, api: Api, account: Account) -> Account:
        """The account with the declared owner and label, which need no session."""
        wanted = {"origin_owner_id": self._owner.id, "origin_owner_name": self._owner.name}
        shows = {"origin_owner_id": account.owner_id, "origin_owner_name": account.owner_name}
        if self._label:
            wanted["label"], shows["label"] = self._label, account.label
        differing = {name: value for name, value in wanted.items() if shows[name] != value}
        if not differing:
            return account
        api.change(account.id, differing)
        return api.account(account.id) or account

    # --- looking ------------------------------------------------------------------------------------------------------

    def observe(self, generation: int, secret: Mapping[str, Secret]) -> Sequence[Finding]:
        """The account that holds this generation; before that, whether the person has followed the link."""
        api, session = self._api(), self._session()
        noted = self._tools.notes()
        if noted.get("generation") == str(generation):
            account = api.account(noted["account_id"])
            if account is None:
                return (Finding(STATUS, "contradicted", GONE),)
            found = self._seen(api, account, secret)
            if contradicted(found) or found[0].verdict != "confirmed":
                return found
            # The run that proved it may have been killed before it said so.
            return (*found, Finding(TAKEN_OVER, "confirmed", "the account was proved with it"))
        if session is None or session.generation != generation:
            return (Finding(SESSION, "contradicted", "none is open for this generation: one is due"),)
        touched = self._touched(api, session)
        if len(touched) > 1:
            return (Finding(STATUS, "contradicted", f"{self._owner.name} has {len(touched)} accounts, one is allowed"),)
        if not touched and session.edits:
            return (Finding(STATUS, "contradicted", GONE),)
        for account in touched:
            if session.was_used_on(account):
                found = self._look(account, secret)
                if contradicted(found) or found[0].verdict != "confirmed":
                    return found
                return (*found, Finding(TAKEN_OVER, "confirmed", "the account changed since the session was opened"))
        if session.is_over(self._tools.clock()):
            return (Finding(SESSION, "contradicted", "its link expired: a new one is due"),)
        until = f"{session.expires:%Y-%m-%d %H:%M %Z}"
        return (Finding(SESSION, "unverifiable", f"nobody has followed its link yet; it is open until {until}"),)

    def _seen(self, api: Api, account: Account, secret: Mapping[str, Secret]) -> tuple[Finding, ...]:
        """What an account shows, and whether the store still takes what it holds. That shows too whether a person gave it
        an earlier key, once that has ended."""
        found = self._look(account, secret)
        if found[0].verdict != "confirmed":
            return found
        try:
            return (*found, api.read(account.id, self._inputs["proof_action"]))
        except StoreError as error:
            return (*found, Finding(ACTION, "unverifiable", error.what))

    def _touched(self, api: Api, session: Session) -> tuple[Account, ...]:
        """The account that a session edits, or those of an owner that had none when it was opened."""
        if not session.edits:
            return api.accounts(self._owner.id)
        edited = api.account(session.edits)
        return (edited,) if edited is not None else ()

    # --- clearing -----------------------------------------------------------------------------------------------------

    def disconnect(self, secret: Mapping[str, Secret]) -> Sequence[str]:
        """Delete the account, and see that it is gone. A session that nobody used ends by itself."""
        noted, session = self._tools.notes().get("account_id", ""), self._session()
        if not noted and session is None:
            return ()
        api = self._api()
        touched = self._touched(api, session) if session is not None else ()
        used = [account for account in touched if _used(session, account)]
        if len(used) > 1:
            ids = ", ".join(repr(account.id) for account in used)
            return (f"StackOne: {self._owner.name} has several accounts ({ids}): delete the one that holds this key",)
        for account_id in {noted, *(account.id for account in used)} - {""}:
            api.delete(account_id)
        if session is None or used or session.is_over(self._tools.clock()):
            return ()
        until = f"{session.expires:%Y-%m-%d %H:%M %Z}"
        return (f"StackOne: nobody may follow the link for {self._owner.name} any more; it ends by itself on {until}",)

    # --- what it stands on --------------------------------------------------------------------------------------------

    def _api(self) -> Api:
        entry = self._tools.hub("stackone")
        if entry is None or "api_key" not in entry:
            raise Unauthorized(
                "there is no API key of StackOne in Vault",
                do="Make one with the scope Accounts in StackOne's dashboard, and put it under the hubs' `stackone`,"
                " as `api_key`",
                where=self._where,
            )
        origin = self._tools.http(host_of(self._url)).origin(self._url)
        return Api(origin, entry["api_key"], entry.get("actions_key", entry["api_key"]))

    def _session(self) -> Session | None:
        """The session that a person may still complete, or has; None once it brought about what is noted."""
        session = opened(self._tools.inbound())
        return None if session is not None and session.id == self._tools.notes().get("session") else session

    def _gave(self, account: Account) -> int:
        """The generation that our account was last proved with; 0 for none."""
        noted = self._tools.notes()
        return int(noted.get("generation", "0")) if noted.get("account_id") == account.id else 0

    def _ours(self, api: Api, session: Session | None) -> Account | None:
        """Our account, None where there is none yet. `Rejected` where a session would overwrite one that is not ours."""
        noted = self._tools.notes().get("account_id", "")
        found = {account.id: account for account in api.accounts(self._owner.id)}
        if noted and noted not in found and (moved := api.account(noted)) is not None:
            found[noted] = moved
        ours = [row for row in found.values() if row.id == noted or (session is not None and session.concerns(row))]
        if len(found) > 1:
            raise Rejected(
                f"{self._owner.name} ({self._owner.id}) has {len(found)} accounts for WooCommerce at StackOne",
                do="Leave it one, in StackOne's dashboard",
                where=self._where,
            )
        if found and not ours and not self._inputs.get("adopt"):
            (other,) = found
            raise Rejected(
                f"{self._owner.name} ({self._owner.id}) has an account for WooCommerce at StackOne, {other!r}, that is not"
                " ours: a session would overwrite it",
                do="Declare another `origin_owner`, delete that account, or take it over with `adopt: true`",
                where=self._where,
            )
        return next(iter(found.values()), None)

    def _own(self, account: Account) -> None:
        """Note that an account is ours; what another one was proved with says nothing about it."""
        if self._tools.notes().get("account_id") != account.id:
            self._note({"account_id": account.id, "generation": ""})

    def _note(self, notes: Mapping[str, str]) -> None:
        """Note what is not noted yet: the journal is written only where it changes."""
        known = self._tools.notes()
        if fresh := {name: text for name, text in notes.items() if known.get(name, "") != text}:
            self._tools.note(fresh)


def _used(session: Session | None, account: Account) -> bool:
    return session is not None and session.was_used_on(account)
