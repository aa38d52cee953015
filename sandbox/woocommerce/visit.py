"""One request to one store: everything the handlers need to answer it, and WordPress's nonces and sessions."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import math
import time
from functools import cached_property, lru_cache
from urllib.parse import quote, urlsplit

from sandbox.exchange import VendorRequest
from sandbox.woocommerce import texts
from sandbox.woocommerce.profiles import Profile
from sandbox.woocommerce.settings import StoreSettings
from sandbox.woocommerce.state import Session, State, Store, User

NONCE_LIFETIME = 24 * 3600
COOKIE_LIFETIME = 48 * 3600
TEST_COOKIE = "wordpress_test_cookie"
TEST_COOKIE_VALUE = "WP Cookie check"


class Visit:
    """A request with the store it is for."""

    def __init__(self, state: State, store: Store, request: VendorRequest, server_url: str) -> None:
        self.state = state
        self.store = store
        self.request = request
        self.profile: Profile = store.profile
        self.settings: StoreSettings = store.settings
        self.texts = texts.LANGUAGES[store.settings.language]
        self.now = time.time() + store.settings.clock_offset
        self.ssl = store.settings.scheme == "https" or store.settings.trust_forwarded_proto
        self._server_url = server_url

    # Words

    def text(self, name: str, /, **values: object) -> str:
        """A text in the language of the store."""
        text = self.texts[name]
        return text.format(**values) if values else text

    # Addresses

    @cached_property
    def home(self) -> str:
        """Home URL as WordPress has it, without a trailing slash; it is in every link the store writes."""
        if self.settings.home:
            return self.settings.home.rstrip("/")
        scheme = "https" if self.ssl else "http"
        return f"{scheme}://{urlsplit(self._server_url).netloc}/{self.request.prefix}"

    @property
    def home_path(self) -> str:
        """Path of the home URL: where its cookies live."""
        return urlsplit(self.home).path

    def admin_url(self, rest: str = "") -> str:
        """An address in wp-admin."""
        return f"{self.home}/wp-admin/{rest}"

    def keys_url(self, rest: str = "") -> str:
        """The address of the settings page with the keys."""
        return self.admin_url(f"admin.php?page=wc-settings&tab={self.profile.tab}&section=keys{rest}")

    @property
    def rest_root(self) -> str:
        """Where the REST API lives, as the Link header says (sheet 2.3)."""
        return {
            "pretty": f"{self.home}/wp-json/",
            "index.php": f"{self.home}/index.php/wp-json/",
            "plain": f"{self.home}/index.php?rest_route=/",
        }[self.settings.permalinks]

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The namespaces of the plugins' REST routes, as the index lists them."""
        return self.profile.namespaces

    @property
    def application_passwords_available(self) -> bool:
        """Whether application passwords count: on HTTPS only (sheet 10)."""
        return self.ssl

    @property
    def request_uri(self) -> str:
        """PHP's REQUEST_URI."""
        path = f"/{self.request.prefix}{self.request.raw_path}"
        return f"{path}?{self.request.raw_query}" if self.request.raw_query else path

    # Sessions

    @cached_property
    def cookie_hash(self) -> str:
        """The <hash> in the names of the cookies."""
        return _cookie_hash(self.home)

    @property
    def admin_cookie(self) -> str:
        """Name of the cookie that opens wp-admin."""
        prefix = "wordpress_sec_" if self.settings.secure_cookie_name and self.ssl else "wordpress_"
        return f"{prefix}{self.cookie_hash}"

    @property
    def logged_in_cookie(self) -> str:
        """Name of the cookie for everything outside of wp-admin."""
        return f"wordpress_logged_in_{self.cookie_hash}"

    @cached_property
    def admin_session(self) -> Session | None:
        """The session inside wp-admin, admin-ajax included."""
        if isinstance(self.request.admitted, Session):
            return self.request.admitted
        return self._session(self.admin_cookie, "auth")

    @cached_property
    def front_session(self) -> Session | None:
        """The session outside of wp-admin: REST with a nonce, the grant page, logging out."""
        return self._session(self.logged_in_cookie, "logged_in")

    def _session(self, name: str, scheme: str) -> Session | None:
        value = self.request.cookies.get(name)
        if value is None:
            return None
        login, _, rest = value.partition("|")
        expiration, _, rest = rest.partition("|")
        token, _, signature = rest.partition("|")
        if not hmac.compare_digest(signature.encode(), self._sign_cookie(scheme, login, expiration, token).encode()):
            return None
        if not expiration.isdigit() or int(expiration) < self.now:
            return None
        return self.state.session(self.store, token)

    def session_cookies(self, session: Session) -> list[tuple[str, str]]:
        """The Set-Cookie headers of a fresh login; the admin cookie is bound to wp-admin, as in WordPress."""
        login, expiration = session.user.login, str(int(self.now) + COOKIE_LIFETIME)
        admin, logged_in = (
            quote(f"{login}|{expiration}|{session.token}|{self._sign_cookie(scheme, login, expiration, session.token)}")
            for scheme in ("auth", "logged_in")
        )
        return [
            self.set_cookie(self.admin_cookie, admin, f"{self.home_path}/wp-content/plugins"),
            self.set_cookie(self.admin_cookie, admin, f"{self.home_path}/wp-admin"),
            self.set_cookie(self.logged_in_cookie, logged_in, f"{self.home_path}/"),
        ]

    def set_cookie(self, name: str, value: str, path: str) -> tuple[str, str]:
        """A Set-Cookie header; the value is quoted already."""
        secure = "; secure" if self.ssl else ""
        return "Set-Cookie", f"{name}={value}; path={path}{secure}; HttpOnly"

    def _sign_cookie(self, scheme: str, login: str, expiration: str, token: str) -> str:
        message = f"{scheme}|{login}|{expiration}|{token}".encode("utf-8", "surrogateescape")
        return hmac.digest(self.state.derive(self.store, "cookie"), message, "sha256").hex()

    # Nonces: ten hex digits, bound to the action and to the session (sheet 4.2, 4.8)

    def nonce(self, action: str, session: Session | None) -> str:
        """A nonce for an action within a session."""
        return self._nonce(action, session, self._tick)

    def nonce_is_good(self, nonce: str, action: str, session: Session | None) -> bool:
        """Whether a nonce was made for this action and session, today or half a day ago."""
        given = nonce.encode("utf-8", "surrogateescape")
        return any(
            hmac.compare_digest(given, self._nonce(action, session, tick).encode())
            for tick in (self._tick, self._tick - 1)
        )

    @property
    def _tick(self) -> int:
        return math.ceil(self.now / (NONCE_LIFETIME / 2))

    def _nonce(self, action: str, session: Session | None, tick: int) -> str:
        bearer = f"{session.user.id}|{session.token}" if session else "0|"
        message = f"{tick}|{action}|{bearer}|{self.settings.nonce_salt}".encode()
        return hmac.digest(self.state.derive(self.store, "nonce"), message, "md5").hex()[-12:-2]

    # Times

    def shown_time(self, moment: int | None) -> str:
        """A moment in the site's zone, format and language; `Unknown` for none (sheet 8)."""
        if moment is None:
            return self.text("unknown")
        return texts.date_and_time(self.texts, self.settings.date_format, self.local(moment))

    def local(self, moment: float) -> datetime.datetime:
        """A moment in the site's time zone."""
        zone = datetime.timezone(datetime.timedelta(hours=self.settings.utc_offset))
        return datetime.datetime.fromtimestamp(moment, zone)

    # Users

    def owner_text(self, user_id: int) -> str:
        """An owner as the edit page names them: `Name (#id – mail)`; a ghost has neither name nor mail."""
        user: User | None = self.state.user(self.store, user_id)
        return f"{user.display_name} (#{user.id} – {user.mail})" if user else f" (#{user_id} – )"


@lru_cache(maxsize=4096)
def _cookie_hash(home: str) -> str:
    return hashlib.md5(home.encode()).hexdigest()
