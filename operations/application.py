"""The commands' words: thin functions that parse, and call the module of the same name, which does.

A command's module is imported when the command is called: Vault's client alone takes longer to import than `check` to run.
"""

import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from operations.results import Result
from operations.session import Session

app = typer.Typer(
    name="connections",
    help="Which system may reach which store, with exactly which rights: what people and schedules do beside `pulumi up`.",
    epilog=(
        "--stack, --json and --quiet may stand anywhere. SCOPE is one connection (store/connection), a store (store/*), or "
        "any pattern; none is the whole stack. Exit codes: 0 done, 1 error, 2 changes or drift found, 3 could not look, "
        "4 a person must act, 5 refused by a rail; of several the gravest: 1, 5, 2, 3, 4."
    ),
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Scope = Annotated[str, typer.Argument(help="store/connection, store/*, or a pattern; none is the whole stack")]
Name = Annotated[str, typer.Argument(help="store/connection")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands on record")]


def _do(name: str, context: typer.Context, *arguments: Any, **options: Any) -> Result:
    """Call `module.function` of this package with the session."""
    module, _, function = name.partition(".")
    session: Session = context.obj
    result: Result = getattr(importlib.import_module(f"operations.{module}"), function)(session, *arguments, **options)
    return result


@app.callback()
def everywhere(
    _stack: Annotated[str, typer.Option("--stack", help="The stack; CONNECTIONS_STACK, or the only one there is")] = "",
    _json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output")] = False,
    _quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on the way")] = False,
) -> None:
    """What stands before every command; `program.run` has taken these words already."""


# --- looking ---


@app.command()
def check(context: typer.Context) -> Result:
    """Read all declarations, offline, and tell everything that is wrong with them."""
    return _do("check.check", context)


@app.command()
def status(
    context: typer.Context,
    scope: Scope = "",
    waiting: Annotated[bool, typer.Option("--waiting", help="Only what waits for something or somebody")] = False,
    live: Annotated[bool, typer.Option("--live", help="Look at the stores too, not only into the journals")] = False,
) -> Result:
    """Every connection: its rights, its state, its age, who uses it."""
    return _do("status.status", context, scope, waiting=waiting, live=live)


@app.command()
def show(context: typer.Context, name: Name) -> Result:
    """One connection: every value with the line it comes from, and what was decided for it."""
    return _do("show.show", context, name)


@app.command()
def verify(context: typer.Context, scope: Scope = "") -> Result:
    """Ask every store now what each key can do, both ways."""
    return _do("verify.verify", context, scope)


@app.command()
def doctor(
    context: typer.Context, stores: Annotated[list[str] | None, typer.Argument(help="Stores; none is all")] = None
) -> Result:
    """What stands between us and Vault, the engine, the mail server and every store, with the cure."""
    return _do("doctor.doctor", context, tuple(stores or ()))


@app.command()
def discover(
    context: typer.Context,
    store: Annotated[str, typer.Argument(help="A declared store")],
    stubs: Annotated[bool, typer.Option("--adopt-stubs", help="Print declarations that would take them over")] = False,
) -> Result:
    """The keys of a store that are not ours."""
    return _do("discover.discover", context, store, stubs=stubs)


# --- acting ---


@app.command()
def rotate(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection, or a pattern")] = "",
    reason: Reason = "",
    due: Annotated[bool, typer.Option("--due", help="What is due for its age, and what earlier runs left")] = False,
    at_most: Annotated[
        int | None, typer.Option("--at-most", min=0, help="With --due: begin no more than so many")
    ] = None,
    compromised: Annotated[bool, typer.Option("--compromised", help="It leaked: the old key dies at once")] = False,
) -> Result:
    """Replace credentials: issue, prove, publish, move the links, retire."""
    return _do("rotate.rotate", context, name, reason=reason, due=due, at_most=at_most, compromised=compromised)


@app.command()
def capture(
    context: typer.Context,
    name: Name,
    file: Annotated[str, typer.Option("--file", help="Read the values from this file")] = "",
    delete: Annotated[bool, typer.Option("--delete", help="With --file: delete it once the key is in Vault")] = False,
    lost: Annotated[bool, typer.Option("--lost", help="The awaited key was never made, or is lost")] = False,
    reason: Reason = "",
) -> Result:
    """Put in a key that a person made, from standard input: proved first, then into Vault."""
    return _do("capture.capture", context, name, file=file, delete=delete, lost=lost, reason=reason)


@app.command()
def confirm(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection, or store/connection/link")],
    deleted: Annotated[int | None, typer.Option("--deleted", min=1, help="This key number was deleted by hand")] = None,
    reason: Reason = "",
    by: Annotated[str, typer.Option("--by", help="Who works with the new key now")] = "",
    generation: Annotated[int | None, typer.Option("--generation", min=1, help="The one that is meant")] = None,
) -> Result:
    """A person's word: a key was deleted by hand, or a user works with the new one."""
    return _do("people.confirm", context, name, deleted=deleted, reason=reason, by=by, generation=generation)


@app.command()
def sheet(
    context: typer.Context,
    scope: Scope = "",
    form: Annotated[str, typer.Option("--format", help="text, markdown or html")] = "text",
) -> Result:
    """What a person is to do in a store's panel, to print or to send: no secret stands in it."""
    return _do("sheet.sheet", context, scope, form=form)


@app.command()
def handover(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection/link")],
    again: Annotated[bool, typer.Option("--again", help="Repeat it; the earlier one is voided")] = False,
    reason: Reason = "",
    show: Annotated[bool, typer.Option("--show", help="On this terminal, even where it could be mailed")] = False,
) -> Result:
    """Hand a credential over to somebody outside."""
    return _do("handover.handover", context, name, again=again, reason=reason, show=show)


@app.command()
def receive(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection/link")],
    file: Annotated[str, typer.Option("--file", help="Read the values from this file")] = "",
    delete: Annotated[bool, typer.Option("--delete", help="With --file: delete it once they are in Vault")] = False,
) -> Result:
    """Put in what a link's vendor gave in return, from standard input."""
    return _do("handover.receive", context, name, file=file, delete=delete)


@app.command()
def link(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection/link")],
    show: Annotated[
        bool, typer.Option("--show", help="What its person follows and fills in, on this terminal")
    ] = False,
) -> Result:
    """How one user of a credential stands, and what a person needs who completes it at the consumer."""
    return _do("link.link", context, name, show=show)


@app.command("forget-link")
def forget_link(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="store/connection/link")],
    reason: Reason = "",
) -> Result:
    """Take a link out of the journal whose consumer no longer exists."""
    return _do("people.forget_link", context, name, reason=reason)


