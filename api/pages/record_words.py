"""What may stand above a page of records after an act, and further words of these pages."""

from collections.abc import Mapping

from api.pages.words import ROLES

RECORDED: Mapping[str, str] = {
    "person_added": "The person is on record. Give them a token, or a sign-in link.",
    "role_given": "The role is given, from now on.",
    "role_taken": "The role is taken, and every token for it has ended.",
    "person_linked": "The two accounts are one person's now, for good.",
    "delegated": "The role is delegated.",
    "delegation_ended": "The delegation is taken back.",
    "partner_added": "The partner is on record. Give it a token, so that it can ask.",
    "key_added": "The key is registered: what it signs from now on binds the partner.",
    "key_ended": "The key signs nothing any more. What it signed before stands.",
    "token_ended": "The token has ended.",
    "dataset_added": "The dataset is on record. Have it scanned, so that it can be asked for.",
    "indexed": "The scan is done.",
    "indexing": "The scan goes on. The counts are here when it is done: look again later.",
    "notice_added": "The version is on record, and never changes.",
    "versions_judged": "Your word on the two versions is recorded. The latest on a pair counts.",
    "interest_declared": "It is recorded, and recuses you wherever it leads to a partner.",
    "interest_ended": "The end of the interest is recorded.",
    "end_confirmed": "Confirmed: the interest counts no longer for requests to come.",
    "statement_made": "Your statement is recorded.",
    "ruled": "Your ruling is recorded. A later one overrules it; both stay on record.",
    "policy_proposed": "The version is proposed. Another administrator has to approve it.",
    "policy_approved": "The version is in force, for every revision submitted from now on.",
    "log_whole": "The whole log was read: nothing is missing, nothing was changed.",
    "log_broken": "The log is broken. Stop, keep a copy of the database, and look who could do it.",
}

KINDS: Mapping[str, str] = {
    "equity": "shares or options",
    "fund": "a fund that holds it",
    "board": "a seat on its board",
    "employment": "work for it, now or lately",
    "family": "somebody in the family is tied to it",
    "gift": "a gift or an invitation",
    "other": "something else",
}
PROMISES: Mapping[str, str] = {
    "no_third_parties": "Nothing goes to others",
    "no_ai_training": "No AI is trained with it",
    "no_special_categories": "No special category is made of it, such as faces for machines",
    "only_purposes": "It serves the purposes named, and no other",
}
STANDINGS: Mapping[str, str] = {
    "none": "You have made no yearly statement yet. Your first decision makes it, or you do here.",
    "valid": "Your yearly statement is good until",
    "due": "Your yearly statement runs out",
    "lapsed": "Your yearly statement has run out, so you cannot decide. It ran out",
}


def role(name: str) -> str:
    """A role in words."""
    return ROLES.get(name, name)


def promise(name: str) -> str:
    """What a notice promised, in words."""
    return PROMISES.get(name, name)
