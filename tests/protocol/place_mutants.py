"""Planted faults against the rules about links at consumers, rows that stay, what a credential opens; as in `mutants`."""

from __future__ import annotations

from tests.protocol.mutants import Mutant, rule
from tests.protocol.places import CHECKS

__all__ = ["CHECKS", "PLACE_MUTANTS"]

PLACE_MUTANTS = (
    Mutant(
        "checked before it is given",
        (("links", "            if lacking:\n", "            if False:\n"),),
        rule("what_does_not_serve_its_user_is_not_given"),
    ),
    Mutant(
        "another place is noticed",
        (("links", "        return entry.place != self.link.place or", "        return False and"),),
        rule("the_former_place_is_cleared_before_another_is_connected"),
    ),
    Mutant(
        "the former place is cleared first",
        (("links", "            if cleared.problems:\n                return cleared\n", ""),),
        rule("the_former_place_is_cleared_before_another_is_connected"),
    ),
    Mutant(
        "a place that was left is free",
        (("links", "        return entry is None or entry.place != place\n", "        return entry is None\n"),),
        rule("a_place_that_was_left_is_free_for_another"),
    ),
    Mutant(
        "a place that is used is not free",
        (("links", "        return entry is None or entry.place != place\n", "        return True\n"),),
        rule("a_place_that_was_left_is_free_for_another"),
    ),
    Mutant(
        "a renamed link goes on with its entry",
        (("links", "self.name not in journal.links and self.was in journal.links", "False"),),
        rule("a_rename_while_a_rotation_is_under_way_goes_on"),
    ),
    Mutant(
        "a renamed link owns its place",
        (("links", "(self.name, entry.life) or self._gone(slot, entry.place)", "(self.name, entry.life)"),),
        rule("a_link_whose_rename_was_killed_is_cleared"),
    ),
    Mutant(
        "an acknowledged link is looked at",
        (("links", "        return None if contradicted(findings) else", "        return"),),
        rule("what_a_consumer_lost_is_given_again"),
    ),
    Mutant(
        "a former key ends when nobody holds it",
        (("loop", "all(holds > former[0] for holds in held)", "any(holds > former[0] for holds in held)"),),
        rule("a_former_key_ends_when_the_last_of_its_users_has_moved"),
    ),
    Mutant(
        "who only ends what is over begins nothing",
        (("loop", "    facts = _rest(run, ENDS)\n", "    facts = _rest(run)\n"),),
        rule("a_run_that_only_ends_what_is_over_begins_nothing"),
    ),
    Mutant(
        "a removed link is not acknowledged",
        (
            (
                "links",
                "        if later or (entry is None and self.life and journal.lives.get(self.name) == self.life):",
                "        if later:",
            ),
        ),
        rule("a_link_that_is_removed_while_another_run_connects_it_is_not_acknowledged"),
    ),
    Mutant(
        "rows that stay are left alone",
        (("run", "    listing = [key for key in listing if residual.get(key.key_id) != key.tail]\n", ""),),
        rule("what_stays_listed_is_named_and_left_alone"),
    ),
    Mutant(
        "a row that opens something again is no row that stays",
        (("run", "if residual.get(key.key_id) != key.tail]", "if key.key_id not in residual]"),),
        rule("a_row_that_opens_something_again_is_ended_again"),
    ),
    Mutant(
        "rows that stay are noted",
        (("acts", '"residual": {**journal.residual, **rows}', '"residual": journal.residual'),),
        rule("what_stays_listed_is_named_and_left_alone"),
    ),
    Mutant(
        "what the first proof saw is noted",
        (("acts", 'update={"pinned": pins(journal.pinned, findings)}', 'update={"pinned": journal.pinned}'),),
        rule("what_the_first_proof_saw_every_later_one_must_see"),
    ),
    Mutant(
        "every proof is held to what the first one saw",
        (("run", "pinned.get(finding.check, finding.pins)) != finding.pins", "finding.pins) != finding.pins"),),
        rule("what_the_first_proof_saw_every_later_one_must_see"),
    ),
    Mutant(
        "a captured key is held to what the first proof saw",
        (("people", "held_to(pinned, operation.issuer.verify", "held_to({}, operation.issuer.verify"),),
        rule("a_captured_key_is_held_to_what_is_pinned"),
    ),
)
