"""Every page for people, a noun a file, in the order in which addresses are looked for."""

from api.pages import (
    ask,
    audit,
    comments,
    counsel,
    datasets,
    decision,
    duties,
    export,
    export_live,
    export_start,
    exports,
    inbox,
    interests,
    live,
    my_data,
    notices,
    organisations,
    own_agreement,
    own_request,
    own_requests,
    package,
    partners,
    people,
    policy,
    previews,
    provider,
    register,
    request,
    revise,
    sign_in,
    steering,
)

ANYBODY = (provider, sign_in, register)
PARTNERS = (ask, own_requests, own_request, revise, own_agreement, package, duties)
REVIEWERS = (inbox, request, decision, counsel, comments, previews, live)
ENGINEERS = (exports, export_live, export, steering, export_start)
RECORDS = (people, partners, datasets, notices, organisations, policy, interests, audit)
ROOMS = (*ANYBODY, *PARTNERS, *REVIEWERS, *ENGINEERS, my_data, *RECORDS)
