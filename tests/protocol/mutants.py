"""Planted faults: for each rule of the protocol a line that breaks it, and what must catch that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.protocol.budget import BUDGET
from tests.protocol.core import Change, Core, real
from tests.protocol.directed import CHECKS
from tests.protocol.explorer import ByPlan, Counts, Schedule, at_random, plans, play
from tests.protocol.scenarios import SCENARIOS

Catch = Callable[[Core, Counts], None]
"""Passes over the code as it is and raises over the planted fault."""


def rule(*names: str) -> Catch:
    """Cases of their own."""

    def catch(core: Core, counts: Counts) -> None:
        for name in names:
            CHECKS[name](core)

    return catch


def chance(scenario: str, seeds: int) -> Catch:
    """Random schedules."""
    return lambda core, counts: at_random(core, SCENARIOS[scenario], range(seeds), counts)


def plan(scenario: str, depth: int = 1, most: int | None = None) -> Catch:
    """Schedules by plan."""
    return lambda core, counts: plans(core, SCENARIOS[scenario], counts, depth, most)


def exactly(scenario: str, schedule: Schedule) -> Catch:
    """One schedule, found by the explorer."""

    def catch(core: Core, counts: Counts) -> None:
        play(core, SCENARIOS[scenario], ByPlan(schedule, SCENARIOS[scenario]), counts)

    return catch


def either(found: Catch, search: Catch) -> Catch:
    """A schedule that was found once, and the search that found it: steps may have moved since. The code as it is passes
    the search among the explorer's own."""

    def catch(core: Core, counts: Counts) -> None:
        found(core, counts)
        if core != real() or BUDGET > 1:
            search(core, counts)

    return catch


@dataclass(frozen=True)
class Mutant:
    """A planted fault."""

    rule: str
    changes: tuple[Change, ...]
    catch: Catch


_KEPT = "    kept = run.book.kept(number)\n"
_IS_DEAD = "    _revoked(run, journal, number, words)"

