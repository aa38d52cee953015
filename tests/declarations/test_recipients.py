"""To whom a hand-over may go, and with whose key."""

from pathlib import Path

import pytest

from providers.declarations.models import Receiver, Settings
from tests.declarations.files import SETTINGS, STORE, loaded, problems

KEYS = (
    "age18d226gk4yss7h5wqfev7ldrunt8f0tcys0h5jlq6uhuzghsyee2q2ttvpz",
    "age1clwx8jt0mdah3w2ynyzqpxrlfvn6re40erlkldqpevdc2t7u6suql9m6zg",
)
ENTRIES = f"""
  - Dev@fresh-roast.example
  - {{mail: Office@vendor.example, key: {KEYS[0]}}}
  - {{mail: "*@vendor.example", key: {KEYS[1]}}}
  - "*@agency.example"
"""

FOUND = [
    ("dev@fresh-roast.example", "Dev@fresh-roast.example", None),
    ("other@fresh-roast.example", None, None),
    ("office@VENDOR.example", "Office@vendor.example", KEYS[0]),
    ("sales@vendor.example", "*@vendor.example", KEYS[1]),
    ("sales@sub.vendor.example", None, None),
    ("a@agency.example", "*@agency.example", None),
]


@pytest.mark.parametrize(("mail", "entry", "key"), FOUND)
def test_an_address_has_its_own_entry_else_its_domain_s(
    mail: str, entry: str | None, key: str | None, tmp_path: Path
) -> None:
    settings = SETTINGS.replace(' ["*@agency.example"]', ENTRIES.rstrip())
    store = STORE.replace("{vault: {}}", f"{{dev: {{to: person, handover: sealed, recipient: {mail}}}}}")
    files = {"production/_stack.yaml": settings, "production/fresh-roast.yaml": store}
    if entry is None:
        (found,) = problems(tmp_path, files)
        allowed = "*@agency.example, *@vendor.example, Dev@fresh-roast.example, Office@vendor.example"
        assert found.endswith(f"is not among recipients in _stack.yaml; allowed: {allowed}")
        return
    stack = loaded(tmp_path, files)
    assert stack.settings.receiver(mail) == Receiver(mail=entry, key=key)
    ((link,),) = (connection.links for connection in stack.connections)
    assert link.fields.get("recipient_key") == key


def test_where_nobody_is_listed_nobody_receives() -> None:
    settings = Settings.model_validate({"format": "1", "vault": {"mount": "kv"}, "teams": {}})
    assert settings.receiver("dev@agency.example") is None
