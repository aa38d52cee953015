"""What PIMworks asks of a store: SAVE validates, and then reads each chosen component (pimworks.md section 6)."""

from __future__ import annotations

from sandbox.pimworks.state import Account, AccountSettings, ChannelStore
from sandbox.store_calls import StoreKey, read
from sandbox.vendor import Call

COMPLETED, EXCEPTION = "Completed", "Exception"


async def refusal(call: Call, settings: AccountSettings, key: StoreKey) -> str:
    """Why the credentials are not valid, in the store's words; empty for valid ones."""
    told = await read(call, key, settings.validation_resource)
    return "" if told.is_good else f"The credentials are not valid: {told.words}"


async def sync(call: Call, account: Account, store: ChannelStore) -> None:
    """Read every component that is ticked, from WooCommerce to PIMworks; each ends on its own. The caller writes it through."""
    syncs: dict[str, str] = {}
    for label in store.components:
        resource = account.settings.components.get(label)
        told = await read(call, store.key, resource) if resource else None
        syncs[label] = COMPLETED if told is not None and told.is_good else EXCEPTION
    store.syncs = syncs
