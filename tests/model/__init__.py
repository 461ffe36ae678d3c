"""A model check of the decision core: every order in which a small world can go, and in each of its
states the invariants.

`uv run python -m tests.model [--json]`. What is asked at each step are the product's own pure
functions (sharing.eligibility, sharing.quorum, sharing.clearance, the tables of sharing.stages).
The database's rules stand beside them as a layer of their own (database.py), written anew in
Python; test_conformance.py holds both against the real activities and the real triggers. The
invariants (invariants.py) are written from what happened, and call none of it.

The bounds, honestly: one request at a time; eleven accounts of eight people (world.py); four
worlds, which differ in what the gates need, in whether a second engineer must confirm, and in what
may happen: in the first the scope changes once, and Eve's interest and the withdrawal of a subject
are left out; in the second and third it never changes, and all else may; in the fourth Cleo's
interest, the end of Dan's role and the withdrawal of a subject may come, and nothing else. Two
interests may become known late and one of them be waived; two accounts may turn out to be one
person's; one role may end; one yearly statement may run out and be renewed; one subject stands for
all of them. Time is one bit: the deadline that runs has passed or not. Ended requests go nowhere:
what happens after a delivery (recalls) is not in here, nor are shards, fences, findings and the
text of the agreement. Of those who decided on an earlier revision only engineers are remembered,
since nobody else is ever asked.
"""
