"""The business of Clearance: words, rules, records and the data plane."""
