"""One token on three sites by the commands and the loop, on a real Vault: captured, rotated with a site down, and ended."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from providers.core import loop
from providers.core.links import LinkOutcome
from providers.core.operation import Outcome
from providers.declarations import load, platforms
from providers.inputs import consumer_inputs, credential_inputs
from sandbox.surecart.client import HandMadeToken
from sandbox.vault import client
from sandbox.wordpress.client import SiteRow
from tests.operations.conftest import Called, Project, project, shops
from tests.surecart.conftest import CONNECTION, NUMBERS

__all__ = ["project", "shops"]

NAMES = ("main", "uk", "blog")


@dataclass
class Team:
    """An account with a connection of three sites, and the people around it."""

    project: Project
    slug: str
    sites: dict[str, SiteRow] = field(default_factory=dict)
    tokens: list[HandMadeToken] = field(default_factory=list)

    # --- the files ---

    def declare(self, *names: str, **words: str) -> None:
        links = ", ".join(f"{name}: {{to: wordpress, site: {self.sites[name].url}}}" for name in names)
        lines = ["sites:", "  purpose: checkout on three sites", "  rights: all", f"  links: {{{links}}}"]
        lines += [f"  {word}: {value}" for word, value in words.items()]
        self.project.write_file("acme-outdoor", {"platform": "surecart", "account": self.slug}, "\n".join(lines))

    # --- people ---

    def make(self, slug: str = "") -> HandMadeToken:
        made = self.project.control.surecart.make_token(slug or self.slug, "by the sheet")
        self.project.secrets.add(made.value)
        return made

    def delete(self, token: HandMadeToken) -> None:
        self.project.control.surecart.delete_token(self.slug, token.id)

    def capture(self, given: str) -> Called:
        """As the operator does, who may read no secret."""
        self.project.role = "operator"
        try:
            return self.project("capture", CONNECTION, given=given.encode())
        finally:
            self.project.role = "apply"

    def captured(self) -> HandMadeToken:
        """A new token that was taken in."""
        self.tokens.append(self.make())
        called = self.capture(f"{self.tokens[-1].value}\n")
        assert called.code == 0, called.out + called.err
        return self.tokens[-1]

    def asked(self) -> list[str]:
        sheets = self.project("sheet", CONNECTION, "--json")
        return [entry["task"] for entry in sheets.json["sheets"]]

    # --- runs ---

    def up(self) -> list[str]:
        """Two runs, as the last link of the first may make something due; the problems of the second."""
        self.project.up()
        return [str(problem) for outcome in self.project.up() for problem in outcome.problems]

    def end(self, *names: str) -> LinkOutcome:
        (outcome,) = self.ended(*names)
        return outcome

    def ended(self, *names: str) -> Iterator[LinkOutcome]:
        """What the engine does where links are declared no more."""
        toolbox = self.project.toolbox()
        stack = load(
            self.project.root / "stacks", self.project.stack, platforms(), project=self.project.prepared.project
        )
        connection = stack.connection(CONNECTION)
        for link in connection.links:
            if link.name in names:
                yield toolbox.link_run(
                    consumer_inputs(self.project.prepared.project, stack, connection, link)
                ).disconnect()
        toolbox.close()

    def destroy(self) -> Outcome:
        toolbox = self.project.toolbox()
        stack = load(
            self.project.root / "stacks", self.project.stack, platforms(), project=self.project.prepared.project
        )
        inputs = credential_inputs(self.project.prepared.project, stack, stack.connection(CONNECTION))
        outcome = loop.destroy(toolbox.operation(inputs))
        toolbox.close()
        return outcome

    # --- what came of it ---

    @property
    def states(self) -> dict[int, str]:
        found = self.project.journal(CONNECTION)["generations"]
        return {int(number): generation["state"] for number, generation in found.items()}

    def holding(self, token: HandMadeToken) -> list[str]:
        control = self.project.control.wordpress
        return [name for name, site in self.sites.items() if control.get(site.name).holds(token.value)]

    def working(self) -> list[str]:
        control = self.project.control.wordpress
        return [name for name, site in self.sites.items() if control.cloud_status(site.name) == 200]


@pytest.fixture
def team(project: Project) -> Team:
    control = project.control
    made = Team(project, f"acme-{next(NUMBERS)}")
    control.surecart.create_account(made.slug)
    cloud = control.surecart
    settings = project.folder / "_stack.yaml"
    endpoints = f"endpoints: {{surecart: {{api: {cloud.api_url}, dashboard: {cloud.dashboard_url}}}}}\n"
    settings.write_text(settings.read_text("utf-8") + endpoints, "utf-8")
    for name in NAMES:
        site = control.wordpress.create(f"{made.slug}-{name}", "canary-password-of-the-site")
        made.sites[name] = site
        password = control.wordpress.application_password(site.name)
        project.secrets.add(password)
        parts = urllib.parse.urlsplit(site.url)
        login = {"username": site.login, "application_password": password}
        with client(project.prepared.access) as http:
            path = f"/{project.prepared.mounts.admins}/data/{parts.netloc}{parts.path}"
            http.post(path, json={"options": {"cas": 0}, "data": login}).raise_for_status()
    made.declare(*NAMES)
    return made


def live(team: Team) -> HandMadeToken:
    team.up()
    token = team.captured()
    assert team.up() == []
    return token


def test_from_the_first_line_to_three_sites(team: Team) -> None:
    team.up()
    assert team.asked() == ["make"]
    stranger = team.project.control.surecart.create_account(f"{team.slug}-other")
    refused = team.capture(team.make(stranger.slug).value)
    assert refused.code == 5
    assert f"it is of {stranger.slug}, not of {team.slug}" in refused.out
    assert team.capture(f" {team.make().value}").code == 1
    dead = team.make()
    team.delete(dead)
    assert team.capture(dead.value).code == 5
    token = team.captured()
    assert team.up() == []
    assert (team.holding(token), team.working()) == ([*NAMES], [*NAMES])
    published = team.project.documents(f"{CONNECTION}/")[f"{CONNECTION}/credential"]
    assert (published["token"], published["account"]) == (token.value, team.slug)
    assert published["api_url"].endswith("/api.surecart.com/v1")
    status = team.project.ask("status")
    assert [link["state"] for link in status["connections"][0]["links"]] == ["acknowledged"] * 3


def test_a_rotation_with_one_site_down(team: Team) -> None:
    former = live(team)
    assert team.project("rotate", CONNECTION, "--reason", "seen on a screen").code in {0, 4}
    team.up()
    following = team.captured()
    rule = team.project.control.add_fault("drop_before", store=team.sites["uk"].site, times=None)
    (problem, *_) = team.up()
    assert team.sites["uk"].name in problem or "broke" in problem
    assert team.holding(following) == ["main", "blog"]
    assert team.working() == [*NAMES]
    assert team.states == {1: "superseded", 2: "current"}
    assert team.asked() == []
    team.project.control.remove_fault(rule)
    team.up()
    assert (team.holding(following), team.working()) == ([*NAMES], [*NAMES])
    assert team.asked() == ["delete"]
    team.delete(former)
    team.up()
    assert team.states == {1: "revoked", 2: "current"}
    assert team.working() == [*NAMES]


def test_a_token_that_was_deleted_at_the_cloud(team: Team) -> None:
    former = live(team)
    team.delete(former)
    team.up()
    assert team.asked() == ["make"]
    # Nothing made the sites lose their copy of it.
    assert team.holding(former) == [*NAMES]
    newest = team.captured()
    assert team.up() == []
    assert (team.holding(newest), team.working()) == ([*NAMES], [*NAMES])


def test_what_somebody_did_at_one_site_is_put_right(team: Team) -> None:
    token = live(team)
    control = team.project.control.wordpress
    control.write_options(team.sites["uk"].name, {"sc_api_token": None})
    control.change_settings(team.sites["blog"].name, salts="others")
    before = team.project.control.last_seq()
    assert team.up() == []
    assert (team.holding(token), team.working()) == ([*NAMES], [*NAMES])
    asked = team.project.control.requests(before, team.sites["main"].site)
    assert {row.operation for row in asked} == {"surecart_settings_read"}


def test_the_end_of_one_site_and_of_all(team: Team) -> None:
    token = live(team)
    assert team.end("uk").problems == ()
    assert team.holding(token) == ["main", "blog"]
    assert team.project.control.wordpress.get(team.sites["uk"].name).token == "emptied"
    team.declare("main", "blog")
    assert team.up() == []
    for outcome in team.ended("main", "blog"):
        assert (outcome.problems, outcome.told) == ((), ())
    waiting = " ".join(team.destroy().person)
    assert "Secret Token" in waiting or f"`connections sheet {CONNECTION}`" in waiting
    assert team.asked() == ["delete"]
    team.delete(token)
    assert team.destroy().state == "closed"
    assert team.states == {1: "revoked"}
