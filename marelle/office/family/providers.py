"""Whoever has something for a family's page. A capability adds its own function to one of these, in the order in which
the page shows them."""

from marelle.office.family.activity import absences, enrolments, service_marks
from marelle.office.family.adults import adults
from marelle.office.family.audiences import audiences
from marelle.office.family.children import children, without_school
from marelle.office.family.circle import circle
from marelle.office.family.doubles import perhaps_twice
from marelle.office.family.health import health_marks
from marelle.office.family.history import history
from marelle.office.family.household import corrections_waiting, home
from marelle.office.family.papers import papers
from marelle.office.family.requests import requests
from marelle.office.family.sight import AlertProvider, CardProvider, MarkProvider

ALERTS: tuple[AlertProvider, ...] = (corrections_waiting, perhaps_twice)
#: The wide column, then the narrow one.
MAIN: tuple[CardProvider, ...] = (children, circle, papers, enrolments, absences, requests)
ASIDE: tuple[CardProvider, ...] = (adults, home, audiences, history)
MARKS: tuple[MarkProvider, ...] = (without_school, health_marks, service_marks)
