"""`connections new`: the file of a new store, in house style; never over a file that is there."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from operations.results import Block
from operations.session import Session
from providers.core.errors import ConnectionsError, DeclarationError, Refused
from providers.declarations import DeclarationErrors, load, names, platforms
from providers.declarations.house_style import connection_text, like_store_text, new_store_text
from providers.declarations.names import listed, shown, suggestion


@dataclass(frozen=True, slots=True)
class NewStore:
    """The file that was written, where the admin login goes in Vault (empty where there is none), and what to do next."""

    store: str
    file: str
    admin_login: str
    next: tuple[str, ...]
    exit_code: int = 0

    def shown(self) -> Iterable[Block]:
        """The file and the next steps."""
        yield f"wrote {self.file}"
        yield from self.next


def new(session: Session, store: str, *, platform: str, url: str, like: str, team: str) -> NewStore:
    """Write the file, and read it back with the whole stack: with anything wrong in it, it is taken away again."""
    known = platforms()
    if platform not in known:
        raise ConnectionsError(
            f"unknown platform {shown(platform)}; allowed: {listed(known)}{suggestion(platform, known)}"
        )
    flaw = names.flaw(store)
    if flaw:
        raise ConnectionsError(f"a store is called as its file: {flaw}", do="Choose another name")
    stack = session.stack
    path = session.stacks / stack.name / f"{store}.yaml"
    shown_as = str(path.relative_to(session.root))
    declared = known[platform]
    if like:
        (other,) = session.stores([like])
        text = like_store_text(
            (session.root / other.file).read_text("utf-8"), declared, url, **({"team": team} if team else {})
        )
    else:
        text = new_store_text(declared, url, {}, team=team or _only_team(list(stack.settings.teams)))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise Refused(
            f"{shown_as} is already there", do="Nothing was written; edit it, or choose another name"
        ) from None
    try:
        load(session.stacks, stack.name, known, project=session.project)
    except DeclarationErrors:
        path.unlink()
        raise
    login, steps = "", []
    if declared.signs_in:
        parts = urlsplit(url)
        login = "/".join([stack.settings.vault.admins, parts.netloc, *parts.path.strip("/").split("/")]).rstrip("/")
        steps.append(f"Put the store's admin login into Vault, at {login} (fields `username` and `password`).")
    if not like:
        steps += ["Declare connections in the file, such as", *connection_text("orders", declared.example).splitlines()]
    steps.append(f"Then `connections check`, `connections doctor {store}`, `pulumi preview`, `pulumi up`.")
    return NewStore(store, shown_as, login, tuple(steps))


def _only_team(teams: list[str]) -> str:
    if len(teams) != 1:
        raise DeclarationError(f"the stack has several teams: {listed(teams)}", do="Name one with --team")
    return teams[0]
