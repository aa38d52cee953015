"""Who a REST request is from: key by Basic, query or OAuth, cookie with nonce, application password (sheet 7.3, 7.4, 4.9, 10)."""

from __future__ import annotations

import base64
import binascii
import hmac
from dataclasses import dataclass

from sandbox.exchange import UnknownInSheetError
from sandbox.woocommerce import oauth
from sandbox.woocommerce.rest_replies import RestError
from sandbox.woocommerce.state import ApiKey, User
from sandbox.woocommerce.visit import Visit

AUTH_ERROR = "woocommerce_rest_authentication_error"
LOCAL_ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Identity:
    """The user a request runs as, and the key that made it so. A ghost's key has a key and no user."""

    user: User | None = None
    key: ApiKey | None = None


ANONYMOUS = Identity()


def authenticate(visit: Visit) -> Identity:
    """The identity of a REST request; raises what WordPress answers before it looks at the route."""
    authorization = "" if visit.settings.strip_authorization else visit.request.headers.get("Authorization", "")
    # WooCommerce looks at the address as it was sent, not at the route behind it: `?rest_route=` has no keys (0.9).
    if "wp-json/wc/" in visit.request_uri or "wp-json/wc-" in visit.request_uri:
        key = _key(visit, authorization)
        if key is not None:
            return Identity(visit.state.user(visit.store, key.user_id), key)
    session = visit.front_session
    if session is not None:
        nonce = visit.request.headers.get("X-WP-Nonce") or visit.request.either("_wpnonce")
        if nonce:
            if not visit.nonce_is_good(nonce, "wp_rest", session):
                raise RestError("rest_cookie_invalid_nonce", visit.text("cookie_nonce"), 403)
            return Identity(session.user)
        # Cookies alone count for nothing.
    return _by_application_password(visit, authorization)


def _key(visit: Visit, authorization: str) -> ApiKey | None:
    """The key of the request, None if it has none that is recognised; raises on a bad secret or signature."""
    if visit.ssl:
        key = _by_plain_secret(visit, authorization)
        if key is not None:
            return key
    given = oauth.parameters(visit, authorization)
    if not given:
        return None
    if visit.ssl:
        if visit.profile.oauth_over_https is None:
            raise UnknownInSheetError(f"OAuth over HTTPS on {visit.profile.version}")
        if not visit.profile.oauth_over_https:
            return None
    return _by_signature(visit, given)


def _by_plain_secret(visit: Visit, authorization: str) -> ApiKey | None:
    """Key and secret in the query or by Basic. An unknown key is as good as none (L10)."""
    query = visit.request.query
    consumer_key, secret = query.get("consumer_key", ""), query.get("consumer_secret", "")
    if not (consumer_key and secret):
        consumer_key, secret = basic_credentials(authorization)
    if not (consumer_key and secret):
        return None
    key = visit.state.key_of(visit.store, consumer_key)
    if key is None:
        return None
    if not hmac.compare_digest(key.consumer_secret.encode(), secret.encode("utf-8", "surrogateescape")):
        challenge = f'Basic realm="{visit.text("challenge")}"'
        headers = (("WWW-Authenticate", challenge),) if visit.profile.challenge_on_bad_secret else ()
        raise RestError(AUTH_ERROR, visit.text("secret_invalid"), 401, headers)
    return key


def _by_signature(visit: Visit, given: dict[str, str]) -> ApiKey:
    """One-legged OAuth 1.0a: an unknown key is an error here, unlike with Basic (sheet 7.1)."""
    for name in oauth.REQUIRED:
        if not given.get(name):
            code = "woocommerce_rest_authentication_missing_parameter"
            raise RestError(code, visit.text("missing_parameter", name=name), 401)
    key = visit.state.key_of(visit.store, given["oauth_consumer_key"])
    if key is None:
        raise RestError(AUTH_ERROR, visit.text("key_invalid"), 401)
    reason = oauth.reason_against(visit, key, given)
    if reason:
        raise RestError(AUTH_ERROR, visit.text(reason), 401)
    return key


def _by_application_password(visit: Visit, authorization: str) -> Identity:
    """HTTPS only; opens REST, the shop's included, and nothing else (sheet 10)."""
    login, password = basic_credentials(authorization)
    if not (visit.application_passwords_available and login and password):
        return ANONYMOUS
    user = visit.state.user_by_login(visit.store, login)
    if user is None:
        return ANONYMOUS
    if not visit.state.use_application_password(visit.store, user, password, LOCAL_ADDRESS, int(visit.now)):
        raise RestError("incorrect_password", visit.text("application_password_wrong"), 401)
    return Identity(user)


def basic_credentials(authorization: str) -> tuple[str, str]:
    """Name and password of a Basic header, empty if it is none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(encoded).decode("utf-8", "surrogateescape").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password
