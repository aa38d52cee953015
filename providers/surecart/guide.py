"""The sheets for the person at the dashboard: how to get a token, and how to delete one (seed 000; surecart.md 1.3, 2).

What the vendor's page does not tell, these say that it does not: whether a second token can live beside the first, and by
what tokens are told apart.
"""

from typing import Final

from providers.core.sheet import Sheet

_LOG_IN: Final = (
    "Log in to SureCart's dashboard (in WordPress, the button Connect Store under SureCart > Settings > Connection leads"
    " there too)."
)
_OPEN: Final = "Press API in the sidebar, and open the tab Secret Token."
_FIRST: Final = "If the page can make a token, make one for this; else take the one that it shows."
_BESIDE: Final = (
    "Make a new token BESIDE the present one, which all sites use until they have the new one. Whether the page can is not"
    " documented: if it can only delete or replace, do nothing, and say so to whoever gave you this sheet."
    " Where the present one is deleted already, just make one."
)

LOSSES: Final = (
    "every site that uses the token is disconnected at once, and its plugin throws its copy away at its next call: a site"
    " that is not among the links must be given another token by hand"
)
"""What goes with any token (sheet 2)."""


def typed(connection: str, number: int) -> str:
    """The name of the token of generation `number`, where the page asks for one."""
    return f"{connection} #{number}"


def make(link: str, account: str, connection: str, number: int) -> Sheet:
    """How to get the token of generation `number`, and what to do with it."""
    return Sheet(
        f"Copy a secret token of the SureCart account {account!r}",
        link,
        (
            _LOG_IN,
            f"If you see several stores, choose {account}.",
            _OPEN,
            _BESIDE if number > 1 else _FIRST,
            f"If it asks for a name: {typed(connection, number)}",
            "Copy the secret token whole. One that begins with pt_ is the public one, and is not meant.",
            f"Hand it over: connections capture {connection}, and paste it when it is asked for.",
        ),
        (
            "It gives access to the whole store: send it to nobody, by no mail and no chat.",
            "Do not paste it into any WordPress: that is done after it was proved.",
            "Delete no token now: every site that uses it would be disconnected at once. There is another sheet for that.",
        ),
    )


def delete(link: str, account: str, connection: str, number: int) -> Sheet:
    """Which token to delete, and how it is told from one that must stay."""
    told = (
        f"If tokens have no names there, tell it by its day (connections show {connection} lists when each number came in);"
        " if you cannot tell it, delete none, and say so."
    )
    return Sheet(
        f"Delete the secret token {typed(connection, number)!r} of the SureCart account {account!r}",
        link,
        (
            _LOG_IN,
            f"If you see several stores, choose {account}.",
            _OPEN,
            f"Find the token named {typed(connection, number)}, with exactly this number, and delete it.",
            told,
            "See that it is gone, and say so to whoever gave you this sheet.",
            f"Then run pulumi up, or connections verify {connection}: the token must be seen to be refused.",
        ),
        ("Deleting cannot be undone. A token with another number is another credential: leave it.", LOSSES),
    )
