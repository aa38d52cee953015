"""The committed Vault policies, one file per role, with the names of one stack put in (design.md section 6)."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from providers.core.vault.paths import checked

Role = Literal["admin", "apply", "verify", "preview", "operator", "auditor"]
ROLES: tuple[Role, ...] = get_args(Role)

_FOLDER = Path(__file__).resolve().parents[2] / "policies"
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True)
class PolicyNames:
    """What the placeholders stand for: the stack, and the mounts it uses."""

    project: str
    stack: str
    mount: str = "kv"
    admins: str = "admins"
    hubs: str = "hubs"
    adopt: str = "legacy"
    transit: str = "transit"


def render_policy(role: Role, names: PolicyNames) -> str:
    """The policy text of a role, ready for Vault. `Refused` for a name that could mean another path."""
    values = {name: checked(value, what=name) for name, value in asdict(names).items()}
    text = (_FOLDER / f"{role}.hcl").read_text(encoding="utf-8")
    return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
