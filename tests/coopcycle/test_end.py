"""Ending a credential: regenerate and discard, whatever was done by hand before and whichever reply is lost."""

import pytest

from providers.core.contract import Selector
from providers.core.errors import CouldNotLook, Forbidden, StoreError, UnclearOutcome
from providers.core.redaction import Secret
from tests.coopcycle.conftest import Coop, order

OURS = Selector("acme:test:")


@pytest.mark.parametrize("answer", ["redirect", "page"])
def test_whatever_the_server_answers_the_pair_is_asked(coop: Coop, answer: str) -> None:
    coop.settings(regenerate_answer=answer)
    issuer = coop.issuer()
    issued = issuer.issue(order())
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"
    assert coop.count("coop_regenerate") == 1


def test_nothing_of_another_app_is_touched(coop: Coop) -> None:
    by_hand = coop.control.coopcycle.make_app(coop.name, "by hand", store=12)
    issuer = coop.issuer()
    one, two = issuer.issue(order(1)), issuer.issue(order(2))
    issuer.revoke(one.key_id)
    assert issuer.probe(two.secret) == "accepted"
    pair = {"identifier": Secret(by_hand.identifier), "secret": Secret(by_hand.secret)}
    assert issuer.probe(pair) == "accepted"


@pytest.mark.parametrize("effect", ["drop_before", "drop_after"])
def test_a_lost_reply_is_read_back_and_tried_once_more(coop: Coop, effect: str) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.fault(effect, "coop_regenerate")
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"
    assert coop.count("coop_regenerate") == (2 if effect == "drop_before" else 1)


def test_replies_lost_for_good_are_an_unclear_outcome(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.fault("drop_before", "coop_regenerate", times=None)
    with pytest.raises(UnclearOutcome):
        issuer.revoke(issued.key_id, issued.secret)


def test_a_server_that_replaces_nothing_is_told_with_a_way_out(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.fault("status", "coop_regenerate", status=200, body="<html></html>", times=None)
    with pytest.raises(Forbidden, match="goes on taking app #1") as raised:
        issuer.revoke(issued.key_id, issued.secret)
    assert "Regenerate secret" in raised.value.do
    assert issued.secret["secret"].reveal() not in str(raised.value)


def test_a_pair_that_cannot_be_asked_is_not_called_dead(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.fault("drop_before", "coop_token", times=None)
    with pytest.raises(CouldNotLook):
        issuer.revoke(issued.key_id, issued.secret)


def test_a_saved_form_leaves_two_pairs_and_both_are_ended(coop: Coop) -> None:
    """The edit trap (S6, S7): somebody renamed our app by hand."""
    issuer = coop.issuer()
    issued = issuer.issue(order())
    (before,) = issuer.find(OURS)
    made = coop.control.coopcycle.edit_app(coop.name, int(issued.key_id), app_name=f"Flowers {before.label}")
    (after,) = issuer.find(OURS)
    # The key counts as replaced: its tail is another.
    assert after.tail != before.tail == issuer.tail(issued.secret)
    by_hand = {"identifier": Secret(made.identifier), "secret": Secret(made.secret)}
    assert issuer.probe(by_hand) == "accepted"
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(by_hand) == issuer.probe(issued.secret) == "refused"
    assert coop.count("coop_regenerate") == 2
    assert {client.regenerated for client in coop.control.coopcycle.clients(coop.name)} == {1}
    # That form was saved by somebody else, never by us.
    assert coop.edits() == []


def test_an_orphan_that_is_gone_needs_no_end(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.control.coopcycle.edit_app(coop.name, int(issued.key_id))
    coop.control.coopcycle.drop_client_row(coop.name, issued.secret["identifier"].reveal())
    # The server breaks on a client that it does not have (S9); the pair is refused all the same.
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"


def test_a_secret_regenerated_by_hand_is_replaced_once_more(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    made = coop.control.coopcycle.regenerate(coop.name, int(issued.key_id))
    (key,) = issuer.find(OURS)
    assert key.tail != issuer.tail(issued.secret)
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe({"identifier": Secret(made.identifier), "secret": Secret(made.secret)}) == "refused"


def test_an_app_whose_row_is_gone_leaves_its_pair_which_is_ended(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    coop.control.coopcycle.drop_app_row(coop.name, int(issued.key_id))
    issuer.revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"
    # Without a secret there is nothing left to end.
    issuer.revoke(issued.key_id)


def test_an_adopted_pair_is_ended_without_an_id(coop: Coop) -> None:
    by_hand = coop.control.coopcycle.make_app(coop.name, "by hand", store=12)
    pair = {"identifier": Secret(by_hand.identifier), "secret": Secret(by_hand.secret)}
    issuer = coop.issuer()
    issuer.revoke("", pair)
    assert issuer.probe(pair) == "refused"


def test_an_api_key_cannot_be_ended_and_that_is_said(coop: Coop) -> None:
    issuer = coop.issuer(type="api_key")
    issued = issuer.issue(order(type="api_key"))
    # Of another declared type by now: core asks the store to end it.
    with pytest.raises(Forbidden, match="app #1 is an API key, and nothing") as raised:
        coop.issuer().revoke(issued.key_id, issued.secret)
    assert "database" in raised.value.do
    coop.control.coopcycle.regenerate(coop.name, int(issued.key_id))
    assert issuer.probe(issued.secret) == "accepted"
    coop.control.coopcycle.drop_app_row(coop.name, int(issued.key_id))
    coop.issuer().revoke(issued.key_id, issued.secret)
    assert issuer.probe(issued.secret) == "refused"
    assert coop.count("coop_edit_app") == 0


def test_tokens_outlive_the_pair_as_is_said(coop: Coop) -> None:
    issuer = coop.issuer()
    issued = issuer.issue(order())
    api = issuer.server.api
    token = api.token(issued.secret["identifier"], issued.secret["secret"], ["deliveries"]).token
    assert token is not None
    issuer.revoke(issued.key_id, issued.secret)
    assert api.get("/api/me", token).me is not None
    assert "up to an hour" in issuer.capabilities.lingers
    coop.settings(clock_offset=3601)
    assert api.get("/api/me", token).status == 401


def test_a_sheet_for_what_only_a_person_can_end(coop: Coop) -> None:
    issuer = coop.issuer(type="api_key", name="Dispatcher")
    sheet = issuer.sheet("delete", {"name": "Dispatcher"}, 3)
    words = " ".join((sheet.title, *map(str, sheet.steps), *sheet.notes))
    assert sheet.link == f"{coop.url}/admin/api/apps"
    assert "northside/acme-flowers:3:" in words
    assert "api_app" in words
    assert "Never save the form" in words
    assert "northside acme flowers" in issuer.sheet("make", {}, 1).title


def test_faults_of_the_list_are_errors_and_never_a_shorter_list(coop: Coop) -> None:
    issuer = coop.issuer()
    issuer.issue(order())
    coop.fault("truncate", "coop_list_apps", length=900, keep_length=False)
    with pytest.raises(StoreError):
        issuer.find(OURS)
