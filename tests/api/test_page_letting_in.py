"""An admin lets one of the people in the data in, from the page of people."""

import re

from sharing.stages import Role
from tests.api.test_page_partner import sent
from tests.api.visitor import Visitor, visiting
from tests.api.world import World


async def test_an_admin_makes_a_link_that_lets_a_subject_in(there: World) -> None:
    """The link is shown this once, and opens that person's own page; what they are called is on no
    other page of the admin's, and in no entry of the log."""
    async with visiting(there, Role.ADMIN) as (admin,):
        page = await sent(admin, "/people", "/people/sign-in-links", {"subject": "s0"})
        assert page.status_code == 201, page.text
        [link] = re.findall(r"<code>\S*(/sign-in/[\w-]+)</code>", page.text)
        assert link not in (await admin.open("/people")).text
        person = Visitor(admin.http)
        assert (await person.sign_in(link)).status_code == 303
        admin.http.cookies.clear()
        assert (await person.open("/my-data")).status_code == 200
    entry = next(one for one in await there.audit() if one["action"] == "sign_in.issued")
    assert '"s0"' not in str(entry).replace("'", '"')


async def test_nobody_else_does_and_nobody_without_a_name(there: World) -> None:
    """Without a name the form is shown again and says so; for an auditor there is no form, and the
    act is refused and in the log."""
    async with visiting(there, Role.ADMIN, Role.AUDITOR) as (admin, auditor):
        page = await sent(admin, "/people", "/people/sign-in-links", {"subject": " "})
        assert page.status_code == 422
        assert 'href="#f-subject"' in page.text
        form = await admin.form("/people", "/people/sign-in-links")
        assert "sign-in-links" not in (await auditor.open("/people")).text.partition("<footer")[0]
        csrf = (await auditor.form("/interests", "/interests/statement")).fields["csrf"]
        answer = await auditor.send(form.action, {**form.fields, "csrf": csrf, "subject": "s0"})
        assert answer.status_code == 403
    last = (await there.audit())[-1]
    assert last["action"] == "refused.sign_in_links.create"
