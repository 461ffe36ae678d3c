"""The rules of decision, clearance and release since migration 0005, and of what lets a decision no
longer count or a recusal be passed over.

Who is meant by a person is the human behind the account; which decisions count are those that
nobody voided; who is recused is whoever has an interest that two disinterested people did not waive.
"""

# ruff: noqa: E501, S608  (SQL of our own, with no value from outside in it)
from sharing.records.migrations.first_rules import ROLE_OF_GATE
from sharing.records.migrations.guards import Rules

GATE_STATES = "('purpose_review', 'consent_verification', 'conflict_signoff', 'legal_approval')"
WAIVERS_NEED = 2


def _human(who: str) -> str:
    return f"COALESCE((SELECT l.same_as FROM person_link l WHERE l.person_id = {who}), {who})"


def _same(one: str, other: str) -> str:
    return f"{_human(one)} = {_human(other)}"


def _sponsors(who: str) -> str:
    """True where the person in column `who` is the sponsor of the request in `r`, whom a partner
    names by id or by e-mail address."""
    return f"""(r.sponsor = {who} OR EXISTS (SELECT 1 FROM person s
    WHERE (s.id = r.sponsor OR s.email = lower(r.sponsor)) AND {_same("s.id", who)}))"""


def _staff(who: str) -> str:
    """True where the person in column `who` works for a partner, by whichever account."""
    return f"""EXISTS (SELECT 1 FROM person p
    WHERE p.partner_id IS NOT NULL AND {_same("p.id", who)})"""


def _interested(who: str, request: str) -> str:
    """True where an interest of the person in column `who` is on record for a request, waived or
    not, or where that person gains from it in another way."""
    return f"""(EXISTS (SELECT 1 FROM recusal y
    WHERE y.request_id = {request} AND {_same("y.person_id", who)})
    OR {_staff(who)}
    OR EXISTS (SELECT 1 FROM request r
      WHERE r.id = {request} AND r.sponsor IS NOT NULL AND {_sponsors(who)}))"""


def _recused(who: str, request: str) -> str:
    """True where the person in column `who` has an interest that no waiver lifts. A waiver is worth
    something while two other people stand behind it who have no interest to this day."""
    return f"""EXISTS (SELECT 1 FROM recusal x
    WHERE x.request_id = {request} AND {_same("x.person_id", who)} AND (
      SELECT COUNT(DISTINCT {_human("a.person_id")})
      FROM waiver w JOIN waiver_approval a ON a.waiver_id = w.id
      WHERE w.request_id = x.request_id AND w.person_id = x.person_id
      AND w.interest_id = x.interest_id AND NOT {_same("a.person_id", "x.person_id")}
      AND NOT {_interested("a.person_id", "w.request_id")}) < {WAIVERS_NEED})"""


def _role(decision: str) -> str:
    """The role in which a decision was taken."""
    return f"COALESCE({decision}.role, {ROLE_OF_GATE.format(stage=decision + '.stage')})"


def _held(who: str, role: str, since: str, until: str) -> str:
    return f"""EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = {who}
    AND g.role = {role} AND g.valid_from <= {since}
    AND (g.valid_until IS NULL OR g.valid_until > {until}))"""


COUNTS = "NOT EXISTS (SELECT 1 FROM decision_void v WHERE v.decision_id = d.id)"
COUNTED = f"""FROM decision d WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest
  AND {COUNTS}"""

# A decider must have held the role of the decision when deciding and ever since.
ROLES_HELD = f"""NOT EXISTS (
  SELECT 1 {COUNTED} AND NOT {_held("d.actor_id", _role("d"), "d.at", "{moment}")})"""

NOBODY_INTERESTED = f"""NOT EXISTS (
  SELECT 1 FROM decision d JOIN request r ON r.id = d.request_id
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND ({_staff("d.actor_id")} OR {_sponsors("d.actor_id")}
    OR {_recused("d.actor_id", "d.request_id")}))"""

# Two accounts may turn out to be one person's after both have decided.
NOBODY_TWICE = f"""NOT EXISTS (
  SELECT 1 FROM decision d JOIN decision o ON o.request_id = d.request_id
  AND o.digest = d.digest AND o.id < d.id
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND {COUNTS}
  AND NOT EXISTS (SELECT 1 FROM decision_void v WHERE v.decision_id = o.id)
  AND {_same("o.actor_id", "d.actor_id")})"""

