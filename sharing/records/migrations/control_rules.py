"""What the database asks of a release since migration 0011, beside its older rules: nothing of a
paused export leaves, whatever the code in front of it believes."""

from sharing.records.migrations.guards import Rules

RULE = "control_rule"

NOT_PAUSED = """EXISTS (
  SELECT 1 FROM export e WHERE e.id = NEW.export_id AND e.paused_at IS NULL)"""

CONTROL: Rules = {"release": ("export_paused", NOT_PAUSED)}
