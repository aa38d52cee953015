"""Planted faults against the rules about credentials that end by themselves; as in `mutants`."""

from __future__ import annotations

from tests.protocol.lifetimes import CHECKS
from tests.protocol.mutants import Mutant, rule

__all__ = ["CHECKS", "LIFETIME_MUTANTS"]

LIFETIME_MUTANTS = (
    Mutant(
        "a lost key that ends by itself is waited for",
        (("due", "timedelta(seconds=float(life) + capabilities.settle)", "timedelta(seconds=float(life))"),),
        rule("a_lost_token_is_waited_for_until_it_is_over"),
    ),
    Mutant(
        "a lost key that ends by itself is over one day",
        (("acts", "    return bool(known) or _is_over(run, facts, number)", "    return bool(known)"),),
        rule("a_lost_token_is_waited_for_until_it_is_over"),
    ),
    Mutant(
        "to wait for a lost key is no drift",
        (("observe", "not by_fields and not by_person and not by_time:", "not by_fields and not by_person:"),),
        rule("a_lost_token_is_waited_for_until_it_is_over"),
    ),
    Mutant(
        "a life counts from its decision",
        (("acts", "operation.owner, number), at)", "operation.owner, number), operation.clock())"),),
        rule("a_life_counts_from_its_decision"),
    ),
    Mutant(
        "nothing is begun that is not ready",
        (("acts", "and (lacking := run.issuer.ready()):", "and (lacking := False):"),),
        rule("what_is_not_ready_is_not_begun"),
    ),
    Mutant(
        "what is soon over is replaced",
        (("due", "    if ending:\n        return ending\n", ""),),
        rule("a_token_is_replaced_before_it_is_over"),
    ),
    Mutant(
        "that it is soon over is no fault of a key",
        (("due", " and finding.check != LASTS)", ")"),),
        rule("a_freeze_lets_a_token_end"),
    ),
    Mutant(
        "what is over at once is not made in a row",
        (("acts", "            wrong = wrong or expiring(findings)\n", "            pass\n"),),
        rule("tokens_that_are_over_too_soon_are_not_made_in_a_row"),
    ),
    Mutant(
        "what is adopted may be over soon",
        (
            (
                "acts",
                '        if generation.made_by != "adopt":\n            # A new',
                "        if True:\n            # A new",
            ),
        ),
        rule("an_adopted_token_that_is_soon_over_is_taken_and_replaced"),
    ),
    Mutant(
        "a key without an id is revoked by itself",
        (("acts", "(recorded,) if recorded or kept.values else ()", "(recorded,) if recorded else ()"),),
        rule("an_adopted_token_without_an_id_is_revoked_by_itself"),
    ),
    Mutant(
        "a key that is retired is given to its store",
        (
            (
                "acts",
                "        _revoke_all(run, number, _ids(facts, number, kept), kept)\n    words",
                "        _revoke_all(run, number, _ids(facts, number, kept))\n    words",
            ),
        ),
        rule("a_revocation_may_take_its_time"),
    ),
    Mutant(
        "a key that was given up is given to its store",
        (
            (
                "acts",
                "    _revoke_all(run, number, _ids(facts, number, own), own)\n",
                "    _revoke_all(run, number, _ids(facts, number, own))\n",
            ),
        ),
        rule("a_token_that_was_given_up_is_revoked_by_itself"),
    ),
    Mutant(
        "an adopted key that is not taken is left alone",
        (("acts", 'NOTHING if generation.made_by == "adopt" else kept', "kept"),),
        rule("an_adopted_token_that_is_not_taken_is_left_alone"),
    ),
    Mutant(
        "a late maker gives its key to its store",
        (("acts", "            run.issuer.revoke(key_id, secret)\n", "            run.issuer.revoke(key_id)\n"),),
        rule("a_late_token_is_revoked_by_itself"),
    ),
    Mutant(
        "a revocation that takes its time is no fault",
        (("acts", "    if ends is not None and not _is_over(run, facts, number):\n", "    if False:\n"),),
        rule("a_revocation_may_take_its_time"),
    ),
    Mutant(
        "what is accepted after its time is not dead",
        (
            (
                "acts",
                "    if _is_over(run, facts, number) and not missing.alive:",
                "    if _is_over(run, facts, number):",
            ),
        ),
        rule("a_token_that_outlives_its_time_is_not_dead"),
    ),
    Mutant(
        "what is over may be out of sight",
        (("acts", "confirmed or _is_over(run, facts, number)):", "confirmed or False):"),),
        rule("a_token_that_is_over_needs_no_look"),
    ),
    Mutant(
        "what is over needs no revoking",
        (
            (
                "acts",
                "    if not _is_over(run, facts, number):\n        _revoke_all",
                "    if True:\n        _revoke_all",
            ),
        ),
        rule("a_token_that_cannot_be_revoked_is_over_in_time"),
    ),
    Mutant(
        "a lost secret is no proof of death",
        (("acts", '(issuer.capabilities.lists or "dead" in generation.times)', "True"),),
        rule("a_token_whose_secret_is_lost_is_not_said_to_be_dead"),
    ),
    Mutant(
        "without a list a proof is noted",
        (("acts", '    if facts.keys is not None or "dead" in times:\n', "    if True:\n"),),
        rule("a_proof_without_a_list_outlives_a_crash"),
    ),
    Mutant(
        "a proof that was noted counts for what was given up",
        (("acts", 'generation.made_by == "adopt" or "dead" in generation.times', 'generation.made_by == "adopt"'),),
        rule("a_token_that_was_given_up_is_revoked_by_itself"),
    ),
)
