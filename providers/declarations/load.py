"""Reads a stack's files into a `Stack`, or tells everything that is wrong with them at once.

Offline: nothing but the files is read.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, get_args

from providers.core.errors import DeclarationError
from providers.core.marker import Owner
from providers.declarations import names
from providers.declarations.files import (
    RESERVED,
    RIGHTS,
    SETTINGS,
    DeclaredFile,
    Platforms,
    checked,
    no_stack,
    rights_sets,
    stack_files,
)
from providers.declarations.models import (
    ConnectionWords,
    Declared,
    HandoverLink,
    LinkWords,
    Permit,
    Risk,
    Settings,
    StoreWords,
)
from providers.declarations.names import listed, shown, suggestion
from providers.declarations.platforms import (
    DeclaredConsumer,
    DeclaredPlatform,
    Remark,
    every_consumer,
    hub_values,
    settings_model,
)
from providers.declarations.problems import DeclarationErrors, Problem
from providers.declarations.stack import Connection, DeclaredLink, Origin, Stack, Store, declared_words
from providers.declarations.values import placeholders
from providers.declarations.yaml_text import Path as Where
from providers.declarations.yaml_text import kind_of

BUILT_IN: Final[Mapping[str, Any]] = {
    "ask": None,
    "rotate_after": 90 * 86400,
    "overlap": 24 * 3600,
    "handover": "auto",
    "handover_ttl": 72 * 3600,
    "verify": "read",
    "freeze": None,
}
"""Values of the shared words that nobody wrote."""

PROJECT: Final = r"[a-z][a-z0-9-]*"
"""A project's name as a marker can carry it: a marker with another could be made, but never be read again."""


def load(stacks_directory: Path, stack: str, platforms: Platforms, *, project: str = "connections") -> Stack:
    """Read `stacks/<stack>/**` and `stacks/rights/**`; raise `DeclarationErrors` with all problems of all files.

    `project` is the Pulumi project's name: labels at stores must leave room for the marker that begins with it.
    `DeclarationError` where that marker could not carry it.
    """
    if not re.fullmatch(PROJECT, project):
        raise DeclarationError(
            f"the project's name {shown(project)} cannot stand in the marker at our keys",
            do="Name it with a letter a-z first, then lower-case letters, digits and hyphens",
            where="Pulumi.yaml",
        )
    problems: list[Problem] = []
    top = stacks_directory.name
    if names.flaw(stack) or stack in RESERVED or not (stacks_directory / stack).is_dir():
        raise DeclarationErrors([Problem(f"{top}/", 0, 0, no_stack(stacks_directory, stack))])
    settings_file, found = stack_files(stacks_directory / stack, f"{top}/{stack}", problems)
    settings = None
    if settings_file is None:
        problems.append(Problem(f"{top}/{stack}/{SETTINGS}", 0, 0, "the file is missing; it holds what stores share"))
    else:
        settings = checked(settings_file, settings_model(platforms), (), "in this file")
    sets = rights_sets(stacks_directory / RIGHTS, f"{top}/{RIGHTS}", platforms, problems)
    if settings and settings_file:
        _check_endpoints(settings_file, settings, platforms)
    resolver = _Resolver(stack, project, platforms, settings_file, settings, sets, whole=not problems)
    for name, tenant, file in found:
        resolver.store(name, tenant, file)
    resolver.across()
    if problems or settings is None:
        raise DeclarationErrors(problems)
    return Stack(stack, settings, tuple(resolver.stores), tuple(resolver.connections), sets, resolver.origins)


@dataclass(frozen=True, slots=True)
class _Level:
    """A model in which a shared word may have been written, nearest first in a chain of levels."""

    model: Declared
    file: DeclaredFile
    path: Where


