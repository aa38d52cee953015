"""Keys and users through wp-admin: no version of WooCommerce has an API for keys (sheet woocommerce.md 0, 4 and 6).

No answer to a write is believed: callers read back.
"""

from collections.abc import Callable
from dataclasses import dataclass

from providers.core.errors import (
    CouldNotLook,
    Forbidden,
    Rejected,
    StoreError,
    Transient,
    UnclearOutcome,
    Unexpected,
)
from providers.core.http import Answer, segment
from providers.woocommerce import pages
from providers.woocommerce.api import json_of, reply
from providers.woocommerce.pages import Created, KeyPage, Landing, ListPage, Row, Saved
from providers.woocommerce.session import AdminSession, Refusal

LONG_LIST = 3
"""From so many pages on, larger pages are asked for."""
LARGE_PAGE = 100
LISTINGS = 4
"""So often a list that changes while it is read is begun again."""
USERS_PER_PAGE = 100
REFUSING = frozenset({400, 401, 403, 404, 405, 406, 413})
"""Statuses by which walls before WordPress turn a request away."""
FIELDS = {"context": "edit", "_fields": "id,username,roles"}


@dataclass(frozen=True, slots=True)
class User:
    """A WordPress user."""

    user_id: str
    login: str
    roles: frozenset[str]


