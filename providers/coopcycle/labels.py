"""The name of an app at its server: the declared name, or words of our own, and our marker.

Nobody may rename an app: saving its form makes new credentials (sheet coopcycle.md 2, edit trap). So the marker stands there
from the beginning, and stays for ever.
"""

from typing import Final

from providers.core import marker
from providers.core.errors import Rejected

LONGEST: Final = 200
"""Characters of a name. How many a server keeps is unknown (sheet 1); its column is one of Symfony's, 255 by default."""


def own_words(connection: str) -> str:
    """What an app is called where no name is declared: the connection's full name in words."""
    return connection.replace("/", " ").replace("-", " ")


def label(name: str, mark: str) -> str:
    """The whole name of an app; `Rejected` where it would not be read back as it is."""
    whole = f"{name} {mark}".strip()
    if marker.strip(whole) != name:
        raise Rejected("the app's name reads like a marker of ours", do="Say it in plain words")
    if len(whole) > LONGEST:
        raise Rejected(
            f"the app's name is too long: with our marker {len(whole)} characters, and {LONGEST} are allowed",
            do=f"Shorten `name` by {len(whole) - LONGEST}",
        )
    return whole
