"""What the database asks, since migration 0023, of whoever has a hand in a decision: who took it,
and for whom. They count as one where either works for a partner by another account, and where a
decision is to count no longer. A sponsor may be named by a name."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
from sharing.records.migrations.core_rules import COUNTS, _same, _sponsors, _staff
from sharing.records.migrations.delegation_rules import _behind
from sharing.records.migrations.guards import Rules

RULE = "hand_rule"


def _any_hand(decision: str, holds: str) -> str:
    """True where something holds of who took a decision, or of whom it was taken for. `holds` says
    it of the person in `{who}`."""
    return f"""({holds.format(who=decision + ".actor_id")} OR EXISTS (
    SELECT 1 FROM delegation y WHERE {_behind("y", decision)}
    AND {holds.format(who="y.delegator_id")}))"""


def _one_hand(one: str, other: str) -> str:
    """True where one person has a hand in both decisions."""
    return f"""({_any_hand(other, _same("{who}", one + ".actor_id"))} OR EXISTS (
    SELECT 1 FROM delegation b WHERE {_behind("b", one)}
    AND {_any_hand(other, _same("{who}", "b.delegator_id"))}))"""


def _called(who: str, request: str) -> str:
    """True where the sponsor of a request is named as the person in column `who` is."""
    return f"""EXISTS (SELECT 1 FROM request q JOIN person s ON lower(s.name) = lower(q.sponsor)
    WHERE q.id = {request} AND {_same("s.id", who)})"""


FOR_NOBODY_BARRED = f"""NOT EXISTS (SELECT 1 FROM delegation y WHERE {_behind("y", "NEW")}
  AND {_staff("y.delegator_id")})
AND NOT {_any_hand("NEW", _called("{who}", "NEW.request_id"))}"""

BY_NOBODY_BARRED = f"""NOT EXISTS (SELECT 1 FROM decision d JOIN delegation y ON {_behind("y", "d")}
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND {_staff("y.delegator_id")})
AND NOT EXISTS (SELECT 1 FROM decision d
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND {_any_hand("d", _called("{who}", "d.request_id"))})"""

RUN_BY_NO_SPONSOR = f"""NOT EXISTS (SELECT 1 FROM export x WHERE x.id = NEW.export_id
  AND ({_called("x.triggered_by", "NEW.request_id")}
    OR {_called("x.confirmed_by", "NEW.request_id")}))"""

HANDS: Rules = {
    "decision": ("not_eligible", FOR_NOBODY_BARRED),
    "clearance": ("not_cleared", BY_NOBODY_BARRED),
    "release": ("not_cleared", f"{BY_NOBODY_BARRED} AND {RUN_BY_NO_SPONSOR}"),
    "delegation": (
        "delegation_chain",
        f"NOT {_staff('NEW.delegator_id')} AND NOT {_staff('NEW.delegate_id')}",
    ),
}

# In the place of the rule of migration 0005, which knew only who took a decision.
VOID: Rules = {
    "decision_void": (
        "wrong_state",
        f"""EXISTS (
  SELECT 1 FROM decision d WHERE d.id = NEW.decision_id AND d.outcome = 'approved'
  AND ((NEW.reason = 'taken_back' AND NEW.interest_id IS NULL
      AND {_same("NEW.voided_by", "d.actor_id")})
    OR (NEW.reason = 'interest' AND EXISTS (SELECT 1 FROM recusal x
      WHERE x.request_id = d.request_id AND x.interest_id = NEW.interest_id
      AND {_any_hand("d", _same("x.person_id", "{who}"))}))
    OR (NEW.reason = 'same_person' AND NEW.interest_id IS NULL AND (
      EXISTS (SELECT 1 FROM decision o WHERE o.request_id = d.request_id
        AND o.digest = d.digest AND o.id <> d.id AND o.at <= d.at AND {_one_hand("o", "d")}
        AND NOT EXISTS (SELECT 1 FROM decision_void v WHERE v.decision_id = o.id))
      OR {_any_hand("d", _staff("{who}"))}
      OR {_any_hand("d", _called("{who}", "d.request_id"))}
      OR EXISTS (SELECT 1 FROM request r WHERE r.id = d.request_id AND r.sponsor IS NOT NULL
        AND {_any_hand("d", _sponsors("{who}"))})))))
AND NOT EXISTS (SELECT 1 FROM decision d JOIN release s ON s.request_id = d.request_id
  AND s.digest = d.digest WHERE d.id = NEW.decision_id)""",
    ),
}
