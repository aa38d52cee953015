"""How the observed versions differ, as one table (sheet 2.1 and 14.1).

Each row is one property, each column one version; the code asks for a property, never for a version. UNKNOWN marks what
nobody looked at: the stand-in then answers 501. What the sheet only infers is in INFERRED, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

UNKNOWN: Final = None

VERSIONS = ("2.6.14", "3.2.5", "3.4.2", "3.5.3", "11.0.1")

TABLE: dict[str, tuple[Any, Any, Any, Any, Any]] = {
    #                          2.6.14          3.2.5           3.4.2        3.5.3        11.0.1
    "tab":                    ("api",          "api",          "advanced",  "advanced",  "advanced"),
    "wrong_tab":              ("page",         "redirect",     "redirect",  "redirect",  "redirect"),
    "api_versions":           (("v1",),        ("v1", "v2"),   ("v1", "v2"), ("v1", "v2", "v3"), ("v1", "v2", "v3")),
    "other_namespaces":       ((),             (),             (),          (),          ("wc/store",)),
    "system_status":          ((),             ("v2",),        ("v2",),     ("v2", "v3"), ("v3",)),
    "has_store_id":           (False,          False,          False,       False,       True),
    "name_column":            ("description",  "description",  "title",     "title",     "title"),
    "truncation_prefix":      ("…",            "…",            "…",         "…",         "***"),
    "owner_control":          ("input",        "select",       "select",    "select",    "select"),
    "page_size":              (10,             10,             20,          20,          20),
    "page_size_shown":        (10,             10,             10,          20,          20),
    "page_size_limit":        (0,              0,              999,         999,         999),
    "long_description":       ("store",        "phantom",      "phantom",   "phantom",   "refuse"),
    "revoke_missing":         (302,            302,            302,         500,         500),
    "revoke_stale_nonce":     (500,            500,            403,         403,         403),
    "owner_rule":             (False,          False,          False,       True,        True),
    "bulk_method":            ("GET",          "GET",          "GET",       "POST",      "POST"),
    "keys_die_with_owner":    (False,          False,          True,        True,        True),
    "challenge_on_bad_secret": (True,          True,           True,        False,       False),
    "oauth_over_https":       (UNKNOWN,        False,          UNKNOWN,     True,        True),
    "wizard_page":            ("wc-setup",     "wc-setup",     "wc-setup",  "wc-setup",  "wc-admin"),
    "grant_description":      ("scope",        "scope",        "scope",     "scope",     "plain"),
}  # fmt: skip

INFERRED = {
    "challenge_on_bad_secret": "2.6.14 and 3.4.2 were not looked at; they follow 3.2.5, the last old-style sighting (2.2)",
    "keys_die_with_owner": "2.6.14 follows 3.2.5; 3.4.2 from source",
    "page_size_limit": "the limit 999 was seen on 11.0.1 only",
    "wizard_page": "the sheet names both pages without a version",
    "grant_description": "the sheet says 'older versions: with scope and date' without a version",
    "truth table": "7.1 was run on 3.2.5 and 11.0.1; the other versions, wc/v1 included, behave the same here",
}


@dataclass(frozen=True, slots=True)
class Profile:
    """One column of the table."""

    version: str
    tab: Literal["api", "advanced"]
    wrong_tab: Literal["page", "redirect"]
    api_versions: tuple[str, ...]
    other_namespaces: tuple[str, ...]
    system_status: tuple[str, ...]
    has_store_id: bool
    name_column: Literal["description", "title"]
    truncation_prefix: str
    owner_control: Literal["input", "select"]
    page_size: int
    page_size_shown: int
    page_size_limit: int
    """Largest size that the screen option takes; 0 is no screen option."""
    long_description: Literal["store", "phantom", "refuse"]
    revoke_missing: int
    revoke_stale_nonce: int
    owner_rule: bool
    bulk_method: Literal["GET", "POST"]
    keys_die_with_owner: bool
    challenge_on_bad_secret: bool
    oauth_over_https: bool | None
    wizard_page: Literal["wc-setup", "wc-admin"]
    grant_description: Literal["scope", "plain"]

    @property
    def namespaces(self) -> tuple[str, ...]:
        """WooCommerce's namespaces as the index of the REST API lists them."""
        return (*(f"wc/{version}" for version in self.api_versions), *self.other_namespaces)


PROFILES: dict[str, Profile] = {
    version: Profile(version=version, **{name: row[column] for name, row in TABLE.items()})
    for column, version in enumerate(VERSIONS)
}
