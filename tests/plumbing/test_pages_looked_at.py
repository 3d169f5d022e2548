"""No page is left out of what axe, the narrowest phone and both themes look at."""

import re
from uuid import UUID

from django.urls import resolve

from tests.e2e.test_every_page import PEOPLE
from tests.security.test_matrix import TABLE

#: Pages that only a story leads to: `tests/e2e` looks at them where it plays that story.
PLAYED = {
    "accounts:address",
    "accounts:address_code",
    "accounts:choose_password",
    "accounts:code",
    "accounts:end_second_factor",
    "accounts:second_step",
    "accounts:undo_address",
    "families:join",
    "portal:add_child",
    "portal:arrival",
    "portal:complete",
    "portal:new_account",
}
#: What answers GET without being a page of the portal: files, pictures, e-mails as they left, and what sends elsewhere.
NO_PAGES = {
    "accounts:address_link",
    "accounts:link",
    "demo:mail",
    "demo:mail_html",
    "documents:file",
    "families:switch",
    "foundation:icons",
    "foundation:theme",
    "office:family_plannings",
    "office:import_refusals",
    "office:message_file",
    "office:person_photo",
    "portal:certificate",
    "portal:drop_enrolment",
    "portal:message_file",
    "portal:person_photo",
    "portal:request_calendar",
    "portal:town_file",
}


def test_every_page_is_looked_at() -> None:
    numbers = {"document": UUID(int=1), "person": UUID(int=1), "contact": UUID(int=1)}
    paths = {path.partition("?")[0] for _, all_paths in PEOPLE.values() for path in all_paths} - {"/rien/"}
    looked_at = {
        resolve(re.sub(r"{(\w+)}", lambda name: str(numbers.get(name[1], 1)), path)).view_name for path in paths
    }
    answers = {line.name for line in TABLE if line.method == "get"}
    assert answers - looked_at - PLAYED - NO_PAGES == set()
