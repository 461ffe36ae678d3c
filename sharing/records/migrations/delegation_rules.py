"""What the database asks, since migration 0010, where somebody acts for somebody else: rules beside
those of decision, clearance and release.

For whom a decision was taken follows from the delegations themselves, so no row can hide it. The
two count as one person: what stands in the way of either stands in the way of the act.
"""

# ruff: noqa: E501, S608  (SQL of our own, with no value from outside in it)
from sharing.records.migrations.core_rules import (
    COUNTED,
    COUNTS,
    _held,
    _recused,
    _role,
    _same,
    _sponsors,
)
from sharing.records.migrations.guards import Rules

RULE = "delegation_rule"


def _holds(one: str, at: str) -> str:
    return f"""({one}.valid_from <= {at} AND {one}.valid_until > {at} AND NOT EXISTS (
    SELECT 1 FROM delegation_end z WHERE z.delegation_id = {one}.id AND z.at <= {at}))"""


def _behind(delegation: str, decision: str) -> str:
    """True where a decision was taken under a delegation."""
    return f"""({delegation}.delegate_id = {decision}.actor_id
    AND {delegation}.role = {_role(decision)} AND {_holds(delegation, decision + ".at")})"""


def _barred(delegation: str, request: str) -> str:
    """True where the one acted for must not act on a request."""
    return f"""({_recused(delegation + ".delegator_id", request)}
  OR EXISTS (SELECT 1 FROM request r WHERE r.id = {request} AND {_sponsors(delegation + ".delegator_id")})
  OR EXISTS (SELECT 1 FROM person p WHERE p.id = {delegation}.delegator_id AND p.partner_id IS NOT NULL))"""


# Somebody for whom another decided here has decided here.
SPOKEN_FOR = f"""EXISTS (SELECT 1 FROM decision d JOIN delegation o ON {_behind("o", "d")}
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND {{same}})"""

DECISION_RULE = f"""NOT EXISTS (SELECT 1 FROM delegation y WHERE {_behind("y", "NEW")}
  AND ({_barred("y", "NEW.request_id")}
    OR NOT {_held("y.delegator_id", "y.role", "NEW.at", "NEW.at")}
    OR EXISTS (SELECT 1 {COUNTED} AND {_same("d.actor_id", "y.delegator_id")})
    OR {SPOKEN_FOR.format(same=_same("o.delegator_id", "y.delegator_id"))}))
AND NOT {SPOKEN_FOR.format(same=_same("o.delegator_id", "NEW.actor_id"))}"""

STANDS = f"""NOT EXISTS (SELECT 1 FROM decision d JOIN delegation y ON {_behind("y", "d")}
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND ({_barred("y", "d.request_id")}
    OR NOT {_held("y.delegator_id", "y.role", "d.at", "{moment}")}
    OR EXISTS (SELECT 1 FROM decision e WHERE e.request_id = d.request_id
      AND e.digest = d.digest AND e.id <> d.id
      AND NOT EXISTS (SELECT 1 FROM decision_void v WHERE v.decision_id = e.id)
      AND ({_same("e.actor_id", "y.delegator_id")}
        OR EXISTS (SELECT 1 FROM delegation o WHERE {_behind("o", "e")}
          AND {_same("o.delegator_id", "y.delegator_id")})))))"""

# An engineer for whom somebody decided on this request has decided on it.
ENGINEERS = f"""NOT EXISTS (SELECT 1 FROM export x JOIN decision d ON d.request_id = x.request_id
  JOIN delegation y ON {_behind("y", "d")}
  WHERE x.id = NEW.export_id AND ({_same("y.delegator_id", "x.triggered_by")}
    OR (x.confirmed_by IS NOT NULL AND {_same("y.delegator_id", "x.confirmed_by")})))"""

# Who hands on a role holds it by right and has not got it from somebody else; who takes it has not
# handed on the same role: there is never more than one step, and so no circle.
DELEGATION_RULE = f"""NOT {_same("NEW.delegator_id", "NEW.delegate_id")}
AND NEW.valid_from >= NEW.at
AND {_held("NEW.delegator_id", "NEW.role", "NEW.at", "NEW.at")}
AND NOT EXISTS (SELECT 1 FROM person p WHERE p.id IN (NEW.delegator_id, NEW.delegate_id)
  AND p.partner_id IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM delegation o WHERE o.role = NEW.role
  AND o.valid_from < NEW.valid_until AND o.valid_until > NEW.valid_from
  AND NOT EXISTS (SELECT 1 FROM delegation_end z WHERE z.delegation_id = o.id AND z.at <= NEW.at)
  AND ({_same("o.delegate_id", "NEW.delegator_id")} OR {_same("o.delegator_id", "NEW.delegate_id")}
    OR {_same("o.delegate_id", "NEW.delegate_id")}))"""

DELEGATED: Rules = {
    "decision": ("not_eligible", DECISION_RULE),
    "clearance": ("not_cleared", STANDS.format(moment="NEW.cleared_at")),
    "release": (
        "not_cleared",
        f"{STANDS.format(moment='NEW.released_at')} AND {ENGINEERS}",
    ),
    "delegation": ("delegation_chain", DELEGATION_RULE),
}
