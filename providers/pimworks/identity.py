"""Where a link to PIMworks stands: one store within a channel (pimworks.md 4 and 8)."""


def place(channel: str, url: str) -> str:
    """The slot: PIMworks has one pair of keys for a store of a channel."""
    return f"pimworks {channel} {url}"
