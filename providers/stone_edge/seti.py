"""The safe check of a Script URL by its protocol, SETI (stone_edge.md section 2.5).

Two functions are called and never another: others change orders and stock (section 2.3). A login is tried once, and once
more with a wrong password where the control is asked for, since nobody knows whether wrong ones lock it (section 5).
Answers are judged by their body alone: their status is 200 for errors too (section 2.1).
"""

import re
import secrets
from dataclasses import dataclass
from typing import Final, Literal

from providers.core.contract import Finding
from providers.core.errors import CouldNotLook, UnclearOutcome, Unexpected
from providers.core.http import Http, Pairs, Text
from providers.core.redaction import Secret
from providers.stone_edge.inbound import Inbound

SCRIPT: Final = "script"
LOGIN: Final = "login"
CONTROL: Final = "wrong password"
"""The checks: that the URL is a script's, that the script takes the login, and that it would refuse another."""

OM_VERSION: Final = "5.504"
"""The version of Order Manager that is named to the script: the one of section 2.2."""

Function = Literal["sendversion", "ordercount"]
"""Everything that is ever asked for."""

Kind = Literal["version", "count", "error", "other", "foreign", "silent"]
"""What an answer is; `other` is SETI without being what was asked for, `foreign` is not SETI, `silent` is none at all."""

_READ = 64 * 1024
"""Characters of a body that are looked at."""

_PLAIN = re.compile(r"seti(response|error)\s*[:=]\s*(.*)", re.IGNORECASE | re.DOTALL)
_VALUES: Final[dict[str, Kind]] = {r"version\s*=\s*[0-9][0-9.]*": "version", r"ordercount\s*=\s*[0-9]+": "count"}
# No parser of XML on purpose: a root and a code are all there is to know, and entities are then never expanded.
_ROOT = re.compile(r"(?:<\?xml[^<>]{0,200}\?>\s*)?<(seti[a-z]{1,20})[\s/>]", re.IGNORECASE)
_FAILED = re.compile(r"<responsecode>\s*3\s*</responsecode>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What came back, and for what says nothing about SETI, why: words without a word of the answer."""

    kind: Kind
    words: str = ""


def read_answer(body: str) -> Kind:
    """What a body is (sections 2.3 and 2.4), whatever the case of its prefix and the blanks around it."""
    text = body[:_READ].strip("\ufeff \t\r\n")
    plain = _PLAIN.match(text)
    if plain:
        if plain[1].lower() == "error":
            return "error"
        first = plain[2].partition("\n")[0].strip()
        return next((kind for form, kind in _VALUES.items() if re.fullmatch(form, first, re.IGNORECASE)), "other")
    root = _ROOT.match(text)
    if root is None:
        return "foreign"
    return "error" if root[1].lower() == "setierror" or _FAILED.search(text) else "other"


def check(http: Http, inbound: Inbound, *, negative_control: bool = False) -> tuple[Finding, ...]:
    """Whether the Script URL is a script's and takes the login; changes nothing.

    A script that is not there, does not answer or speaks something else is unverifiable, never a failure; what refuses the
    login is a contradiction. The password goes to nothing that has not answered as a script. `AddressRefused` where the
    guard does not let the host be called.
    """
    script = _script(_ask(http, inbound, "sendversion"))
    if script.verdict != "confirmed":
        return (script, Finding(LOGIN, "unverifiable", "not tried: no password goes to what is not a SETI script"))
    password = _password(_ask(http, inbound, "ordercount", inbound.cart_password))
    if not negative_control:
        return (script, password)
    if password.verdict != "confirmed":
        return (script, password, Finding(CONTROL, "unverifiable", "not tried: the right password was not accepted"))
    control = _ask(http, inbound, "ordercount", Secret(f"wrong-{secrets.token_hex(8)}"))
    if control.kind == "count":
        password = Finding(LOGIN, "unverifiable", "accepted, as any other is: this script looks at no password")
    return (script, password, _control(control))


def _ask(http: Http, inbound: Inbound, function: Function, password: Secret | None = None) -> Said:
    """One call. With a login it is sent once, whatever becomes of it."""
    script = inbound.script
    form: list[tuple[str, Text]] = [("setifunction", function), ("omversion", OM_VERSION)]
    if password is not None:
        form += [("setiuser", inbound.cart_id), ("password", password), ("code", "")]
        form += [("lastorder", "All"), ("lastdate", "All")]
    query: Pairs = script.query
    origin = http.origin(script.origin)
    try:
        answer = origin.request("POST", script.path, safe=password is None, query=query, form=form)
    except UnclearOutcome:
        return Said(
            "silent",
            "its answer was lost or garbled; it was not asked again, as nobody knows whether tries are counted",
        )
    except CouldNotLook as error:
        return Said("silent", error.what)
    except Unexpected as error:
        return Said("foreign", f"reachable, unknown: {error.what}")
    kind = read_answer(answer.text)
    return Said(kind, f"reachable, unknown: its answer, with status {answer.status}, is not SETI")


def _script(said: Said) -> Finding:
    if said.kind == "version":
        return Finding(SCRIPT, "confirmed", "a SETI script answers there")
    if said.kind in {"foreign", "silent"}:
        return Finding(SCRIPT, "unverifiable", said.words)
    return Finding(SCRIPT, "confirmed", "a SETI script answers there, though not with its version")


def _password(said: Said) -> Finding:
    if said.kind == "count":
        return Finding(LOGIN, "confirmed", "the script takes username and password")
    if said.kind == "error":
        return Finding(LOGIN, "contradicted", "the script is there and answers username and password with an error")
    return Finding(LOGIN, "unverifiable", _unknown(said))


def _control(said: Said) -> Finding:
    if said.kind == "error":
        return Finding(CONTROL, "confirmed", "the script refuses a wrong password")
    if said.kind == "count":
        return Finding(CONTROL, "unverifiable", "the script takes a wrong password too, so taking one shows nothing")
    return Finding(CONTROL, "unverifiable", _unknown(said))


def _unknown(said: Said) -> str:
    return said.words if said.kind in {"foreign", "silent"} else "the script's answer is SETI, but no count of orders"
