"""What the database itself keeps of policies, since migration 0008: nobody approves their own, an
older proposal never comes into force after a newer one, and a revision names the one in force."""

# ruff: noqa: S608  (SQL of our own, with no value from outside in it)
from sharing.records.migrations.guards import Rules


def _human(who: str) -> str:
    return f"COALESCE((SELECT l.same_as FROM person_link l WHERE l.person_id = {who}), {who})"


APPROVAL_RULE = f"""EXISTS (
  SELECT 1 FROM policy_version v JOIN person p ON p.id = NEW.approved_by
  WHERE v.number = NEW.number AND p.partner_id IS NULL
  AND {_human("v.proposed_by")} <> {_human("NEW.approved_by")})
AND EXISTS (SELECT 1 FROM role_grant g WHERE g.person_id = NEW.approved_by
  AND g.role = 'admin' AND g.valid_from <= NEW.approved_at
  AND (g.valid_until IS NULL OR g.valid_until > NEW.approved_at))
AND NOT EXISTS (SELECT 1 FROM policy_approval a WHERE a.number >= NEW.number)"""

REVISION_RULE = "NEW.policy = COALESCE((SELECT MAX(a.number) FROM policy_approval a), 1)"

POLICY: Rules = {
    "policy_approval": ("four_eyes", APPROVAL_RULE),
    "revision": ("stale_digest", REVISION_RULE),
}
