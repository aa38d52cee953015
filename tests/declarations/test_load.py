"""Files and folders of a stack, where values come from, and what shows only across stores."""

import json
import time
from pathlib import Path

import pytest

from providers.core import marker
from providers.core.errors import ConnectionsError
from providers.declarations import DeclarationErrors, load, platforms
from providers.declarations.problems import Problem
from tests.declarations.files import ALL, SETTINGS, STORE, loaded, problems, write_stack
from tests.protocol.doubles import MemoryKeyring

OTHER = STORE.replace("fresh-roast", "acme-parts")

FILES = [
    pytest.param(
        {"production/notes.md": "x", "production/.hidden.yaml": "x", "production/x.yaml.bak": "x"}, [], id="others"
    ),
    pytest.param({"production/acme/acme-parts.yaml": OTHER}, [], id="tenant"),
    pytest.param(
        {"production/acme/fresh-roast.yaml": OTHER},
        [
            (
                "stacks/production/acme/fresh-roast.yaml: a store called 'fresh-roast' is declared in"
                " stacks/production/fresh-roast.yaml already; names are unique in a stack"
            )
        ],
        id="same-name",
    ),
    pytest.param(
        {"production/acme/parts/x.yaml": OTHER},
        ["stacks/production/acme/parts/: a folder in a tenant's folder; stores lie in it directly"],
        id="too-deep",
    ),
    pytest.param(
        {"production/Acme/acme-parts.yaml": OTHER},
        [
            (
                "stacks/production/Acme/: 'Acme' cannot be a name: a letter a-z first, then lower-case letters,"
                " digits and single hyphens"
            )
        ],
        id="tenant-name",
    ),
    pytest.param(
        {"production/Acme Parts.yaml": OTHER},
        [
            (
                "stacks/production/Acme Parts.yaml: a store is called as its file: 'Acme Parts' cannot be a name: a"
                " letter a-z first, then lower-case letters, digits and single hyphens"
            )
        ],
        id="store-name",
    ),
    pytest.param(
        {"production/acme-parts.yml": OTHER},
        ["stacks/production/acme-parts.yml: declared files end in .yaml; rename it"],
        id="yml",
    ),
    pytest.param(
        {"production/_more.yaml": OTHER, "production/acme/_stack.yaml": SETTINGS},
        [
            "stacks/production/_more.yaml: a leading '_' is settings, and only stacks/production/_stack.yaml is",
            "stacks/production/acme/_stack.yaml: a leading '_' is settings, and only stacks/production/_stack.yaml is",
        ],
        id="more-settings",
    ),
    pytest.param(
        {"production/acme-parts.yaml": STORE},
        ["stacks/production/fresh-roast.yaml:2:6: url: stacks/production/acme-parts.yaml declares this store already"],
        id="same-store",
    ),
    pytest.param(
        {"production/acme-parts.yaml": OTHER.replace("team: retail", "team: retail\nwas: fresh-roast")},
        [
            (
                "stacks/production/acme-parts.yaml:4:6: was: fresh-roast/orders is declared;"
                " a former name cannot be a present one"
            )
        ],
        id="was-of-another",
    ),
    pytest.param({"rights/paper/clerk.yaml": "rows: [a]\n", "rights/README.yaml": "x"}, [], id="rights"),
    pytest.param(
        {"rights/paper/Clerk.yaml": "row: a\n", "rights/woocommerce/x.yaml": "rows: [a]\n"},
        [
            (
                "stacks/rights/paper/Clerk.yaml: a set is called as its file: 'Clerk' cannot be a name: a letter a-z"
                " first, then lower-case letters, digits and single hyphens"
            ),
            "stacks/rights/paper/Clerk.yaml:1:1: 'rows' is missing in this file",
            "stacks/rights/paper/Clerk.yaml:1:1: unknown word 'row'; allowed in this file: rows; nearest: rows",
            (
                "stacks/rights/woocommerce/: no platform with rights sets is called so; there are: bigcommerce, paper;"
                " nearest: bigcommerce"
            ),
        ],
        id="rights-wrong",
    ),
]