class Admin:
    """What an admin login can do with the keys and users of one store.

    `rest_root` gives the path of the WordPress REST API; `where` is the host for errors.
    """

    def __init__(self, session: AdminSession, rest_root: Callable[[], str], where: str) -> None:
        self.session, self._rest_root, self._where = session, rest_root, where
        self._larger_asked = False

    # --- keys ---------------------------------------------------------------------------------------------------------

    def create(self, label: str, user: User, rights: str) -> Created:
        """Make a key. `Rejected` only where the store surely has none; `UnclearOutcome` where it may."""
        made = self._save("0", label, user, rights)
        if isinstance(made, Created):
            return made
        if made is Saved.PHANTOM:
            raise Rejected("the store showed a key but did not keep it", where=self._where)
        raise UnclearOutcome("the store's answer does not say which key it made", where=self._where)

    def update(self, key_id: str, label: str, user: User, rights: str) -> None:
        """Overwrite description, owner and rights, all three at once (sheet 4.6). Success is said of missing keys too."""
        if self._save(key_id, label, user, rights) is not Saved.UPDATED:
            raise UnclearOutcome("the store does not say whether it changed the key", where=self._where)

    def _save(self, key_id: str, label: str, user: User, rights: str) -> Created | Saved:
        form = {"key_id": key_id, "description": label, "user": user.user_id, "permissions": rights}
        answer = self.session.save(form)
        if answer.status != 200 and answer.status not in REFUSING:
            # It may have been carried out before something broke.
            raise UnclearOutcome(f"the store answers {answer.status} to a change of keys", where=self._where)
        if answer.status != 200:
            raise Forbidden(
                f"the store answers {answer.status} to a change of keys, and changed nothing",
                do="See whether a firewall or plugin holds back admin-ajax.php",
                where=self._where,
            )
        said = pages.saved(json_of(answer), creates=key_id == "0")
        if said is Saved.REFUSED:
            raise Rejected(
                "the store refuses this key",
                do="The admin login may not give keys to this user: use an administrator's login",
                where=self._where,
            )
        return said

    def show(self, key_id: str) -> KeyPage | None:
        """One key, or None where it does not exist."""
        shown = self.session.page({"edit-key": key_id})
        if isinstance(shown, str):
            return pages.key_page(shown, key_id)
        raise self._refused(shown, "show a key")

    def rows(self) -> tuple[Row, ...]:
        """Every key of the store, newest first, or an error: a list that shifted while it was read is read again."""
        earlier: tuple[Row, ...] | None = None
        for _ in range(LISTINGS):
            first = self._list(1)
            if first is not None and first.pages >= LONG_LIST:
                first = self._larger(first)
            found = self._rest_of(first) if first is not None else None
            if found is None or first is None:
                continue
            # A count that cannot be read as a number leaves one proof that nothing shifted: the same list again.
            if first.count is not None or first.pages == 1 or found == earlier:
                return found
            earlier = found
        raise CouldNotLook(
            "the store's list of keys kept changing while it was read", do="Try again", where=self._where
        )

    def _rest_of(self, first: ListPage) -> tuple[Row, ...] | None:
        rows = list(first.rows)
        for number in range(2, first.pages + 1):
            page = self._list(number)
            if page is None or (page.pages, page.count) != (first.pages, first.count):
                return None
            rows += page.rows
        whole = len({row.key_id for row in rows}) == len(rows) and first.count in {None, len(rows)}
        return tuple(rows) if whole else None

    def _list(self, number: int) -> ListPage | None:
        """One page of the list; None past its end, which leads back to the last page (sheet 6, L15)."""
        shown = self.session.page({"paged": str(number)})
        if isinstance(shown, str):
            return pages.list_page(shown)
        if shown is Landing.PAGED:
            return None
        raise self._refused(shown, "list keys")

    def _larger(self, first: ListPage) -> ListPage | None:
        """The first page again, after asking for larger pages where the version lets one (sheet 4.5)."""
        if not first.screen_nonce or len(first.rows) >= LARGE_PAGE or self._larger_asked:
            return first
        self._larger_asked = True
        form = {
            "screenoptionnonce": first.screen_nonce,
            "wp_screen_options[option]": "woocommerce_keys_per_page",
            "wp_screen_options[value]": str(LARGE_PAGE),
        }
        # A help only: if the store does not take it, the pages are just smaller.
        self.session.page({}, form=form)
        return self._list(1)

    def revoke(self, key_id: str) -> None:
        """End a key and see that it is gone. One that is already gone is no error (sheet 4.8, L5, L6)."""
        lost: StoreError | None = None
        for _ in range(2):
            shown = self.show(key_id)
            if shown is None:
                return
            # One nonce serves every key; a fresh one is taken each time because a stale one is refused in several ways.
            nonce = shown.revoke_nonce or self._any_revoke_nonce()
            try:
                self.session.page({"revoke-key": key_id, "_wpnonce": nonce}, safe=False)
                lost = None
            except (UnclearOutcome, Transient) as error:
                lost = error
        if self.show(key_id) is not None:
            raise lost or Forbidden(
                f"key {key_id} is still there: the store did not revoke it",
                do="The admin login may not edit its user: use an administrator's login, or revoke it by hand",
                where=self._where,
            )

    def _any_revoke_nonce(self) -> str:
        first = self._list(1)
        nonce = next((row.revoke_nonce for row in first.rows if row.revoke_nonce), "") if first else ""
        if not nonce:
            raise Forbidden("the store offers this admin login no way to revoke", where=self._where)
        return nonce

    def _refused(self, shown: Landing | Refusal, act: str) -> StoreError:
        match shown:
            case Refusal.FORBIDDEN:
                return Forbidden(
                    f"the admin login may not {act}",
                    do="Its role lacks `manage_woocommerce`, or may not edit the key's user",
                    where=self._where,
                )
            case Refusal.FAILED:
                # 500 stands for refusals too (sheet 2.1), so it is not known to pass.
                return Unexpected(f"the store fails to {act}", do="Try again; see its error log", where=self._where)
        return Unexpected(f"the store does not {act} but leads elsewhere ({shown.value})", where=self._where)

    # --- users --------------------------------------------------------------------------------------------------------

    def user(self, login: str) -> User | None:
        """The user with exactly this login name, or None."""
        number = 1
        # WordPress looks for a text with an @ among mail addresses alone (WP_User_Query): one part of it is enough.
        term = max(login.split("@"), key=len)
        while True:
            found = self._users({"search": term, "per_page": str(USERS_PER_PAGE), "page": str(number)})
            for user in found:
                if user.login == login:
                    return user
            if len(found) < USERS_PER_PAGE:
                return None
            number += 1

    def user_by_id(self, user_id: str) -> User | None:
        """The user with this id, or None where there is none any more."""
        answer = self.session.rest(f"{self._rest_root()}wp/v2/users/{segment(user_id)}", FIELDS)
        if reply(answer).code == "rest_user_invalid_id":
            return None
        if answer.status != 200:
            raise self._no_users(answer)
        return _user(json_of(answer), self._where)

    def _users(self, query: dict[str, str]) -> list[User]:
        answer = self.session.rest(f"{self._rest_root()}wp/v2/users", {**FIELDS, **query})
        document = json_of(answer)
        if answer.status != 200 or not isinstance(document, list):
            raise self._no_users(answer)
        return [_user(entry, self._where) for entry in document]

    def _no_users(self, answer: Answer) -> StoreError:
        if answer.status >= 500:
            return Transient(f"the store's list of users answers {answer.status}", do="Try later", where=self._where)
        return Forbidden(
            f"the admin login cannot see the store's users: {answer.status}",
            do="Its role lacks `list_users`, or a plugin hides `wp/v2/users`",
            where=self._where,
        )


def _user(entry: object, where: str) -> User:
    match entry:
        case {"id": int(user_id), "username": str(login), "roles": list(roles)}:
            return User(str(user_id), login, frozenset(str(role) for role in roles))
    raise Unexpected("the store's list of users is not one we know", where=where)
