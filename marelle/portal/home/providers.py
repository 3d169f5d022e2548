"""Whoever has something for "À faire". A capability adds its own function here: `(glance) -> Iterable[Todo]`.

Each asks a number of queries that neither children nor days change. Things of the same urgency keep this order.
"""

from marelle.portal.home.bookings import choices_to_send, days_to_reserve, places_to_answer
from marelle.portal.home.children import health_to_tell, permissions_to_answer
from marelle.portal.home.documents import papers_to_give
from marelle.portal.home.enrolments import (
    children_to_enrol,
    drafts_to_resume,
    enrolments_to_complete,
    refusals_to_correct,
)
from marelle.portal.home.todo import Provider

PROVIDERS: tuple[Provider, ...] = (
    choices_to_send,
    places_to_answer,
    enrolments_to_complete,
    drafts_to_resume,
    refusals_to_correct,
    health_to_tell,
    papers_to_give,
    days_to_reserve,
    children_to_enrol,
    permissions_to_answer,
)
