"""Whoever offers something to ask for, or something begun to resume. A capability adds its own function here:
`(occasion) -> Iterable[(RequestGroup, Ask)]`, or `(occasion) -> Iterable[Resume]`.

Each asks a number of queries that neither children nor requests change. Under a heading, things keep this order.
"""

from marelle.portal.asking.ask import Provider, Resumer
from marelle.portal.asking.certificates import certificates
from marelle.portal.asking.places import around
from marelle.portal.asking.services import absence, bookings, drafts, enrolled, enrolments, school
from marelle.portal.asking.topics import town_topics

PROVIDERS: tuple[Provider, ...] = (
    school,
    enrolments,
    enrolled,
    bookings,
    absence,
    certificates,
    town_topics,
    around,
)

RESUMERS: tuple[Resumer, ...] = (drafts,)
