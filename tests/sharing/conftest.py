"""What tests of the business share."""

from hypothesis import settings

# A slow machine is no flaw of a rule.
settings.register_profile("rules", deadline=None)
settings.load_profile("rules")