class _Resolver:
    """Turns checked files into the values of a `Stack`, one store after the other."""

    def __init__(
        self,
        stack: str,
        project: str,
        platforms: Platforms,
        settings_file: DeclaredFile | None,
        settings: Settings | None,
        sets: Mapping[str, Mapping[str, Any]],
        *,
        whole: bool,
    ) -> None:
        self.stack, self.project, self.platforms, self.settings = stack, project, platforms, settings
        self.sets = sets
        self.defaults: tuple[_Level, ...] = ()
        if settings and settings_file:
            self.defaults = (_Level(settings.defaults, settings_file, ("defaults",)),)
        # Whether everything could be read: without a store or connection, what links say of others cannot be judged.
        self.whole = whole
        self.stores: list[Store] = []
        self.connections: list[Connection] = []
        self.origins: dict[str, dict[str, Origin]] = {}
        self.files: dict[str, DeclaredFile] = {}

    def store(self, name: str, tenant: str, file: DeclaredFile) -> None:
        root = file.source.root
        word = root.get("platform")
        platform = self.platforms.get(word) if isinstance(word, str) else None
        if platform is None:
            self.whole = False
            self._no_platform(file, word)
            return
        model = checked(file, platform.store, (), f"at a {platform.name} store")
        self._team(file, ())
        connections = root.get("connections")
        drafts = {
            key: draft
            for key, value in (connections.items() if isinstance(connections, dict) else ())
            if (draft := self._draft(file, platform, key, value)) is not None
        }
        if model is None:
            self.whole = False
            return
        levels = (_Level(model, file, ()), *self.defaults)
        origins = _written(file, model, ())
        ask, origins["ask"] = _nearest("ask", levels)
        fields = _own(model, StoreWords)
        identity = fields[platform.identity]
        replaced = self.settings.endpoints.get(platform.name, {}) if self.settings else {}
        endpoints = {
            word: text.replace(f"{{{platform.identity}}}", identity)
            for word, text in {**platform.endpoints, **replaced}.items()
        }
        store = Store(
            name=name,
            tenant=tenant,
            platform=platform.name,
            address=identity,
            fields=fields,
            title=model.title or name,
            team=model.team or "",
            ask=ask or "",
            moved_from=model.moved_from or "",
            file=file.name,
            url=platform.address(identity, endpoints),
            endpoints=endpoints,
        )
        if store.moved_from == store.address:
            file.at_value(("moved_from",), "moved_from: this is the present address; write the former one")
        self.origins[name] = origins
        self.files[name] = file
        self.stores.append(store)
        found = {
            key: self._linked(platform, self._connection(file, platform, store, model, key, connection, links))
            for key, (connection, links) in drafts.items()
        }
        # With a connection missing that could not be read, what others say of it cannot be judged.
        whole = len(found) == len(model.connections)
        self.whole = self.whole and whole
        for key, connection in found.items():
            remarks = [*platform.rules(connection, Owner(self.project, self.stack, connection.name))]
            if whole:
                remarks += platform.beside(connection, {name: other for name, other in found.items() if name != key})
            # What a consumer needs of `_stack.yaml` is not missing where that could not be read.
            for link in connection.links if self.settings else ():
                remarks += platform.consumers_of(connection.kind)[link.to].rules(connection, link)
            warnings = _put_down(file, ("connections", key), remarks)
            self.connections.append(replace(connection, warnings=warnings))

    def _no_platform(self, file: DeclaredFile, word: object) -> None:
        if not file.source.values or file.is_bad(("platform",)):
            return
        if word is None:
            file.at_word((), f"'platform' is missing; allowed: {listed(self.platforms)}")
        else:
            file.at_value(("platform",), _unknown("platform", word, self.platforms))

    def _draft(
        self, file: DeclaredFile, platform: DeclaredPlatform, key: str, value: object
    ) -> tuple[ConnectionWords, dict[str, LinkWords]] | None:
        """A connection and its links as models; None where something in them is wrong."""
        path: Where = ("connections", key)
        kind = value.get("credential", platform.default_kind) if isinstance(value, dict) else platform.default_kind
        model = platform.credentials.get(kind) if isinstance(kind, str) else None
        if model is None:
            file.at_value((*path, "credential"), _unknown("credential", kind, platform.credentials))
            return None
        if isinstance(value, dict):
            self._team(file, path)
            self._accepted(file, (*path, "accept"), value.get("accept"))
            if "team" not in value and "team" not in file.source.root:
                file.at_word(path, "'team' is missing at the connection and at its store")
        connection = checked(file, model, path, f"at a connection of a {platform.name} store")
        raw = value.get("links") if isinstance(value, dict) else None
        links: dict[str, LinkWords] = {}
        whole = True
        for name, words in raw.items() if isinstance(raw, dict) else ():
            link = self._link(file, platform, kind, (*path, "links", name), name, words)
            whole = whole and link is not None
            if link is not None:
                links[name] = link
        if raw == {}:
            file.at_word((*path, "links"), "'links' is empty; nobody uses a key without standing in it")
        return (connection, links) if connection and whole and links else None

    def _link(
        self, file: DeclaredFile, platform: DeclaredPlatform, kind: str, path: Where, name: str, words: object
    ) -> LinkWords | None:
        known = platform.consumers_of(kind)
        to = words.get("to", name) if isinstance(words, dict) else name
        consumer = known.get(to) if isinstance(to, str) else None
        if consumer is not None:
            return checked(file, consumer.words, path, f"at a link to {to}")
        if not file.is_bad(path) and not file.is_bad((*path, "to")):
            named = isinstance(words, dict) and "to" in words
            serves = {kind for other in every_consumer(self.platforms) if other.name == to for kind in other.serves}
            if serves:
                what = f"{to} works with {listed(serves)}, not with {platform.name}/{kind}"
            else:
                what = _unknown("consumer", to, known) + ("" if named else "; or say who it is with `to:`")
            file.at_value((*path, "to"), what) if named else file.at_word(path, what)
        return None

    def _connection(
        self,
        file: DeclaredFile,
        platform: DeclaredPlatform,
        store: Store,
        store_words: StoreWords,
        key: str,
        model: ConnectionWords,
        links: Mapping[str, LinkWords],
    ) -> Connection:
        path: Where = ("connections", key)
        full = f"{store.name}/{key}"
        levels = (_Level(model, file, path), _Level(store_words, file, ()), *self.defaults)
        origins = {**self.origins[store.name], **_written(file, model, path)}
        by_person = platform.by_person(store_words, model)
        shared: dict[str, Any] = {}
        for word in BUILT_IN:
            # What a person must make is not due by a stack's default; only the store's own word makes it due.
            near = levels[:2] if by_person and word == "rotate_after" else levels
            shared[word], origins[word] = _nearest(word, near)
            if by_person and word == "rotate_after" and origins[word] == Origin():
                shared[word] = None
        resolved = tuple(self._resolved_link(file, full, path, levels, name, link) for name, link in links.items())
        _former_links(file, path, resolved)
        overlaps = [link.fields["overlap"] for link in resolved if link.to == "vault"]
        if "overlap" in model.model_fields_set and not overlaps:
            file.at_word((*path, "overlap"), "overlap: nothing here reads Vault; only links to vault need it")
        settled = platform.settle(full, _own(model, ConnectionWords), self.sets.get(platform.name, {}))
        _put_down(file, path, settled.remarks)
        connection = Connection(
            name=full,
            store=store,
            platform=platform.name,
            kind=model.credential or platform.default_kind,
            fields=settled.fields,
            purpose=model.purpose,
            team=model.team or store.team,
            ask=shared["ask"] or "",
            verify=shared["verify"],
            rotate_after=shared["rotate_after"],
            rotate=model.rotate or "",
            overlap=max(overlaps, default=0),
            freeze=shared["freeze"],
            adopt=model.adopt or "",
            revoke_on_destroy=model.revoke_on_destroy,
            was=_former(store_words, store.name, model, key),
            accept={str(risk): reason for risk, reason in model.accept.items()},
            by_person=by_person,
            links=resolved,
        )
        self._permits(file, path, connection, levels)
        self.origins[full] = origins
        return connection

    def _resolved_link(
        self, file: DeclaredFile, full: str, base: Where, levels: tuple[_Level, ...], name: str, link: LinkWords
    ) -> DeclaredLink:
        """A link with its defaults; its consumer's rules that need `_stack.yaml` are checked."""
        path = (*base, "links", name)
        fields = _own(link, LinkWords)
        origins = _written(file, link, path)
        for word in BUILT_IN.keys() & fields.keys():
            fields[word], origins[word] = _nearest(word, (_Level(link, file, path), *levels))
        self.origins[f"{full}/{name}"] = origins
        if isinstance(link, HandoverLink) and self.settings:
            fields |= self._received(file, path, link, fields["handover"], self.settings)
        former = link.was or ""
        if former == name:
            file.at_value((*path, "was"), "was: this is the present name; write the former one")
        return DeclaredLink(name, link.to or name, {word: fields[word] for word in sorted(fields)}, former)

    def _linked(self, platform: DeclaredPlatform, connection: Connection) -> Connection:
        """A connection whose links have what they take from elsewhere, and the place and values that follow from it."""
        links = []
        words = {**connection.store.endpoints, **declared_words(connection)}
        for link in connection.links:
            consumer = platform.consumers_of(connection.kind)[link.to]
            replaced = self.settings.endpoints.get(consumer.name, {}) if self.settings and consumer.endpoints else {}
            whole = replace(
                link,
                taken={word: words[word] for word in consumer.takes if word in words},
                endpoints={**consumer.endpoints, **replaced},
                hub=hub_values(self.settings, consumer) if self.settings else {},
            )
            whole = replace(whole, pinned=consumer.pins(connection, whole))
            links.append(replace(whole, place=consumer.place(connection, whole)))
        return replace(connection, links=tuple(links))

    def _received(
        self, file: DeclaredFile, path: Where, link: HandoverLink, handover: str, settings: Settings
    ) -> dict[str, str]:
        """Whether the hand-over may go where it is to go; the receiver's public key, if `_stack.yaml` has one."""
        written = "recipient" in link.model_fields_set
        if handover == "sealed" and not link.recipient:
            file.at_word(path, "'recipient' is missing; a sealed hand-over needs one")
        # A person at the terminal is nobody's recipient: a consumer's usual one is then of no account.
        if not link.recipient or (handover == "person" and not written):
            return {}
        receiver = settings.receiver(link.recipient)
        if receiver is None:
            what = f"recipient: {shown(link.recipient)} is not among recipients in {SETTINGS}"
            what += f"; allowed: {listed(entry.mail for entry in settings.recipients)}"
            file.at_value((*path, "recipient"), what) if written else file.at_word(path, what)
        return {"recipient_key": receiver.key} if receiver is not None and receiver.key else {}

    def _team(self, file: DeclaredFile, path: Where) -> None:
        """Whether the team that is written at a store or connection exists."""
        team = file.value(path).get("team")
        path = (*path, "team")
        if self.settings and isinstance(team, str) and team not in self.settings.teams and not file.is_bad(path):
            known = self.settings.teams
            what = f"unknown team {shown(team)}; teams in {SETTINGS}: {listed(known)}{suggestion(team, known)}"
            file.at_value(path, what)

    def _accepted(self, file: DeclaredFile, path: Where, risks: object) -> None:
        """Whether `_stack.yaml` permits the risks that a connection accepts."""
        permitted = self.settings.permit if self.settings else get_args(Permit)
        for risk in risks if isinstance(risks, dict) else ():
            if risk in get_args(Risk) and risk not in permitted:
                what = f"accept: {SETTINGS} does not permit {risk}; its `permit`: {listed(permitted)}"
                file.at_word((*path, risk), what)

    def _permits(self, file: DeclaredFile, path: Where, connection: Connection, levels: tuple[_Level, ...]) -> None:
        """Dangerous switches: permitted in `_stack.yaml`, used and accepted in store files."""
        if not self.settings:
            return
        permitted = self.settings.permit
        if connection.verify == "full" and "verify_full" not in permitted:
            level = next(level for level in levels if "verify" in level.model.model_fields_set)
            what = f"verify: {SETTINGS} does not permit verify_full; its `permit`: {listed(permitted)}"
            level.file.at_value((*level.path, "verify"), what)
        for link in connection.links:
            if link.fields.get("handover") == "plain" and "plain_handover" not in connection.accept:
                what = 'handover: plain needs `accept: {plain_handover: "<reason>"}` at the connection'
                file.at_word((*path, "links", link.name), what)
            if link.fields.get("adopt") and "adopt_foreign" not in connection.accept:
                what = (
                    'adopt needs `accept: {adopt_foreign: "<reason>"}` at the connection: what stands at the consumer is'
                    " overwritten"
                )
                file.at_value((*path, "links", link.name, "adopt"), what)

    def across(self) -> None:
        """What only shows when all stores are known."""
        first: dict[tuple[str, str], Store] = {}
        for store in self.stores:
            same = first.setdefault((store.platform, store.address), store)
            if same is not store:
                file = self.files[store.name]
                identity = self.platforms[store.platform].identity
                file.at_value((identity,), f"{identity}: {same.file} declares this store already")
        present = {connection.name for connection in self.connections}
        taken: dict[str, str] = {}
        for connection in self.connections:
            if not connection.was:
                continue
            store_name, _, key = connection.name.partition("/")
            file = self.files[store_name]
            path: Where = ("connections", key, "was")
            path = path if file.source.words.get(path) else ("was",)
            if connection.was in present:
                file.at_value(path, f"was: {connection.was} is declared; a former name cannot be a present one")
            elif connection.was in taken:
                file.at_value(path, f"was: {taken[connection.was]} says the same; one connection has a former name")
            taken[connection.was] = connection.name
        self._adopted_once()
        self._placed_once()
        if self.whole:
            self._beside_others()

    def _beside_others(self) -> None:
        """What consumers say of several links to them: errors are put down, warnings join their connections'."""
        linked: dict[DeclaredConsumer, list[tuple[Connection, DeclaredLink]]] = {}
        for connection in self.connections:
            known = self.platforms[connection.platform].consumers_of(connection.kind)
            for link in connection.links:
                linked.setdefault(known[link.to], []).append((connection, link))
        warnings: dict[str, tuple[str, ...]] = {}
        judged = [(consumer.beside, entries) for consumer, entries in linked.items() if consumer.beside is not None]
        for beside, entries in judged:
            for index, (connection, link) in enumerate(entries):
                remarks = beside(connection, link, [*entries[:index], *entries[index + 1 :]])
                path = ("connections", connection.name.partition("/")[2])
                found = _put_down(self.files[connection.store.name], path, remarks)
                warnings[connection.name] = (*warnings.get(connection.name, ()), *found)
        self.connections = [
            replace(connection, warnings=(*connection.warnings, *warnings.get(connection.name, ())))
            for connection in self.connections
        ]

    def _placed_once(self) -> None:
        """A place at a consumer holds one credential, and one link fills it."""
        takers: dict[str, str] = {}
        for connection in self.connections:
            file = self.files[connection.store.name]
            for link in connection.links:
                path = ("connections", connection.name.partition("/")[2], "links", link.name)
                if link.place in takers:
                    what = (
                        f"{takers[link.place]} fills the same place at {link.to}; two links would overwrite each other"
                    )
                    file.at_word(path, what)
                elif link.place:
                    takers[link.place] = f"{connection.name}/{link.name} ({file.origin(path)})"

    def _adopted_once(self) -> None:
        """An entry holds one key, and one key serves one connection."""
        takers: dict[tuple[str, str], str] = {}
        for connection in self.connections:
            if not connection.adopt:
                continue
            first = takers.setdefault((connection.store.name, connection.adopt), connection.name)
            if first != connection.name:
                path = ("connections", connection.name.partition("/")[2], "adopt")
                what = f"adopt: {first} takes this entry; one key cannot serve two connections"
                self.files[connection.store.name].at_value(path, what)


