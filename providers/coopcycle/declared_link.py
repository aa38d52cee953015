"""The words of a link to the CoopCycle plugin of a WordPress site (sheet coopcycle.md 6)."""

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from providers.coopcycle import plugin
from providers.coopcycle.scopes import API_KEY, PLUGIN
from providers.declarations.addresses import SITE_SCHEMA, site
from providers.declarations.models import LinkWords
from providers.declarations.platforms import DeclaredConsumer, Remark
from providers.declarations.stack import Connection, DeclaredLink
from providers.declarations.values import Flag

_NOT_THE_SITE = re.compile(r"/(wp-json|wp-admin|wp-login\.php|index\.php|wp-content)(/.*)?$")


def site_url(value: object) -> str:
    """A site's address as it is compared and used; the pages of WordPress are none."""
    return site(value, _NOT_THE_SITE)


class PluginWords(LinkWords):
    """The CoopCycle plugin of a WordPress site."""

    site: Annotated[str, PlainValidator(site_url), WithJsonSchema(SITE_SCHEMA)]
    """The site's address; an administrator's login lies in Vault under it."""
    adopt: Flag = False
    """Whether credentials that the plugin holds and that are not ours may be replaced."""


def _rules(connection: Connection, link: DeclaredLink) -> Iterator[Remark]:
    if PLUGIN not in connection.fields["rights"]:
        what = f"the plugin always asks for {PLUGIN}, which stands not under rights: it would never connect"
        yield Remark(("links", link.name), what)
    if connection.fields["type"] == API_KEY:
        yield Remark(("links", link.name), "the plugin works with an identifier and a secret, not with type: api_key")


def _place(_connection: Connection, link: DeclaredLink) -> str:
    return plugin.place(link.fields["site"])


CONSUMERS: Final = (
    DeclaredConsumer(
        name="wordpress",
        serves=frozenset({"coopcycle/api_app"}),
        words=PluginWords,
        rules=_rules,
        place=_place,
    ),
)
"""The WordPress plugin, which works with an API app of one store."""