MUTANTS = (
    Mutant(
        "read again before giving",
        (
            (
                "links",
                "        if self.entry(self.journal()) != entry:\n            return None\n        kept",
                "        kept",
            ),
        ),
        rule("a_removed_link_is_not_given_anything"),
    ),
    Mutant(
        "D is read before J",
        (
            (
                "run",
                "        published = self.book.published()\n        self.read_journal()\n",
                "        self.read_journal()\n        published = self.book.published()\n",
            ),
        ),
        either(exactly("publish races", {17: ">1", 60: "sleep"}), plan("publish races", 2, 1500)),
    ),
    Mutant(
        "no revoke before its decision",
        (
            (
                "acts",
                '    run.decide(\n        journal.moved(number, "retiring", at, note=step.why)',
                (
                    "    _revoke_all(run, number, _ids(facts, number))\n"
                    '    run.decide(\n        journal.moved(number, "retiring", at, note=step.why)'
                ),
            ),
        ),
        plan("rotate", 0),
    ),
    Mutant("a number is used once", (("acts", '"next": number + 1,', '"next": number,'),), plan("create/create")),
    Mutant(
        "`holds` is raised by a proof only",
        (
            (
                "links",
                '"handed": handed, "words": self.words}',
                '"handed": handed, "words": self.words, "holds": number}',
            ),
        ),
        plan("rotate/link", 1),
    ),
    Mutant(
        "a link keeps what it holds, not what it is connecting to",
        (("due", "entry.holds <= number", "entry.connecting <= number"),),
        rule("a_user_that_fails_its_proof_is_not_acknowledged"),
    ),
    Mutant(
        "closing looks at the links",
        (("due", "not steps_open(steps) and not journal.links and", "not steps_open(steps) and"),),
        rule("a_link_that_is_being_removed_still_blocks"),
    ),
    Mutant(
        "D goes before its keys",
        (
            (
                "due",
                (
                    '    published = facts.published\n    if published is None or published.state != "revoked"'
                    " or published.incarnation != journal.incarnation:\n"
                ),
                (
                    '    published = facts.published\n    if not journal.in_state("intended", "current", "superseded", '
                    '"retiring", "abandoned") and (published is None or published.state != "revoked"):\n'
                ),
            ),
        ),
        plan("create/destroy"),
    ),
    Mutant(
        "the tombstone of D is written",
        (("due", '        return [Step(Act.WITHDRAW, why="the published copy must go first")]\n', "        pass\n"),),
        plan("create/destroy", 0),
    ),
    Mutant(
        "the tombstone of D is written once an incarnation",
        (
            (
                "due",
                'published.state != "revoked" or published.incarnation != journal.incarnation:',
                'published.state == "live":',
            ),
        ),
        rule("a_publisher_from_before_the_end_fails"),
    ),
    Mutant(
        "a run belongs to its incarnation",
        (("run", "        if ended:\n", "        if False:\n"),),
        rule("a_run_of_an_ended_life_stops"),
    ),
    Mutant(
        "a link's run belongs to its incarnation",
        (
            (
                "links",
                "        if self.incarnation and journal.incarnation != self.incarnation:\n",
                "        if False:\n",
            ),
        ),
        rule("a_link_that_has_not_begun_stops_too"),
    ),
    Mutant(
        "a link has lives",
        (("links", "        if later or (entry", "        if False and (entry"),),
        rule("a_removed_link_is_not_given_anything"),
    ),
    Mutant(
        "a life number is never used again",
        (("links", "self.life = journal.lives.get(self.name, 0) + 1", "self.life = 1"),),
        rule("a_newer_life_takes_its_place_again"),
    ),
    Mutant(
        "the owner of a place is looked at",
        (("links", "(connection, self.name) and not self._gone(slot, place):", "(connection, self.name) and False:"),),
        rule("two_links_cannot_fill_one_place"),
    ),
    Mutant(
        "who does not own the place does not clear it",
        (("links", "        if self._owns_slot(entry):", "        if True:"),),
        rule("two_links_cannot_fill_one_place"),
    ),
    Mutant(
        "the slot is read before the journal",
        (
            (
                "links",
                (
                    "        slot, version = self.book.slot(self._digest(place))\n"
                    "        if self.entry(self.journal()) != entry:\n"
                    "            return False\n"
                ),
                (
                    "        if self.entry(self.journal()) != entry:\n            return False\n"
                    "        slot, version = self.book.slot(self._digest(place))\n"
                ),
            ),
        ),
        either(
            exactly("unlink and connect/connect then unlinked", {0: ">1", 4: ">0"}),
            plan("unlink and connect/connect then unlinked", 2, 1000),
        ),
    ),
    Mutant(
        "an abandoned number is not closed too early",
        (("acts", '    left = _unsettled(run, journal.generations[number].times["intended"])\n', "    left = 0.0\n"),),
        plan("late commit and destroy"),
    ),
    Mutant(
        "an abandoned number gets a tombstone",
        (
            (
                "acts",
                _KEPT + '    if kept.state == "absent":\n        run.book.bury(number)\n    # What was adopted',
                _KEPT + "    # What was adopted",
            ),
        ),
        rule("a_late_writer_finds_the_tombstone"),
    ),
    Mutant(
        "a late request's key is revoked by a destroy",
        (("acts", "    _revoke_all(run, number, tuple(key.key_id for key in late))\n", ""),),
        plan("late commit and destroy"),
    ),
    Mutant(
        "keys of dead numbers are revoked on sight",
        (("due", "    return steps + _strays(facts, journal)\n", "    return steps\n"),),
        rule("a_key_of_a_dead_number_is_revoked_on_sight"),
    ),
    Mutant(
        "unknown numbers are an alarm",
        (("run", "        if _unknown_numbers(journal, keys):\n", "        if False:\n"),),
        rule("numbers_above_the_journal_are_an_alarm"),
    ),
    Mutant(
        "unknown numbers are not simply revoked",
        (
            ("run", "        if _unknown_numbers(journal, keys):\n", "        if False:\n"),
            ("due", "        if number < journal.next and (number", "        if (number"),
        ),
        rule("numbers_above_the_journal_are_an_alarm"),
    ),
    Mutant(
        "an unknown number is looked up again before the alarm",
        (
            (
                "run",
                "        journal, _ = self.book.journal()\n        numbers",
                "        journal = self.journal\n        numbers",
            ),
        ),
        plan("rotate/rotate"),
    ),
    Mutant(
        "a look judges by the journal it writes against",
        (
            (
                "run",
                "            self._refuse_unknown(keys)\n            return self.look()\n",
                "            self._refuse_unknown(keys)\n            _, self.version = self.book.journal()\n",
            ),
        ),
        plan("rotate/rotate"),
    ),
    Mutant(
        "an intended key without document is an alarm while the current is missing",
        (("run", "        raise _rolled_back(connection, [intended])", "        pass"),),
        rule("an_intended_key_without_document_and_current_missing_is_an_alarm"),
    ),
    Mutant(
        "a missing current is recorded with the intent",
        (("run", " or journal.generations[intended].former_missing:", ":"),),
        rule("no_alarm_where_the_current_was_missing_already"),
    ),
    Mutant(
        "nothing is taken from a key that is gone",
        (("due", "    if _was_missing(facts, journal, number):", "    if False:"),),
        rule("a_key_deleted_by_hand_is_made_anew_and_takes_nothing_from_anyone"),
    ),
    Mutant(
        "a key is verified before it is current",
        (
            (
                "acts",
                "    proof = None\n    if not wrong:",
                '    proof = None\n    wrong = ""\n    if False:',
            ),
        ),
        rule("a_key_that_fails_its_proof_is_never_published"),
    ),
    Mutant(
        "a proof is gone by for its time only",
        (("run", "age >= self.operation.proof_age or", ""),),
        rule("a_proof_is_repeated_when_it_is_old"),
    ),
    Mutant(
        "what cannot change in place is held to how the key was made",
        (("loop", "value if name in changeable else made_for.get(name, value)", "value"),),
        rule("a_key_is_held_to_what_it_was_made_for"),
    ),
    Mutant(
        "a key that a person deleted is noticed",
        (("observe", 'operation.issuer.probe(kept.values) == "refused"', "False"),),
        rule("an_end_that_a_person_brought_is_noticed"),
    ),
    Mutant(
        "a key that is refused by now has no earlier proof",
        (("run", ' or self.issuer.probe(values) == "refused"', ""),),
        rule("a_key_that_died_since_its_proof_is_noticed"),
    ),
    Mutant(
        "rights are compared with what the store shows",
        (("acts", "    changed = differing(generation.wished, shown)\n", "    changed = ()\n"),),
        rule("what_the_store_shows_counts_even_where_the_proof_is_blind"),
    ),
    Mutant(
        "an unclear proof is no proof",
        (("acts", "        if not wrong and not recognised:", "        if False:"),),
        rule("an_unclear_proof_waits"),
    ),
    Mutant(
        "a value is used once",
        (
            (
                "acts",
                "    if any(g.fingerprint == fingerprint for",
                "    if False and any(g.fingerprint == fingerprint for",
            ),
        ),
        rule("an_old_value_is_never_taken_again"),
    ),
    Mutant(
        "the value tested is the one issued",
        (("acts", "    if generation.fingerprint and run.operation.", "    if False and run.operation."),),
        rule("a_garbled_value_proves_nothing_at_destroy"),
    ),
    Mutant(
        "a person's word does not stand against the store's",
        (("acts", "    if missing.alive and generation.confirmed:", "    if False:"),),
        rule("a_person_says_that_a_key_is_gone"),
    ),
    Mutant(
        "a captured key that is given up is asked for",
        (("acts", '    if facts.keys is None and kept.state == "present" and', "    if False and"),),
        rule("a_captured_key_given_up_lives_until_the_store_refuses_it"),
    ),
    Mutant(
        "one refusal is not enough",
        (("acts", "{first, issuer.probe(kept.values)}", "{first}"),),
        rule("one_refusal_is_not_death"),
    ),
    Mutant(
        "death needs a positive control",
        (("acts", '    if control.verdict != "confirmed":', "    if False:"),),
        rule("death_needs_every_part_of_its_proof"),
    ),
    Mutant(
        "death needs a list without the key",
        (("acts", "not issuer.capabilities.residual and _listed(run, journal, number):", "False:"),),
        rule("a_listed_key_is_not_dead"),
    ),
    Mutant(
        "the document is destroyed before `revoked`",
        (
            (
                "acts",
                "    run.book.destroy(number)\n" + _IS_DEAD,
                _IS_DEAD + "\n    run.book.destroy(number)",
            ),
        ),
        plan("rotate/rotate"),
    ),
    Mutant(
        "older versions of D are destroyed",
        (("acts", "    run.book.forget_older()\n", ""),),
        plan("rotate", 0),
    ),
    Mutant(
        "a refused CAS of Vault is told from a lost reply",
        (
            (
                "journal",
                '                if seen.data.get("txn") == stamped["txn"]:\n                    return seen.version\n',
                "",
            ),
        ),
        rule("a_lost_reply_of_vault_is_read_back"),
    ),
    Mutant(
        "a late maker ends its own key",
        (
            (
                "acts",
                (
                    "        if made and (known is None or known.state in DEAD):\n"
                    "            run.issuer.revoke(key_id, secret)\n"
                ),
                "",
            ),
        ),
        rule("a_late_writer_of_a_forgotten_number_ends_its_key"),
    ),
    Mutant(
        "a leaked key waits for no overlap",
        (("due", "        if compromised or not (wish.frozen", "        if not (wish.frozen"),),
        rule("a_leaked_key_goes_at_once"),
    ),
    Mutant(
        "a leaked generation is not published again",
        (("due", ' or journal.generations[number].compromised:\n        return ""', ':\n        return ""'),),
        either(
            exactly("compromised and no successor", {30: ">1", 37: "crash"}),
            plan("compromised and no successor", 2, 3000),
        ),
    ),
    Mutant(
        "a freeze begins nothing",
        (("due", "(leaked or not wish.frozen):", "True:"),),
        rule("a_freeze_begins_nothing"),
    ),
    Mutant(
        "the rotation number only goes up",
        (
            (
                "due",
                "    if rotation_wished(journal, wish) > generation.rotation:",
                "    if rotation_wished(journal, wish) != generation.rotation:",
            ),
        ),
        rule("the_rotation_number_only_goes_up"),
    ),
    Mutant(
        "two keys of one number are noticed",
        (("due", "    if len(facts.keys[number]) > 1:", "    if False:"),),
        rule("two_keys_of_one_number_both_go"),
    ),
    Mutant(
        "unneeded keys retire before another is made",
        (
            (
                "due",
                '    for number in journal.in_state("superseded"):\n        # Before',
                "    for number in ():\n        # Before",
            ),
            (
                "due",
                "    if leaked and current is not None:\n        # A leaked",
                (
                    '    for number in journal.in_state("superseded"):\n'
                    "        if not waits(facts, journal, wish, number):\n"
                    "            steps.append(Step(Act.RETIRE, number))\n"
                    "    if leaked and current is not None:\n        # A leaked"
                ),
            ),
        ),
        rule("three_keys_never_live_without_need"),
    ),
    Mutant(
        "the overlap counts from when Vault wrote D",
        (
            (
                "journal",
                "            at=document.written,\n",
                '            at=datetime.fromisoformat(data["published_at"]),\n',
            ),
        ),
        plan("rotate with overlap"),
    ),
    Mutant(
        "an adopted key without our marker is only forgotten",
        (("acts", 'carries_marker or journal.phase == "open" or run.operation.revoke_adopted', "True"),),
        rule("an_unmarked_adopted_key_is_only_forgotten"),
    ),
    Mutant(
        "a moved store must have our key",
        (
            (
                "run",
                "            if listed or self._opens_the_same(journal, number):",
                "            if True:",
            ),
        ),
        rule("a_store_without_our_key_is_not_the_same_store"),
    ),
    Mutant(
        "a person confirms the generation they mean",
        (("people", "        if number not in {None, entry.connecting}:", "        if False:"),),
        rule("a_person_takes_over"),
    ),
    Mutant(
        "the journal knows a token before it leaves",
        (
            (
                "handover",
                '        note(kept, f"generation {number} is prepared',
                '        repr(f"generation {number} is prepared',
            ),
        ),
        plan("hand over/hand over", 0),
    ),
    Mutant(
        "what was handed over before is voided",
        (
            (
                "handover",
                "            self.courier.void(accessor)\n        self._carry",
                "            pass\n        self._carry",
            ),
        ),
        plan("hand over again/again", 0),
    ),
    Mutant(
        "what may not be void yet stays known",
        (("handover", "        former = openable(receipt)\n", "        former = openable(receipt)[-1:]\n"),),
        plan("hand over again/again", 2, 200),
    ),
    Mutant(
        "a removed link leaves nothing to open",
        (("links", "                    self.handover.end(entry.receipt)\n", "                    pass\n"),),
        plan("hand over/take back", 0),
    ),
    Mutant(
        "what was sent is noted whoever writes beside",
        (("links", "_given(present) != _given(entry)", "present != entry"),),
        rule("what_was_sent_is_noted_whoever_writes_beside"),
    ),
    Mutant(
        "a run hands over once",
        (
            (
                "handover",
                "        except VaultConflict:\n            # Not again",
                "        except ZeroDivisionError:\n            # Not again",
            ),
        ),
        rule("a_run_hands_over_once"),
    ),
    Mutant(
        "an answer proves the first hand-over alone",
        (
            (
                "people",
                "    answers = generation or (entry.connecting if entry.holds == entry.connecting else 0)\n",
                "    answers = generation or entry.connecting\n",
            ),
        ),
        rule("an_answer_proves_the_first_hand_over_and_no_later_one"),
    ),
    Mutant(
        "what was not handed over is not confirmed",
        (("people", "        if entry.handed and not was_sent", "        if False and not was_sent"),),
        either(
            exactly("rotate and hand over/receive/confirm", {19: "sealed"}),
            plan("rotate and hand over/receive/confirm", 1),
        ),
    ),
    Mutant(
        "what comes late for a removed link finds a tombstone",
        (
            (
                "journal",
                '                    self._write(path, {"state": "revoked"}, 0)\n',
                "                    pass\n",
            ),
        ),
        rule("what_comes_late_for_a_removed_link_finds_a_tombstone"),
    ),
    Mutant(
        "a journal of another stack is refused",
        (
            (
                "journal",
                "        if (journal.project, journal.stack, journal.connection) != (",
                "        if False and () != (",
            ),
        ),
        rule("another_stacks_journal_is_refused"),
    ),
    Mutant(
        "an unmarked key of ours needs its tail",
        (
            (
                "run",
                "            same = key.key_id == generation.key_id and key.tail == generation.tail\n",
                "            same = True\n",
            ),
        ),
        rule("an_id_with_another_tail_is_another_key"),
    ),
    Mutant(
        "a marker must be whole and ours",
        (("run", "        if mark.owner == operation.owner:", "        if True:"),),
        rule("a_marker_of_another_stack_on_our_key_is_put_right"),
    ),
)