@app.command()
def recover(
    context: typer.Context,
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Go on above these numbers, and revoke the unknown keys")] = False,
    reason: Reason = "",
) -> Result:
    """After Vault was restored from an older copy: what the store has that Vault does not know."""
    return _do("recover.recover", context, name, yes=yes, reason=reason)


# --- files ---


@app.command()
def init(
    context: typer.Context,
    stack: Annotated[str, typer.Argument(help="The new stack's name")],
    backend: Annotated[
        str, typer.Option("--backend", help="Where the engine keeps its state: s3://..., https://...")
    ] = "",
    local_state: Annotated[bool, typer.Option("--local-state", help="Allow a backend on this machine alone")] = False,
    mount: Annotated[str, typer.Option("--mount", help="Vault's KV mount for what the product makes")] = "kv",
) -> Result:
    """Files of a new stack, and what an administrator of Vault must run for it."""
    return _do("initialise.initialise", context, stack, backend=backend, local_state=local_state, mount=mount)


@app.command()
def new(
    context: typer.Context,
    store: Annotated[str, typer.Argument(help="The new store's name")],
    platform: Annotated[str, typer.Option("--platform", help="Its platform, such as woocommerce")],
    url: Annotated[
        str, typer.Option("--url", help="Its address, or what its platform knows it by, such as a store hash")
    ],
    like: Annotated[str, typer.Option("--like", help="A store whose connections it gets too")] = "",
    team: Annotated[str, typer.Option("--team", help="The team that answers for it")] = "",
) -> Result:
    """The file of a new store."""
    return _do("new.new", context, store, platform=platform, url=url, like=like, team=team)


@app.command()
def schema(
    context: typer.Context,
    write: Annotated[bool, typer.Option("--write", help="Write them to stacks/schema/")] = False,
    compare: Annotated[bool, typer.Option("--check", help="Compare them with stacks/schema/")] = False,
) -> Result:
    """The JSON Schemas of declared files, for editors."""
    return _do("schema.schema", context, write_them=write, compare=compare)


@app.command()
def version(context: typer.Context) -> Result:
    """What runs here."""
    return _do("version.version", context)


FROM_VARIABLE = "CONNECTIONS_CALLED_FROM"
"""Where the caller stood when `script/connections` changed to the project's folder."""


def given_path(text: str, environ: Any) -> Path:
    """A path as the caller meant it."""
    return Path(environ.get(FROM_VARIABLE, "."), text)
