"""The rules of decision, clearance and release as migration 0002 puts them up."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
from sharing.records.migrations.guards import Rules

ROLE_OF_GATE = """CASE {stage} WHEN 'purpose_review' THEN 'purpose_reviewer'
    WHEN 'consent_verification' THEN 'consent_steward'
    WHEN 'conflict_signoff' THEN 'conflict_officer'
    WHEN 'legal_approval' THEN 'legal_counsel' END"""


def _sponsors(who: str) -> str:
    """True where the person in column `who` is the sponsor of the request in `r`, which a partner
    names by id or by e-mail address."""
    return f"""(r.sponsor = {who} OR EXISTS (
    SELECT 1 FROM person s WHERE s.id = {who} AND s.email = lower(r.sponsor)))"""


# A decider must have held the gate's role when deciding and ever since.
ROLES_HELD = f"""NOT EXISTS (
  SELECT 1 FROM decision d WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest
  AND NOT EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = d.actor_id
    AND g.role = {ROLE_OF_GATE.format(stage="d.stage")} AND g.valid_from <= d.at
    AND (g.valid_until IS NULL OR g.valid_until > {{moment}})))"""

NOBODY_INTERESTED = f"""NOT EXISTS (
  SELECT 1 FROM decision d JOIN person p ON p.id = d.actor_id
  JOIN request r ON r.id = d.request_id
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest
  AND (p.partner_id IS NOT NULL OR {_sponsors("d.actor_id")} OR EXISTS (
    SELECT 1 FROM recusal x WHERE x.request_id = d.request_id AND x.person_id = d.actor_id)))"""

NOTHING_AGAINST = """NOT EXISTS (
  SELECT 1 FROM decision d WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest
  AND d.outcome <> 'approved')
AND NOT EXISTS (
  SELECT 1 FROM gate g WHERE g.request_id = NEW.request_id AND g.digest = NEW.digest
  AND g.outcome IS NOT NULL AND g.outcome <> 'approved')"""

DECISION_RULE = f"""EXISTS (
  SELECT 1 FROM request r JOIN gate g ON g.request_id = r.id AND g.digest = r.digest
  WHERE r.id = NEW.request_id AND r.digest = NEW.digest AND r.state = NEW.stage
  AND g.stage = NEW.stage AND g.outcome IS NULL AND NEW.at <= g.until
  AND g.findings_digest = NEW.findings_digest
  AND (r.sponsor IS NULL OR NOT {_sponsors("NEW.actor_id")}))
AND NOT EXISTS (SELECT 1 FROM recusal x
  WHERE x.request_id = NEW.request_id AND x.person_id = NEW.actor_id)
AND EXISTS (SELECT 1 FROM declaration c WHERE c.id = NEW.declaration_id
  AND c.person_id = NEW.actor_id AND c.request_id = NEW.request_id AND c.at <= NEW.at)
AND EXISTS (SELECT 1 FROM person p WHERE p.id = NEW.actor_id AND p.partner_id IS NULL)
AND EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = NEW.actor_id
  AND g.role = {ROLE_OF_GATE.format(stage="NEW.stage")} AND g.valid_from <= NEW.at
  AND (g.valid_until IS NULL OR g.valid_until > NEW.at))"""

CLEARANCE_RULE = f"""EXISTS (
  SELECT 1 FROM request r
  WHERE r.id = NEW.request_id AND r.digest = NEW.digest AND r.state = 'legal_approval')
AND EXISTS (SELECT 1 FROM agreement a
  WHERE a.request_id = NEW.request_id AND a.digest = NEW.agreement_digest)
AND EXISTS (SELECT 1 FROM decision d
  WHERE d.request_id = NEW.request_id AND d.digest = NEW.digest AND d.stage = 'legal_approval'
  AND d.agreement_digest = NEW.agreement_digest)
AND {ROLES_HELD.format(moment="NEW.cleared_at")}
AND {NOBODY_INTERESTED}
AND {NOTHING_AGAINST}"""


def _engineer(who: str, since: str) -> str:
    """True where the person in column `who` could act as an engineer at `since`, and still can."""
    return f"""EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = {who}
    AND g.role = 'engineer' AND g.valid_from <= {since}
    AND (g.valid_until IS NULL OR g.valid_until > NEW.released_at))
  AND NOT EXISTS (SELECT 1 FROM decision d WHERE d.request_id = NEW.request_id
    AND d.actor_id = {who})
  AND NOT EXISTS (SELECT 1 FROM recusal x WHERE x.request_id = NEW.request_id
    AND x.person_id = {who})
  AND NOT EXISTS (SELECT 1 FROM person p WHERE p.id = {who} AND p.partner_id IS NOT NULL)
  AND (r.sponsor IS NULL OR NOT {_sponsors(who)})"""


RELEASE_RULE = f"""EXISTS (
  SELECT 1 FROM clearance c
  JOIN request r ON r.id = c.request_id AND r.digest = c.digest
  JOIN export e ON e.request_id = c.request_id AND e.digest = c.digest
  WHERE c.request_id = NEW.request_id AND c.digest = NEW.digest AND e.id = NEW.export_id
  AND r.state = 'exporting' AND e.state = 'running' AND e.fence = NEW.fence
  AND NEW.released_at >= c.cleared_at AND NEW.released_at < c.valid_until
  AND {_engineer("e.triggered_by", "e.triggered_at")}
  AND (NOT e.needs_confirmation OR (e.confirmed_by <> e.triggered_by
    AND {_engineer("e.confirmed_by", "e.confirmed_at")})))
AND {ROLES_HELD.format(moment="NEW.released_at")}
AND {NOBODY_INTERESTED}
AND {NOTHING_AGAINST}"""

FIRST: Rules = {
    "decision": ("not_eligible", DECISION_RULE),
    "clearance": ("not_cleared", CLEARANCE_RULE),
    "release": ("not_cleared", RELEASE_RULE),
}