def _put_down(file: DeclaredFile, path: Where, remarks: Iterable[Remark]) -> tuple[str, ...]:
    """A platform's remarks about the connection at `path`: errors are put down, warnings given back with their places."""
    warnings = []
    for remark in remarks:
        place = (*path, *remark.path)
        if remark.warning:
            warnings.append(f"{file.origin(place)}: {remark.what}")
        elif remark.path:
            file.at_value(place, remark.what)
        else:
            file.at_word(place, remark.what)
    return tuple(warnings)


def _check_endpoints(file: DeclaredFile, settings: Settings, platforms: Platforms) -> None:
    """Whether the endpoints in `_stack.yaml` are such as their platforms and consumers have."""
    # A consumer's hosts are the same for all stores: no word of one can stand in them.
    consumers = [(consumer.name, consumer.endpoints, "") for consumer in every_consumer(platforms)]
    vendors = [(platform.name, platform.endpoints, platform.identity) for platform in platforms.values()]
    having = {name: (known, identity) for name, known, identity in (*consumers, *vendors) if known}
    for name, written in settings.endpoints.items():
        path: Where = ("endpoints", name)
        if name not in having:
            what = f"no platform or consumer with endpoints is called {shown(name)}; there are: {listed(having)}"
            file.at_word(path, what + suggestion(name, having))
            continue
        known, identity = having[name]
        for word, text in written.items():
            if word not in known:
                file.at_word((*path, word), _unknown("endpoint", word, known))
            elif not placeholders(text) <= {identity}:
                one = f"only {{{identity}}}" if identity else "no word of a store"
                file.at_value((*path, word), f"{word}: {one} can stand for a part of it")