@pytest.mark.parametrize(("files", "said"), FILES)
def test_files(files: dict[str, str], said: list[str], tmp_path: Path) -> None:
    assert problems(tmp_path, files) == said


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text(OTHER)
    stacks = write_stack(tmp_path, {})
    (stacks / "production" / "acme-parts.yaml").symlink_to(outside)
    (stacks / "production" / "acme").symlink_to(tmp_path)
    with pytest.raises(DeclarationErrors) as caught:
        load(stacks, "production", ALL)
    said = "a symbolic link, which is refused; put the file itself here"
    assert str(caught.value).splitlines() == [
        f"stacks/production/{name}: {said}" for name in ("acme", "acme-parts.yaml")
    ]


def test_a_folder_called_as_a_file_is_no_store(tmp_path: Path) -> None:
    stacks = write_stack(tmp_path, {})
    (stacks / "rights" / "paper" / "odd.yaml").mkdir(parents=True)
    assert load(stacks, "production", ALL).rights_sets == {"paper": {}}


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        ("producton", "stacks/: no folder for a stack called 'producton'; there are: production; nearest: production"),
        ("rights", "stacks/: no folder for a stack called 'rights'; there are: production"),
        (
            "../production",
            "stacks/: no folder for a stack called '../production'; there are: production; nearest: production",
        ),
    ],
)
def test_no_such_stack(stack: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        load(write_stack(tmp_path, {"rights/paper/x.yaml": ""}), stack, ALL)
    assert str(caught.value) == said


@pytest.mark.parametrize("project", ["Agency", "agency.stores", "agency_stores", "1agency", "-agency", "agency\n", ""])
def test_a_project_that_no_marker_could_carry_is_refused(project: str, tmp_path: Path) -> None:
    with pytest.raises(ConnectionsError, match="cannot stand in the marker at our keys") as caught:
        load(write_stack(tmp_path, {}), "production", ALL, project=project)
    assert caught.value.where == "Pulumi.yaml"
    assert caught.value.do.startswith("Name it with a letter a-z first")


def test_a_project_is_named_as_markers_are_read(tmp_path: Path) -> None:
    stack = load(write_stack(tmp_path, {}), "production", ALL, project="agency-2")
    mark = marker.make(MemoryKeyring(), marker.Owner("agency-2", "production", stack.connections[0].name), 1)
    assert marker.strip(f"orders {mark}") == "orders"


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(DeclarationErrors) as caught:
        load(tmp_path / "stacks", "production", ALL)
    assert caught.value.problems == (
        Problem("stacks/", 0, 0, "there is no such folder; it holds a folder of declarations for each stack"),
    )
    assert (caught.value.exit_code, caught.value.what) == (1, "problems in the declarations: 1")


def test_settings_are_needed(tmp_path: Path) -> None:
    stacks = write_stack(tmp_path, {"production/fresh-roast.yaml": STORE.replace("retail", "nobody")})
    (stacks / "production" / "_stack.yaml").unlink()
    with pytest.raises(DeclarationErrors) as caught:
        load(stacks, "production", ALL)
    assert str(caught.value) == "stacks/production/_stack.yaml: the file is missing; it holds what stores share"


def test_problems_of_all_files_come_sorted(tmp_path: Path) -> None:
    files = {
        "production/b.yaml": OTHER.replace("read\n", "reed\n"),
        "production/a.yaml": "",
        "production/_stack.yaml": SETTINGS.replace("mount", "mont"),
        "production/fresh-roast.yaml": STORE.replace(
            "{vault: {}}", "{person: {handover: plain, recipient: x@y.example}}"
        ).replace("rights", "accept: {adopt_foreign: x}\n    verify: full\n    rights"),
    }
    found = problems(tmp_path, files)
    assert [line.split(": ")[0] for line in found] == [
        "stacks/production/_stack.yaml:2:1",
        "stacks/production/_stack.yaml:2:9",
        "stacks/production/a.yaml:1:1",
        "stacks/production/b.yaml:7:13",
    ]


@pytest.mark.parametrize("levels", range(5))
def test_the_nearest_default_wins_whole_and_says_where_it_stands(levels: int, tmp_path: Path) -> None:
    settings, store = SETTINGS, STORE
    if levels >= 1:
        settings += "defaults: {overlap: 1h, rotate_after: 10d, ask: one@agency.example}\n"
    if levels >= 2:
        store = store.replace("connections:", "overlap: 2h\nrotate_after: 20d\nask: two@agency.example\nconnections:")
    if levels >= 3:
        store = store.replace(
            "    user", "    overlap: 3h\n    rotate_after: never\n    ask: three@agency.example\n    user"
        )
    if levels >= 4:
        store = store.replace("{vault: {}}", "{vault: {overlap: 4h}, slow: {to: vault, overlap: 2d}}")
    stack = loaded(tmp_path, {"production/_stack.yaml": settings, "production/fresh-roast.yaml": store})
    (connection,) = stack.connections
    assert connection.overlap == [86400, 3600, 7200, 10800, 172800][levels]
    assert connection.rotate_after == [90 * 86400, 10 * 86400, 20 * 86400, None, None][levels]
    assert connection.ask == ["", "one@agency.example", "two@agency.example", *["three@agency.example"] * 2][levels]
    file = "stacks/production/fresh-roast.yaml"
    expected = ["built in", "stacks/production/_stack.yaml:6", f"{file}:4", f"{file}:11", f"{file}:15"][levels]
    assert str(stack.origin("fresh-roast/orders/vault", "overlap")) == expected
    assert stack.origin("fresh-roast/orders", "team").line == 3
    assert str(stack.origin("fresh-roast/orders", "nothing")) == "built in"
    assert str(stack.origin("nowhere", "team")) == "built in"


def test_names_of_former_connections(tmp_path: Path) -> None:
    both = STORE.replace("team: retail", "team: retail\nwas: old-roast").replace("    user", "    was: hub\n    user")
    one = STORE.replace("    user", "    was: hub\n    user")
    store = STORE.replace("team: retail", "team: retail\nwas: old-roast")
    found = [
        loaded(tmp_path / str(n), {"production/fresh-roast.yaml": t}).connections[0].was
        for n, t in enumerate((both, one, store, STORE))
    ]
    assert found == ["old-roast/hub", "fresh-roast/hub", "old-roast/orders", ""]


def test_warnings_name_their_place(tmp_path: Path) -> None:
    store = STORE.replace("    user", "    authentication: query\n    user")
    (connection,) = loaded(tmp_path, {"production/fresh-roast.yaml": store}).connections
    (warning,) = connection.warnings
    assert warning.startswith("stacks/production/fresh-roast.yaml:8: authentication: query puts the key into")


def test_recipients_are_compared_without_case_and_by_domain(tmp_path: Path) -> None:
    link = "{dev: {to: person, handover: sealed, recipient: %s}}"
    files = {"production/_stack.yaml": SETTINGS.replace('["*@', '[Dev@fresh-roast.example, "*@')}
    for recipient, count in (("x@AGENCY.example", 0), ("dev@fresh-roast.example", 0), ("x@fresh-roast.example", 1)):
        store = STORE.replace("{vault: {}}", link % recipient)
        assert len(problems(tmp_path, {**files, "production/fresh-roast.yaml": store})) == count


def test_a_thousand_stores_in_a_second(tmp_path: Path) -> None:
    files = {
        f"production/store-{number}.yaml": STORE.replace("fresh-roast", f"store-{number}") for number in range(1000)
    }
    stacks = write_stack(tmp_path, files)
    best = 9.0
    for _ in range(3):
        start = time.process_time()
        stack = load(stacks, "production", platforms())
        best = min(best, time.process_time() - start)
    assert len(stack.connections) == 1001
    # Half a second of one core where nothing else runs; coverage and neighbours slow it down.
    assert best < 3, f"{best:.2f} s"


def test_json_of_rights_sets(tmp_path: Path) -> None:
    stack = loaded(tmp_path, {"rights/paper/clerk.yaml": "rows: [orders, stock]\n"})
    assert json.dumps(stack.rights_sets) == '{"paper": {"clerk": {"rows": ["orders", "stock"]}}}'
