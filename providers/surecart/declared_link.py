"""The words of a link to SureCart's plugin on a WordPress site (sheet surecart.md 4)."""

from typing import Final

from providers.declarations.models import LinkWords
from providers.declarations.platforms import DeclaredConsumer
from providers.declarations.stack import Connection, DeclaredLink
from providers.declarations.values import Flag
from providers.surecart.site import place
from providers.surecart.words import SiteUrl


class PluginLink(LinkWords):
    """A WordPress site whose SureCart plugin uses the token."""

    site: SiteUrl
    """The address of the site, without a slash at the end; a sub-directory is allowed."""
    adopt: Flag = False
    """Whether a token at the site that is none of ours may be replaced."""


def _place(_connection: Connection, link: DeclaredLink) -> str:
    return place(link.fields["site"])


CONSUMERS: Final = (
    DeclaredConsumer(
        "wordpress", frozenset({"surecart/api_token"}), PluginLink, place=_place, takes=("account", "api")
    ),
)
"""The plugin, which every site has once: two links to one site exclude each other."""