def _former_links(file: DeclaredFile, path: Where, links: Iterable[DeclaredLink]) -> None:
    """A former name is neither a present one nor another link's."""
    present = {link.name for link in links}
    taken: dict[str, str] = {}
    for link in links:
        if not link.was or link.was == link.name:
            continue
        at = (*path, "links", link.name, "was")
        if link.was in present:
            file.at_value(at, f"was: {link.was} is declared; a former name cannot be a present one")
        elif link.was in taken:
            file.at_value(at, f"was: {taken[link.was]} says the same; one link has a former name")
        taken[link.was] = link.name


def _nearest(word: str, levels: Iterable[_Level]) -> tuple[Any, Origin]:
    """The value of a shared word from the nearest level that wrote it, else the built-in one."""
    for level in levels:
        if word in level.model.model_fields_set:
            return getattr(level.model, word), level.file.origin((*level.path, word))
    return BUILT_IN[word], Origin()


def _unknown(what: str, word: object, known: Iterable[str]) -> str:
    """A word, such as a platform's name, that is none of the known ones."""
    if not isinstance(word, str):
        return f"{kind_of(word)} was found where a {what} is expected; allowed: {listed(known)}"
    return f"unknown {what} {shown(word)}; allowed: {listed(known)}{suggestion(word, known)}"


def _written(file: DeclaredFile, model: Declared, path: Where) -> dict[str, Origin]:
    """The origin of every word that was written."""
    return {word: file.origin((*path, word)) for word in model.model_fields_set}


def _own(model: Declared, base: type[Declared]) -> dict[str, Any]:
    """The words that a model has besides its base's, as JSON values in the model's order."""
    own = [word for word in type(model).model_fields if word not in base.model_fields]
    return model.model_dump(mode="json", include=set(own))


def _former(store_words: StoreWords, store: str, model: ConnectionWords, key: str) -> str:
    """The former full name, where the store or the connection was renamed."""
    former = f"{store_words.was or store}/{model.was or key}"
    return former if store_words.was or model.was else ""
