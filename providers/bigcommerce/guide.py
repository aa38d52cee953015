"""The sheets for the person at the control panel: how to make an account, and how to delete one (sheet bigcommerce.md 3.4).

Labels and levels only, as the panel prints them: whoever works by it never sees OAuth's names.
"""

from typing import Final

from providers.bigcommerce.rights import Rights, complete
from providers.core.sheet import Sheet, Table

ACCOUNTS: Final = "/manage/settings/auth/api-accounts"
"""The page of the store-level accounts, below the panel's address (3.3)."""

ACCOUNT_TYPE: Final = "V2/V3 API token"
LIMIT: Final = 50
"""Accounts that a store can have (3.1)."""

_LOG_IN: Final = (
    "Log in to the store's control panel as its owner, or as a user who may create, list and delete store API tokens,"
    " and open Settings > API > Store-level API accounts."
)


def typed(title: str, number: int) -> str:
    """The name of the account of generation `number`: the number behind it tells two generations apart."""
    return f"{title} #{number}"


def make(link: str, store_hash: str, connection: str, rights: Rights, name: str) -> Sheet:
    """How to make the account `name` with exactly these rights, and what to do with what it shows once."""
    return Sheet(
        f"Make the API account {name!r} at store {store_hash}",
        link,
        (
            _LOG_IN,
            "Press Create API account.",
            f"Token type: {ACCOUNT_TYPE}.",
            f"Name: {name}",
            f"See that the API path holds the store hash: /stores/{store_hash}/v3/",
            "Set every row to its level, the rows with none too:",
            Table(tuple(complete(rights).items())),
            "Leave a row that is not listed here as it stands.",
            "Press Save. Client ID, client secret and access token are shown this once, and a .txt file is downloaded.",
            "Do not press Done yet.",
            f"Hand the file F over: connections capture {connection} --file F --delete",
            f"Without the file, paste the values when they are asked for: connections capture {connection}",
            "Press Done only after the capture has said that the key is in Vault.",
        ),
        (
            "Send the values to nobody, by no mail and no chat.",
            "Values that were missed cannot be shown again: delete the account and make it once more.",
            "The rights of an account never change: a wrong row means to delete the account and make it once more.",
            f"A store has room for {LIMIT} accounts; if it is full, say so instead of deleting one.",
        ),
    )


def delete(link: str, store_hash: str, connection: str, name: str, losses: tuple[str, ...]) -> Sheet:
    """Which account to delete; `losses` is what goes with any account, in words."""
    return Sheet(
        f"Delete the API account {name!r} at store {store_hash}",
        link,
        (
            _LOG_IN,
            f"Find the account named {name}, with exactly this number at its end, and delete it.",
            "See that it is gone from the list, and say so to whoever gave you this sheet.",
            f"Then run pulumi up, or connections verify {connection}: the token must be seen to be refused.",
        ),
        ("Deleting cannot be undone. An account with another number is another credential: leave it.", *losses),
    )