NOTHING_AGAINST = f"""NOT EXISTS (SELECT 1 {COUNTED} AND d.outcome <> 'approved')
AND NOT EXISTS (
  SELECT 1 FROM gate g WHERE g.request_id = NEW.request_id AND g.digest = NEW.digest
  AND g.outcome IS NOT NULL AND g.outcome <> 'approved')"""

# As many people as the policy asks for, in each role that it names, at each gate.
NEEDS_MET = f"""NOT EXISTS (
  SELECT 1 FROM gate_need n WHERE n.request_id = NEW.request_id AND n.digest = NEW.digest
  AND (SELECT COUNT(*) {COUNTED} AND d.stage = n.stage AND d.outcome = 'approved'
    AND {_role("d")} = n.role) < n.approvals)"""

DECISION_RULE = f"""EXISTS (
  SELECT 1 FROM request r JOIN gate g ON g.request_id = r.id AND g.digest = r.digest
  WHERE r.id = NEW.request_id AND r.digest = NEW.digest AND r.state = NEW.stage
  AND g.stage = NEW.stage AND g.outcome IS NULL AND NEW.at <= g.until
  AND g.findings_digest = NEW.findings_digest
  AND (r.sponsor IS NULL OR NOT {_sponsors("NEW.actor_id")}))
AND NOT {_recused("NEW.actor_id", "NEW.request_id")}
AND NOT EXISTS (SELECT 1 {COUNTED} AND {_same("d.actor_id", "NEW.actor_id")})
AND EXISTS (SELECT 1 FROM declaration c WHERE c.id = NEW.declaration_id
  AND c.person_id = NEW.actor_id AND c.request_id = NEW.request_id AND c.at <= NEW.at)
AND EXISTS (SELECT 1 FROM register_declaration c WHERE c.person_id = NEW.actor_id
  AND c.at <= NEW.at AND c.valid_until > NEW.at)
AND NOT {_staff("NEW.actor_id")}
AND ({_role("NEW")} = {ROLE_OF_GATE.format(stage="NEW.stage")} OR EXISTS (
  SELECT 1 FROM gate_need n WHERE n.request_id = NEW.request_id AND n.digest = NEW.digest
  AND n.stage = NEW.stage AND n.role = NEW.role))
AND {_held("NEW.actor_id", _role("NEW"), "NEW.at", "NEW.at")}"""

CLEARANCE_RULE = f"""EXISTS (
  SELECT 1 FROM request r
  WHERE r.id = NEW.request_id AND r.digest = NEW.digest AND r.state IN {GATE_STATES})
AND NOT EXISTS (SELECT 1 FROM clearance c
  WHERE c.request_id = NEW.request_id AND c.digest = NEW.digest
  AND NOT EXISTS (SELECT 1 FROM clearance_void v WHERE v.clearance_id = c.id))
AND EXISTS (SELECT 1 FROM agreement a
  WHERE a.request_id = NEW.request_id AND a.digest = NEW.agreement_digest)
AND NOT EXISTS (SELECT 1 {COUNTED} AND d.stage = 'legal_approval'
  AND COALESCE(d.agreement_digest, '') <> NEW.agreement_digest)
AND (SELECT COUNT(*) {COUNTED} AND d.id IN (NEW.purpose_review_decision,
  NEW.consent_verification_decision, NEW.conflict_signoff_decision, NEW.legal_approval_decision)
  AND {_role("d")} = {ROLE_OF_GATE.format(stage="d.stage")}) = 4
AND {NEEDS_MET}
AND {ROLES_HELD.format(moment="NEW.cleared_at")}
AND {NOBODY_INTERESTED}
AND {NOBODY_TWICE}
AND {NOTHING_AGAINST}"""


def _engineer(who: str, since: str) -> str:
    """True where the person in column `who` could act as an engineer at `since`, and still can."""
    return f"""{_held(who, "'engineer'", since, "NEW.released_at")}
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.request_id = NEW.request_id
    AND {_same("d.actor_id", who)})
  AND NOT {_recused(who, "NEW.request_id")}
  AND NOT {_staff(who)}
  AND (r.sponsor IS NULL OR NOT {_sponsors(who)})"""


