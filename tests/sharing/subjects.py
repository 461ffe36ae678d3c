"""What subjects say, for tests of the rule: one good yes, one no, and random events about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from sharing.collection import Method
from sharing.consent import ANYONE, Action, ConsentEvent, Question, verify
from sharing.purpose import NoticeTerms
from sharing.stages import Exclusion
from sharing.vocabulary import CATEGORIES, PURPOSES

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
RESEARCH, COMPANY = "dpv:AcademicScientificOrganisation", "dpv:ForProfitOrganisation"
ANY_CLASS = "dpv:Organisation"
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NOTICES = {
    ("all", "1"): NoticeTerms("all", "1", tuple(PURPOSES), tuple(CATEGORIES)),
    ("old", "1"): NoticeTerms("old", "1", tuple(PURPOSES), tuple(CATEGORIES), stands=False),
    ("ads", "1"): NoticeTerms("ads", "1", ("dpv:Marketing",), ("pd:Picture",)),
}
ASKED = Question("ai:ModelTraining", "pd:Picture", "ptr", True, NOTICES)
YES = ConsentEvent(
    1,
    "s",
    "ai:ModelTraining",
    "pd:Picture",
    ANYONE,
    Action.GIVEN,
    True,
    "all",
    "1",
    AT - DAY,
    jurisdiction="CA",
)
NO = replace(YES, position=2, action=Action.WITHDRAWN, at=AT - SECOND)

# Few words that lie above and below each other, so that random events meet the question.
purposes = st.sampled_from(
    ["dpv:ResearchAndDevelopment", "ai:AIDevelopment", "ai:ModelTraining", "dpv:Marketing"]
)
categories = st.sampled_from(["pd:Picture", "pd:ProfilePicture", "pd:Age"])
questions = st.builds(
    Question,
    purpose=purposes,
    category=categories,
    recipient=st.just("ptr"),
    explicit=st.booleans(),
    notices=st.just(NOTICES),
    recipient_class=st.sampled_from([None, RESEARCH, COMPANY]),
)
events = st.lists(
    st.builds(
        ConsentEvent,
        position=st.integers(1, 10_000),
        subject=st.just("s"),
        purpose=purposes,
        category=categories,
        recipient=st.sampled_from([ANYONE, ANYONE, "ptr", "other", RESEARCH, COMPANY, ANY_CLASS]),
        action=st.sampled_from([Action.GIVEN] * 4 + list(Action)),
        explicit=st.booleans(),
        notice=st.sampled_from(["all", "all", "ads", "old", "gone"]),
        notice_version=st.just("1"),
        at=st.integers(-50, 0).map(lambda n: AT + n * SECOND),
        valid_until=st.none() | st.integers(-3, 3).map(lambda n: AT + n * SECOND),
        method=st.sampled_from([None, "web_form", Method.WRITTEN_RELEASE]),
        jurisdiction=st.sampled_from(["CA", "CA", "CA", None, "XX"]),
        minor=st.sampled_from([None, None, None, False, True]),
    ),
    unique_by=lambda event: event.position,
    max_size=8,
)


def excluded(*said: ConsentEvent, asked: Question = ASKED, at: datetime = AT) -> Exclusion | None:
    """Why the data may not go; None if it may."""
    return verify(asked, said, at).excluded
