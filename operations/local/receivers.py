"""Those outside who are given a key of the sandbox, scripted: a vendor's office, an agency at its product hub, a client's
developer, and whoever follows a link to a unified API.

They know what such people know: a mail, a terminal, a login of their own. What they learn goes in by the product's commands.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from operations.local.place import STACK
from operations.local.prepare import owner
from operations.local.terminal import shown_on_a_terminal
from operations.local.world import World
from providers.declarations import DeclaredLink
from sandbox.mail.reader import InterceptedError, Reader
from sandbox.pimworks.visitor import PimworksVisitor
from sandbox.stackone.visitor import HubVisitor
from sandbox.stone_edge.office import Office


@dataclass(frozen=True, slots=True)
class Letter:
    """What somebody was sent for a link and has not said anything about. `store` is the store's name; `first` says that no
    values were given in return for any generation yet."""

    name: str
    store: str
    link: DeclaredLink
    generation: int
    first: bool

    @property
    def recipient(self) -> str:
        """The receiver's address."""
        return str(self.link.fields["recipient"])


def _tell(world: World, who: str, what: str) -> None:
    world.place.say(f"[bold]{who} here[/]: {what}")


def _opened(world: World, letter: Letter) -> Mapping[str, Any]:
    """The values of the mail to a receiver. What was opened by a run that was killed is handed over again."""
    reader = Reader(world.stores.mail, letter.recipient, world.access.address, world.access.ca)
    try:
        return reader.open_latest()
    except InterceptedError:
        world.place.say("It was opened before, by a run that was killed or by somebody else: it is handed over again")
        # One reason repeats it once.
        reason = f"opened by a run that gave no answer, seen at {datetime.now(UTC):%H:%M:%S.%f}"
        world.must("apply", "handover", letter.name, "--again", "--reason", reason)
        return reader.open_latest()


def _confirm(world: World, letter: Letter) -> None:
    said = ("--by", letter.recipient, "--generation", str(letter.generation))
    world.must("operator", "confirm", letter.name, *said)


def office(world: World, letter: Letter) -> None:
    """Stone Edge's office: it opens its mail, and answers with the store's login, or that the new values are in use."""
    _tell(world, "Scripted people play the vendor's office", f"open the mail to {letter.recipient}, and answer")
    _opened(world, letter)
    if not letter.first:
        return _confirm(world, letter)
    given = Office(world.stores.stone_edge, world.stores.mail).answer(letter.store)
    lines = (
        f"Cart ID/Username: {given.cart_id}",
        f"Cart Password: {given.cart_password}",
        f"Script URL: {given.script_url}",
    )
    return world.must("operator", "receive", letter.name, given="\n".join((*lines, "")))


def agency(world: World, letter: Letter) -> None:
    """An agency at PIMworks: it enters the store with its values, ticks the boxes, and says so."""
    _tell(world, "A scripted visitor plays the agency", f"enters {letter.store} in PIMworks, by the mail")
    values, fields = _opened(world, letter), letter.link.fields
    who = owner(world.place, "pimworks")
    with PimworksVisitor(who.panel, world.stores.ca, who.mail, who.password) as visitor:
        visitor.subscribe()
        visitor.save_store(
            fields["store_name"] or values["url"],
            values["url"],
            values["consumer_key"],
            values["consumer_secret"],
            fields["components"].values(),
        )
    _confirm(world, letter)


def developer(world: World, letter: Letter) -> None:
    """A client's developer: opens the mail, sets the shop up, and says so."""
    _tell(world, "A scripted developer", f"opens the mail to {letter.recipient}, and takes the values over")
    _opened(world, letter)
    _confirm(world, letter)


READERS: Final[Mapping[str, Callable[[World, Letter], None]]] = {
    "stone-edge": office,
    "pimworks": agency,
    "person": developer,
}
"""Who reads the mail about a link, by its consumer."""


def follow(world: World, name: str) -> None:
    """Follow a link to StackOne that only a terminal shows, and fill in what stands beside it."""
    _tell(
        world, "A scripted visitor plays whoever connects a store", f"follows the link of {name}, shown on a terminal"
    )
    text = shown_on_a_terminal(world, "apply", "--stack", STACK, "link", name, "--show")
    lines = (line.partition(": ") for line in text.splitlines())
    values = {word: value.strip() for word, found, value in lines if found}
    with HubVisitor(world.stores.ca) as visitor:
        visitor.connect(values["auth_link_url"], values["url"], values["consumer_key"], values["consumer_secret"])
