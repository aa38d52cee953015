"""`connections init`: the files of a new stack, and what an administrator of Vault must run for it.

Writes files that are not there, and nothing else: Vault is set up by its administrators, with what is printed.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from operations.results import Block
from operations.session import Session
from providers.core.errors import ConnectionsError, Refused
from providers.core.policies import ROLES, PolicyNames, render_policy
from providers.core.vault.keyring import KEYS
from providers.declarations import names
from providers.declarations.files import RESERVED, SETTINGS

SCHEMES: Final = ("s3://", "gs://", "azblob://", "https://", "postgres://")
"""Backends that several people and machines can share."""

MAX_VERSIONS = 10

_SETTINGS: Final = """\
# Everything that the stack's stores share; owned by the security people.
format: 1
vault: {{mount: {mount}, admins: admins, hubs: hubs, adopt: legacy, transit: transit}}
defaults: {{rotate_after: 90d, overlap: 24h, verify: read}}
rotation: {{by: schedule, spread: 14d, at_most: 5}}
# Who gets credentials handed over, and by which mail server:
# hubs: {{mail: {{server: smtp.agency.example, from: integrations@agency.example}}}}
# recipients: ["*@agency.example"]
teams:
  integrations: {{mail: integrations@agency.example}}     # who answers for stores: put your teams here
"""

_ENGINE_SETTINGS: Final = "# The engine's own. No `config:` here: what is declared stands in the stack's folder.\n"


@dataclass(frozen=True, slots=True)
class Initialised:
    """The files that were written, and the commands to run: those of an administrator of Vault, then one's own."""

    stack: str
    files: tuple[str, ...]
    vault_commands: tuple[str, ...]
    engine_commands: tuple[str, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """What was written, as a script with remarks."""
        yield from (f"# wrote {file}" for file in self.files)
        yield "#"
        yield "# An administrator of Vault runs, in this folder, once (what is there already may fail, and stays):"
        yield from self.vault_commands
        yield "#"
        yield "# Whoever works with the stack:"
        yield from self.engine_commands


def initialise(session: Session, stack: str, *, backend: str, local_state: bool, mount: str) -> Initialised:
    """Write the files of a stack that is not there yet."""
    flaw = names.flaw(stack)
    if flaw or stack in RESERVED:
        raise ConnectionsError(flaw or f"{names.shown(stack)} is no stack's name", do="Choose another name")
    backend = _backend(backend, local_state=local_state)
    # Names are checked by rendering: nothing is written before.
    texts = {role: render_policy(role, PolicyNames(session.project, stack, mount)) for role in ROLES}
    folder = session.stacks / stack
    contents: dict[Path, str] = {
        folder / SETTINGS: _SETTINGS.format(mount=mount),
        session.stacks / f"Pulumi.{stack}.yaml": _ENGINE_SETTINGS,
        **{folder / "vault" / f"{role}.hcl": text for role, text in texts.items()},
    }
    present = [path for path in contents if path.exists()]
    if present:
        shown = ", ".join(str(path.relative_to(session.root)) for path in present)
        raise Refused(f"already there: {shown}", do="Nothing was written; choose another name, or move them away")
    for path, text in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    return Initialised(
        stack,
        tuple(str(path.relative_to(session.root)) for path in contents),
        tuple(_vault_commands(session.project, stack, mount)),
        (
            f"export PULUMI_BACKEND_URL='{backend}'",
            "export PULUMI_CONFIG_PASSPHRASE=   # the state holds no secret",
            f"pulumi stack init {stack}",
            f"connections --stack {stack} doctor",
        ),
    )


def _backend(url: str, *, local_state: bool) -> str:
    if not url and sys.stdin.isatty():
        sys.stderr.write("Where the engine keeps its state (such as s3://bucket): ")
        sys.stderr.flush()
        url = sys.stdin.readline().strip()
    if not url:
        raise ConnectionsError("a backend is missing", do="Name it with --backend, such as s3://bucket")
    if "'" in url or not url.isprintable():
        raise ConnectionsError("the backend holds characters that no such address has", do="Check --backend")
    if url.startswith("file:"):
        if not local_state:
            raise Refused(
                "a backend on this machine cannot be shared, and two states of one stack undo each other's work",
                do="Name a shared one, or add --local-state where one person works alone",
            )
    elif not url.startswith(SCHEMES):
        raise ConnectionsError(f"no backend of the engine begins so; it begins with one of {', '.join(SCHEMES)}")
    return url


def _vault_commands(project: str, stack: str, mount: str) -> Iterator[str]:
    """Mounts, keys, policies, roles and the sentinel, in the order in which they need each other."""
    places = PolicyNames(project, stack, mount)
    for kv in (places.mount, places.admins, places.hubs, places.adopt):
        yield f"vault secrets enable -path={kv} -version=2 kv"
        yield f"vault write {kv}/config cas_required=true max_versions={MAX_VERSIONS}"
    yield f"vault secrets enable -path={places.transit} transit"
    for key in KEYS.values():
        yield f"vault write {places.transit}/keys/{key} type=hmac key_size=32 exportable=false"
    yield "vault auth enable approle"
    for role in ROLES:
        name = f"{project}-{stack}-{role}"
        yield f"vault policy write {name} stacks/{stack}/vault/{role}.hcl"
        yield f"vault write auth/approle/role/{name} token_policies={name} token_ttl=1h token_max_ttl=24h"
    base = f"{project}/{stack}"
    yield f"vault kv put -mount={mount} -cas=0 {base}/_sentinel format=1 base={base}"
    yield "# People and runs log in with VAULT_ROLE_ID and VAULT_SECRET_ID_FILE, made by"
    yield f"#   vault read auth/approle/role/{project}-{stack}-apply/role-id"
    yield f"#   vault write -f auth/approle/role/{project}-{stack}-apply/secret-id"
    yield "# or, in a pipeline, with VAULT_JWT_ROLE and VAULT_JWT_FILE of a role bound to its repository and environment."
    yield "# Admin logins of stores lie under the host they are for; the password is asked for, not typed as an argument:"
    yield f"#   vault kv put -mount={places.admins} -cas=0 HOST[/PATH] username=NAME password=-"
    yield "# The mail server of hubs.mail in _stack.yaml, which sends hand-overs, may want a login too:"
    yield f"#   vault kv put -mount={places.hubs} -cas=0 mail username=NAME password=-"
    yield "# A hand-over goes behind a single-use token; the policies of apply and operator allow sys/wrapping/wrap for it."