RELEASE_RULE = f"""EXISTS (
  SELECT 1 FROM clearance c
  JOIN request r ON r.id = c.request_id AND r.digest = c.digest
  JOIN export e ON e.request_id = c.request_id AND e.digest = c.digest
  WHERE c.request_id = NEW.request_id AND c.digest = NEW.digest AND e.id = NEW.export_id
  AND NOT EXISTS (SELECT 1 FROM clearance_void v WHERE v.clearance_id = c.id)
  AND (SELECT COUNT(*) {COUNTED} AND d.outcome = 'approved'
    AND d.id IN (c.purpose_review_decision, c.consent_verification_decision,
      c.conflict_signoff_decision, c.legal_approval_decision)) = 4
  AND r.state = 'exporting' AND e.state = 'running' AND e.fence = NEW.fence
  AND e.triggered_at >= c.cleared_at
  AND NEW.released_at >= c.cleared_at AND NEW.released_at < c.valid_until
  AND {_engineer("e.triggered_by", "e.triggered_at")}
  AND (NOT e.needs_confirmation OR (NOT {_same("e.confirmed_by", "e.triggered_by")}
    AND {_engineer("e.confirmed_by", "e.confirmed_at")})))
AND {NEEDS_MET}
AND {ROLES_HELD.format(moment="NEW.released_at")}
AND {NOBODY_INTERESTED}
AND {NOBODY_TWICE}
AND {NOTHING_AGAINST}"""

# Only an approval is ever voided: by its own decider, because an interest recuses that person, or
# because that person turned out to have decided before, or to be the sponsor, by another account.
# What was refused stays refused.
DECISION_VOID_RULE = f"""EXISTS (
  SELECT 1 FROM decision d WHERE d.id = NEW.decision_id AND d.outcome = 'approved'
  AND ((NEW.reason = 'taken_back' AND NEW.interest_id IS NULL
      AND {_same("NEW.voided_by", "d.actor_id")})
    OR (NEW.reason = 'interest' AND EXISTS (SELECT 1 FROM recusal x
      WHERE x.request_id = d.request_id AND x.interest_id = NEW.interest_id
      AND {_same("x.person_id", "d.actor_id")}))
    OR (NEW.reason = 'same_person' AND NEW.interest_id IS NULL AND (
      EXISTS (SELECT 1 FROM decision o WHERE o.request_id = d.request_id
        AND o.digest = d.digest AND o.id <> d.id AND o.at <= d.at
        AND {_same("o.actor_id", "d.actor_id")}
        AND NOT EXISTS (SELECT 1 FROM decision_void v WHERE v.decision_id = o.id))
      OR EXISTS (SELECT 1 FROM request r WHERE r.id = d.request_id AND r.sponsor IS NOT NULL
        AND {_sponsors("d.actor_id")})))))
AND NOT EXISTS (SELECT 1 FROM decision d JOIN release s ON s.request_id = d.request_id
  AND s.digest = d.digest WHERE d.id = NEW.decision_id)"""

# Two people agree to a waiver who have no interest themselves, not even a waived one, and hold a
# role that may.
WAIVER_APPROVAL_RULE = f"""EXISTS (
  SELECT 1 FROM waiver w WHERE w.id = NEW.waiver_id
  AND NOT {_same("w.person_id", "NEW.person_id")}
  AND NOT {_interested("NEW.person_id", "w.request_id")}
  AND EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = NEW.person_id
    AND g.role IN ('conflict_officer', 'legal_counsel', 'auditor') AND g.valid_from <= NEW.at
    AND (g.valid_until IS NULL OR g.valid_until > NEW.at))
  AND NOT EXISTS (SELECT 1 FROM waiver_approval o
    WHERE o.waiver_id = NEW.waiver_id AND {_same("o.person_id", "NEW.person_id")}))"""

CORE: Rules = {
    "decision": ("not_eligible", DECISION_RULE),
    "clearance": ("not_cleared", CLEARANCE_RULE),
    "release": ("not_cleared", RELEASE_RULE),
    "decision_void": ("wrong_state", DECISION_VOID_RULE),
    "waiver_approval": ("not_eligible", WAIVER_APPROVAL_RULE),
}
