"""Platforms are found by their folders."""

from providers.declarations import DeclaredPlatform, platforms
from providers.declarations.models import ConnectionWords, StoreWords


def test_every_platform_whose_folder_is_there() -> None:
    found = platforms()
    assert "woocommerce" in found
    for name, platform in found.items():
        assert platform.name == name
        assert platform.default_kind in platform.credentials
        assert platform.identity in platform.store.model_fields


def test_a_platform_whose_keys_a_program_makes() -> None:
    platform = DeclaredPlatform("plain", "title", StoreWords, {"key": ConnectionWords}, "key")
    store = StoreWords.model_validate({"platform": "plain", "connections": {}})
    connection = ConnectionWords.model_validate({"purpose": "orders", "links": {"vault": {}}})
    assert platform.by_person(store, connection) is False
