"""Every address of the portal, and what each kind of person gets there. A new address has no place here until its line
is written: that is a failure."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from marelle.bookings.models import Enrolment
from tests.offer import booked, refuse
from tests.security.world import TUESDAY, World, world

pytestmark = pytest.mark.django_db

PEOPLE = ("anonymous", "family", "other family", "other home", "agent", "agent elsewhere")
DOOR = "/connexion/"

Args = Callable[[World], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Line:
    """`expect`: by person, in the order of PEOPLE: a status, "door" (sent to the door) or the path one is sent to."""

    name: str
    method: str
    expect: tuple[int | str, ...]
    args: Args = lambda _world: ()
    data: Callable[[World], dict[str, Any]] = lambda _world: {}
    query: str = ""


def everybody(answer: int | str) -> tuple[int | str, ...]:
    return (answer,) * 6


FAMILIES = ("door", 200, 200, 200, 404, 404)
OWN = ("door", 200, 404, 404, 404, 404)
SIGNED_IN = ("door", 200, 200, 200, 200, 200)
AGENTS = ("door", 404, 404, 404, 200, 200)
TOWN_WIDE = ("door", 404, 404, 404, 200, 403)
AGENTS_THERE = ("door", 404, 404, 404, 200, 404)


OF_THE_CHILD = ("door", 200, 404, 200, 404, 404)
PROVED = "proved"


def proof(page: str, other_family: int | str, other_home: int | str) -> tuple[int | str, ...]:
    """A guardian's page that asks the password again, then leads back to `page`; nobody gave it here."""
    asked = "/compte/preuve/" + (f"?next={quote(page, safe='{}')}" if page else "")
    return ("door", *(asked if one == PROVED else one for one in (PROVED, other_family, other_home)), 404, 404)


def child(at: World) -> tuple[int]:
    return (at.benali.children[0].pk,)


def ines(at: World) -> tuple[int, int]:
    return at.benali.household.pk, at.benali.children[0].pk


def number(at: World) -> tuple[str]:
    return (at.request.number,)


def absence_number(at: World) -> tuple[str]:
    return (at.absence.number,)


def document(at: World) -> tuple[uuid.UUID]:
    return (at.document.pk,)


def enrolment(at: World) -> tuple[int]:
    """Inès's own in the first home, with a day to come under it."""
    return (Enrolment.objects.get(household=at.benali.household).pk,)


def key(_at: World) -> dict[str, str]:
    return {"send_key": "00000000-0000-4000-8000-000000000000", "day": "0"}


def guardian(at: World) -> tuple[int, int]:
    return at.benali.household.pk, at.benali.guardian.pk


def canteen(at: World) -> tuple[int, str]:
    return at.benali.household.pk, "cantine"


def then(path: str) -> tuple[int | str, ...]:
    """A page for whoever is signed in, that sends on to `path`."""
    return ("door", path, path, path, path, path)


def sent(path: str) -> tuple[int | str, ...]:
    """A guardian's own page that answers a form: it sends on to `path`."""
    return ("door", path, path, path, 404, 404)


TABLE = (
    # for everybody
    Line("foundation:icons", "get", everybody(200), lambda _: ("x",)),
    Line("foundation:theme", "get", everybody(200), lambda _: ("2d3a9e", "0")),
    Line("portal:help", "get", everybody(200)),
    Line("portal:town_file", "get", everybody(404), lambda _: ("aide.webm",)),
    Line("portal:terms", "get", everybody(200)),
    Line("portal:legal", "get", everybody(200)),
    Line("portal:privacy", "get", everybody(200)),
    Line("portal:accessibility", "get", everybody(200)),
    Line("demo:mailbox", "get", everybody(200)),
    Line("demo:mail", "get", everybody(200), lambda at: (at.delivered.pk,)),
    Line("demo:mail_html", "get", everybody(200), lambda at: (at.delivered.pk,)),
    # the door: who is in does not stand at it
    Line("accounts:door", "get", (200, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:password", "get", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:request_code", "post", everybody(DOOR)),
    Line("accounts:code", "get", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:code", "post", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:address_link", "get", everybody("/connexion/adresse/"), lambda _: ("x-y",)),
    Line("accounts:address", "get", (410, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:address", "post", (410, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:link", "get", everybody("/connexion/choisir-mon-mot-de-passe/"), lambda _: ("MQ", "x-y")),
    Line("accounts:choose_password", "get", (410, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:door", "post", (200, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:password", "post", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:choose_password", "post", (410, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:second_step", "get", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:second_step", "post", (DOOR, "/", "/", "/", "/agents/", "/agents/")),
    Line("accounts:account", "get", SIGNED_IN),
    Line("accounts:theme", "post", then("/compte/"), data=lambda _: {"theme": "dark"}),
    Line("accounts:close_sessions", "post", then("/compte/")),
    Line("accounts:change_password", "get", then("/compte/preuve/?next=%2Fcompte%2Fmot-de-passe%2F")),
    Line("accounts:change_password", "post", then("/compte/preuve/")),
    Line("accounts:new_address", "get", then("/compte/preuve/?next=%2Fcompte%2Fadresse%2F")),
    Line("accounts:new_address", "post", then("/compte/preuve/")),
    Line("accounts:address_code", "get", then("/compte/preuve/?next=%2Fcompte%2Fadresse%2Fcode%2F")),
    Line("accounts:address_code", "post", then("/compte/preuve/")),
    Line("accounts:undo_address", "get", everybody(410), lambda _: ("x-y",)),
    Line("accounts:undo_address", "post", everybody(410), lambda _: ("x-y",)),
    Line("accounts:second_factor", "get", then("/compte/preuve/?next=%2Fcompte%2Fdeuxieme-etape%2F")),
    Line("accounts:second_factor", "post", then("/compte/preuve/")),
    Line("accounts:recovery_codes", "post", then("/compte/preuve/")),
    Line("accounts:end_second_factor", "get", then("/compte/preuve/?next=%2Fcompte%2Fdeuxieme-etape%2Fretirer%2F")),
    Line("accounts:end_second_factor", "post", then("/compte/preuve/")),
    Line("accounts:proof", "get", ("door", 200, 200, 200, 200, 200)),
    Line("accounts:proof", "post", ("door", 422, 422, 422, 422, 422)),
    Line("accounts:sign_out", "get", everybody(200)),
    Line("accounts:sign_out", "post", (DOOR, "/deconnexion/", DOOR, DOOR, DOOR, DOOR)),  # choices not sent
    # families
    Line("portal:home", "get", FAMILIES),
    Line("portal:plannings", "get", sent("/planning/cantine/")),
    Line("portal:planning", "get", FAMILIES, lambda _: ("cantine",), query="?mois=2026-11"),
    Line("portal:planning", "post", sent("/planning/cantine/?mois=2026-11"), lambda _: ("cantine",), lambda _: {"mois": "2026-11"}),  # noqa: E501
    Line("portal:week_template", "get", FAMILIES, lambda _: ("cantine",)),
    Line("portal:week_template", "post", sent("/planning/cantine/semaine-type/?mois=2026-11"), lambda _: ("cantine",), lambda _: {"mois": "2026-11"}),  # noqa: E501
    Line("portal:day_range", "get", FAMILIES, lambda _: ("cantine",)),
    Line("portal:day_range", "post", ("door", 422, 422, 422, 404, 404), lambda _: ("cantine",)),
    Line("portal:planning_place", "get", FAMILIES, lambda _: ("cantine",)),
    Line("portal:day", "get", FAMILIES, lambda _: ("cantine", "2026-11-19")),
    Line("portal:day", "post", sent("/planning/cantine/?mois=2026-11"), lambda _: ("cantine", "2026-11-19"), lambda _: {"mois": "2026-11"}),  # noqa: E501
    Line("portal:check", "get", FAMILIES),
    Line("portal:send", "post", sent("/planning/verifier/"), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:remove_line", "post", sent("/planning/verifier/"), lambda at: (at.line.pk,)),
    Line("portal:wait_line", "post", sent("/planning/verifier/#ligne-{line}"), lambda at: (at.line.pk,)),
    Line("portal:place", "get", OWN, lambda at: (at.request.lines.get().bookings.get().pk,)),
    Line("portal:place", "post", ("door", 404, 404, 404, 404, 404), lambda at: (at.request.lines.get().bookings.get().pk,)),  # noqa: E501
    Line("portal:demarches", "get", FAMILIES),
    Line("portal:enrol", "get", FAMILIES),
    Line("portal:enrol", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:absence", "get", FAMILIES, query="?service=cantine&jour=2026-11-16"),
    Line("portal:absence", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"do": "check", "send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:enrol_step", "get", FAMILIES, lambda _: ("services",)),
    Line("portal:enrol_step", "post", ("door", 422, 422, 422, 404, 404), lambda _: ("services",)),
    Line("portal:drop_enrolment", "get", sent("/demarches/"), query="?annee=2026-2027"),
    Line("portal:drop_enrolment", "post", sent("/demarches/"), data=lambda _: {"annee": "2026-2027"}),
    Line("portal:add_child", "get", ("door", 404, 404, 404, 404, 404)),  # Cadours gives no place at a school here
    Line("portal:add_child", "post", ("door", 404, 404, 404, 404, 404)),
    Line("portal:enrolments", "get", FAMILIES),
    Line("portal:enrolment", "get", OWN, enrolment),
    Line("portal:change_enrolment", "get", OWN, enrolment),
    Line("portal:change_enrolment", "post", ("door", "/demarches/inscriptions/{enrolment}/", 404, 404, 404, 404), enrolment, key),  # noqa: E501
    Line("portal:end_enrolment", "get", OWN, enrolment),
    Line("portal:end_enrolment", "post", ("door", "/demarches/inscriptions/{enrolment}/", 404, 404, 404, 404), enrolment, key),  # noqa: E501
    Line("portal:dossier", "get", ("door", 200, 404, 200, 404, 404), lambda at: (at.benali.children[0].pk,)),
    Line("portal:complete", "get", ("door", "/demandes/{number}/", 404, 404, 404, 404), number),
    Line("portal:complete", "post", ("door", "/demandes/{number}/", 404, 404, 404, 404), number),
    Line("portal:take_back_absence", "get", OWN, absence_number),
    Line("portal:take_back_absence", "post", ("door", "/demandes/{absence}/annuler-absence/", 404, 404, 404, 404), absence_number),  # noqa: E501
    Line("portal:request", "get", OWN, number),
    Line("portal:ask", "get", FAMILIES, lambda _: ("ecrire",)),
    Line("portal:ask", "post", ("door", 422, 422, 422, 404, 404), lambda _: ("ecrire",), lambda _: {"do": "check", "send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:certificates", "get", FAMILIES),
    Line("portal:certificates", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"kind": "enrolment"}),
    Line("portal:certificate", "get", ("door", 404, 404, 404, 404, 404), lambda _: ("00000000-0000-4000-8000-000000000000",)),  # noqa: E501
    Line("attestations:verify_any", "get", everybody(200)),
    Line("attestations:verify", "get", everybody(404), lambda _: ("AAAA-BBBB-CCCC",)),
    Line("portal:say", "post", ("door", 422, 404, 404, 404, 404), number, lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:read_thread", "post", ("door", "/demandes/{number}/", 404, 404, 404, 404), number),
    Line("portal:message_file", "get", ("door", 404, 404, 404, 404, 404), lambda at: (at.request.number, "00000000-0000-4000-8000-000000000000")),  # noqa: E501
    Line("portal:withdraw", "get", OWN, number),
    Line("portal:withdraw", "post", ("door", "/demandes/{number}/", 404, 404, 404, 404), number),
    Line("portal:request_calendar", "get", OWN, number),
    Line("portal:news", "get", FAMILIES),
    Line("portal:news_post", "get", ("door", 200, 404, 200, 404, 404), lambda at: (at.news.pk,)),
    Line("portal:read_news", "post", ("door", "/actualites/", 404, "/actualites/", 404, 404), lambda at: (at.news.pk,)),
    Line("portal:documents", "get", FAMILIES),
    Line("portal:documents", "post", ("door", 422, 422, 422, 404, 404)),
    Line("portal:withdraw_document", "get", OWN, document),
    Line("portal:withdraw_document", "post", ("door", "/documents/", 404, 404, 404, 404), document),
    Line("documents:file", "get", ("door", 200, 404, 404, 200, 404), document),
    Line("portal:family", "get", FAMILIES),
    Line("portal:invite_adult", "get", ("door", *(["/compte/preuve/?next=%2Ffamille%2Finviter%2F"] * 3), 404, 404)),
    Line("portal:invite_adult", "post", sent("/compte/preuve/")),
    Line("portal:cancel_adult", "post", ("door", "/famille/", 404, 404, 404, 404), lambda at: (at.invited.pk,)),
    Line("families:join", "get", everybody(410), lambda _: ("x-y",)),
    Line("families:join", "post", everybody(410), lambda _: ("x-y",)),
    Line("portal:new_account", "get", (DOOR, "/", "/", "/", "/", "/")),
    Line("portal:new_account", "post", (DOOR, "/", "/", "/", "/", "/")),
    Line("portal:arrival", "get", sent("/")),
    Line("portal:arrival", "post", sent("/")),
    Line("portal:history", "get", FAMILIES),
    Line("portal:correct_link", "get", FAMILIES),
    Line("portal:correct_link", "post", ("door", "/famille/", "/famille/", "/famille/", 404, 404), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000", "link": "mère"}),  # noqa: E501
    Line("portal:correct_me", "get", FAMILIES),
    Line("portal:correct_me", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:mails", "get", FAMILIES),
    Line("portal:mails", "post", sent("/famille/")),
    Line("portal:correct_address", "get", FAMILIES),
    Line("portal:correct_address", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:correct_insurance", "get", FAMILIES),
    Line("portal:correct_insurance", "post", sent("/famille/"), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:correct_quotient", "get", FAMILIES),
    Line("portal:correct_quotient", "post", ("door", 422, 422, 422, 404, 404), data=lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:correct_child", "get", ("door", 200, 404, 200, 404, 404), lambda at: (at.benali.children[0].pk,)),
    Line("portal:correct_child", "post", ("door", 422, 404, 422, 404, 404), lambda at: (at.benali.children[0].pk,), lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:take_back_change", "post", ("door", "/famille/", 404, 404, 404, 404), lambda at: (at.correction.lines.get().pk,)),  # noqa: E501
    Line("portal:child", "get", OF_THE_CHILD, child),
    Line("portal:diet", "get", OF_THE_CHILD, child),
    Line("portal:diet", "post", ("door", 422, 404, 422, 404, 404), child, lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("portal:permissions", "get", OF_THE_CHILD, child),
    Line("portal:permissions", "post", ("door", 422, 404, 422, 404, 404), child),
    Line("portal:health", "get", proof("/famille/enfants/{child}/sante/", PROVED, PROVED), child),
    Line("portal:edit_health", "get", proof("/famille/enfants/{child}/sante/modifier/", 404, PROVED), child),
    Line("portal:edit_health", "post", proof("", 404, PROVED), child),
    Line("portal:confirm_health", "post", proof("", PROVED, PROVED), child),
    Line("portal:health_readings", "get", OF_THE_CHILD, child),
    Line("portal:new_contact", "get", FAMILIES),
    Line("portal:new_contact", "post", ("door", 422, 422, 422, 404, 404)),
    Line("portal:contact", "get", OWN, lambda at: (at.contact.pk,)),
    Line("portal:contact", "post", ("door", 422, 404, 404, 404, 404), lambda at: (at.contact.pk,)),
    Line("portal:new_person", "get", proof("/famille/personnes/nouvelle/", PROVED, PROVED)),
    Line("portal:new_person", "post", proof("", PROVED, PROVED)),
    Line("portal:person", "get", proof("/famille/personnes/{person}/", 404, 404), lambda at: (at.person.pk,)),
    Line("portal:person", "post", proof("", 404, 404), lambda at: (at.person.pk,)),
    Line("portal:person_photo", "get", ("door", 404, 404, 404, 404, 404), lambda at: (at.person.pk,)),
    Line("families:switch", "get", FAMILIES),
    Line("families:switch", "post", ("door", "/", 404, 404, 404, 404), data=lambda at: {"household": at.benali.household.pk}),  # noqa: E501
    # agents
    Line("office:home", "get", AGENTS),
    Line("office:queue", "get", AGENTS),
    Line("office:keys", "get", AGENTS),
    Line("office:keys", "post", ("door", 404, 404, 404, "/agents/demandes/", "/agents/demandes/")),
    Line("office:accept_several", "post", ("door", 404, 404, 404, "/agents/demandes/", "/agents/demandes/"), data=lambda at: {"d": at.request.pk}),  # noqa: E501
    Line("office:request", "get", AGENTS_THERE, number),
    Line("office:request", "post", ("door", 404, 404, 404, 400, 404), number),
    Line("office:take_back_answer", "post", ("door", 404, 404, 404, "/agents/demandes/{number}/#detail", 404), number),
    Line("office:hold", "post", ("door", 404, 404, 404, "/agents/demandes/{number}/#detail", 404), number),
    Line("office:say", "post", ("door", 404, 404, 404, 422, 404), number, lambda _: {"do": "ecrire", "send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("office:read_thread", "post", ("door", 404, 404, 404, "/agents/demandes/{number}/#messages", 404), number),
    Line("office:assign", "post", ("door", 404, 404, 404, "/agents/demandes/{number}/#messages", 404), number),
    Line("office:message_file", "get", ("door", 404, 404, 404, 404, 404), lambda at: (at.request.number, "00000000-0000-4000-8000-000000000000")),  # noqa: E501
    Line("office:waiting", "get", AGENTS, lambda _: ("cantine", "2026-11-16")),
    Line("office:waiting", "post", ("door", 404, 404, 404, 404, 404), lambda _: ("cantine", "2026-11-16")),
    Line("office:closures", "get", AGENTS),
    Line("office:new_closure", "get", AGENTS),
    Line("office:new_closure", "post", AGENTS),
    Line("office:closure", "get", AGENTS_THERE, lambda at: (at.closure.pk,)),
    Line("office:undo_closure", "get", AGENTS_THERE, lambda at: (at.closure.pk,)),
    Line("office:undo_closure", "post", ("door", 404, 404, 404, "/agents/fermetures/{closure}/", 404), lambda at: (at.closure.pk,)),  # noqa: E501
    Line("office:families", "get", AGENTS),
    Line("office:new_family", "get", AGENTS),
    Line("office:new_family", "post", AGENTS),
    Line("office:invitations", "get", TOWN_WIDE),
    Line("office:invitations", "post", ("door", 404, 404, 404, 404, 403)),
    Line("office:invitation_round", "get", TOWN_WIDE, lambda at: (at.round.pk,)),
    Line("office:invitation_round", "post", ("door", 404, 404, 404, "/agents/familles/inviter/{round}/", 403), lambda at: (at.round.pk,), lambda _: {"do": "cancel"}),  # noqa: E501
    Line("office:imports", "get", TOWN_WIDE),
    Line("office:imports", "post", TOWN_WIDE),
    Line("office:import", "get", TOWN_WIDE, lambda at: (at.run.pk,)),
    Line("office:import_columns", "get", TOWN_WIDE, lambda at: (at.run.pk,)),
    Line("office:import_columns", "post", TOWN_WIDE, lambda at: (at.run.pk,)),
    Line("office:import_keep", "post", ("door", 404, 404, 404, "/agents/familles/imports/{run}/?voir=changements", 403), lambda at: (at.run.pk,)),  # noqa: E501
    Line("office:import_decide", "post", ("door", 404, 404, 404, 404, 403), lambda at: (at.run.pk,)),
    Line("office:import_refusals", "get", TOWN_WIDE, lambda at: (at.run.pk,)),
    Line("office:family", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,)),
    Line("office:see_family", "post", ("door", 404, 404, 404, "/", 404), lambda at: (at.benali.household.pk,), lambda at: {"guardian": at.benali.guardian.pk}),  # noqa: E501
    Line("office:leave_family", "post", ("door", 404, 404, 404, "/agents/familles/", "/agents/familles/")),
    Line("office:duplicates", "get", AGENTS),
    Line("office:merge", "get", AGENTS_THERE, lambda at: (at.benali.household.pk, at.moreau.household.pk)),
    Line("office:merge", "post", ("door", 404, 404, 404, 422, 404), lambda at: (at.benali.household.pk, at.moreau.household.pk)),  # noqa: E501
    Line("office:correct_family", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,), query="?quoi=foyer"),
    Line("office:correct_family", "post", ("door", 404, 404, 404, 422, 404), lambda at: (at.benali.household.pk,), lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}, query="?quoi=foyer"),  # noqa: E501
    Line("office:note_call", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,)),
    Line("office:note_call", "post", ("door", 404, 404, 404, 422, 404), lambda at: (at.benali.household.pk,), lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("office:add_adult", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,)),
    Line("office:add_adult", "post", ("door", 404, 404, 404, "/agents/familles/{household}/", 404), lambda at: (at.benali.household.pk,), lambda at: {"guardian": at.moreau.guardian.pk}),  # noqa: E501
    Line("office:end_place", "get", AGENTS_THERE, guardian),
    Line("office:end_place", "post", ("door", 404, 404, 404, 422, 404), guardian),
    Line("office:attach_child", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,)),
    Line("office:attach_child", "post", ("door", 404, 404, 404, "/agents/familles/{household}/", 404), lambda at: (at.benali.household.pk,), lambda at: {"child": at.moreau.children[0].pk}),  # noqa: E501
    Line("office:child_health", "get", ("door", 404, 404, 404, 200, 404), ines),
    Line("office:child_health", "post", ("door", 404, 404, 404, 422, 404), ines),
    Line("office:forbid", "get", ("door", 404, 404, 404, 200, 404), ines),
    Line("office:forbid", "post", ("door", 404, 404, 404, 422, 404), ines, lambda _: {"key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("office:lift_forbidden", "post", ("door", 404, 404, 404, "/agents/familles/{household}/enfants/{child}/sante/", 404), lambda at: (*ines(at), at.forbidden.pk)),  # noqa: E501
    Line("office:check_identity", "post", ("door", 404, 404, 404, "/agents/familles/{household}/", 404), lambda at: (at.benali.household.pk, at.person.pk)),  # noqa: E501
    Line("office:person_photo", "get", ("door", 404, 404, 404, 404, 404), lambda at: (at.benali.household.pk, at.person.pk)),  # noqa: E501
    Line("office:audiences", "post", ("door", 404, 404, 404, "/agents/familles/{household}/", 404), lambda at: (at.benali.household.pk,)),  # noqa: E501
    Line("office:family_papers", "get", AGENTS_THERE, lambda at: (at.benali.household.pk,)),
    Line("office:family_papers", "post", ("door", 404, 404, 404, 404, 404), lambda at: (at.benali.household.pk,)),
    Line("office:ask_papers", "post", ("door", 404, 404, 404, 404, 404), lambda at: (at.benali.household.pk,)),
    Line("office:family_plannings", "get", ("door", 404, 404, 404, "/agents/familles/{household}/planning/cantine/", 404), lambda at: (at.benali.household.pk,)),  # noqa: E501
    Line("office:family_planning", "get", AGENTS_THERE, canteen),
    Line("office:family_planning", "post", AGENTS_THERE, canteen),
    Line("office:record_for_family", "post", ("door", 404, 404, 404, "/agents/familles/{household}/planning/cantine/", 404), canteen, lambda _: {"send_key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("office:invite", "post", ("door", 404, 404, 404, "/agents/familles/{household}/", 404), guardian),
    Line("office:openings", "get", AGENTS),
    Line("office:news", "get", AGENTS),
    Line("office:new_news", "get", AGENTS),
    Line("office:new_news", "post", ("door", 404, 404, 404, 422, 422), data=lambda _: {"key": "00000000-0000-4000-8000-000000000000"}),  # noqa: E501
    Line("office:news_post", "get", AGENTS_THERE, lambda at: (at.news.pk,)),
    Line("office:news_post", "post", ("door", 404, 404, 404, 422, 404), lambda at: (at.news.pk,)),
    Line("office:withdraw_news", "post", ("door", 404, 404, 404, "/agents/actualites/{news}/", 404), lambda at: (at.news.pk,)),  # noqa: E501
    Line("office:delete_news", "get", AGENTS_THERE, lambda at: (at.draft.pk,)),
    Line("office:delete_news", "post", ("door", 404, 404, 404, "/agents/actualites/", 404), lambda at: (at.draft.pk,)),
    Line("office:mails", "get", AGENTS),
    Line("office:mail", "post", ("door", 404, 404, 404, "/agents/e-mails/", 404), lambda at: (at.mail.pk,), lambda _: {"do": "drop"}),  # noqa: E501
)  # fmt: skip

READ = [line for line in TABLE if line.method == "get"]
SENT = [line for line in TABLE if line.method == "post"]


@pytest.fixture
def there(settings: Settings) -> World:
    return world(settings)


def patterns(resolver: URLResolver, space: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield f"{space}:{pattern.name}" if space else str(pattern.name), pattern.callback
        else:
            yield from patterns(pattern, pattern.namespace or space)


def test_every_address_has_its_line() -> None:
    served = {name for name, _view in patterns(get_resolver())}
    assert {line.name for line in TABLE} == served


def known_in(at: World) -> dict[str, object]:
    """What the paths of the table are completed with."""
    return {
        "absence": at.absence.number,
        "number": at.request.number,
        "household": at.benali.household.pk,
        "line": at.line.pk,
        "run": at.run.pk,
        "round": at.round.pk,
        "closure": at.closure.pk,
        "news": at.news.pk,
        "child": at.benali.children[0].pk,
        "person": at.person.pk,
        "enrolment": enrolment(at)[0],
    }


def answered(client: Client, line: Line, at: World, expected: int | str) -> int | str:
    """What this person gets, said as the table says it."""
    url = reverse(line.name, args=line.args(at)) + line.query
    answer = getattr(client, line.method)(url, line.data(at))
    if answer.status_code == 302 and isinstance(expected, str):
        return "door" if answer.url.partition("?")[0] == DOOR and expected == "door" else answer.url
    return answer.status_code


def wrong(line: Line, at: World) -> list[str]:
    """What each person gets that the table does not say."""
    found = []
    known = known_in(at)
    for who, said in zip(PEOPLE, line.expect, strict=True):
        expected = said.format(**known) if isinstance(said, str) else said
        got = answered(at.client(who), line, at, expected)
        if got != expected:
            found.append(f"{line.method} {line.name}, {who}: {got} rather than {expected}")
    return found


def test_each_person_reads_what_the_table_says(there: World) -> None:
    assert [fault for line in READ for fault in wrong(line, there)] == []


@pytest.mark.parametrize("line", SENT, ids=lambda line: line.name)
def test_each_person_does_what_the_table_says(there: World, line: Line) -> None:
    assert wrong(line, there) == []


def test_other_methods_are_refused(there: World) -> None:
    faults = []
    for line in TABLE:
        taken = {known.method for known in TABLE if known.name == line.name}
        for who in ("family", "agent"):
            client = there.client(who)
            for method in sorted({"post", "get", "put", "delete", "patch"} - taken):
                answer = getattr(client, method)(reverse(line.name, args=line.args(there)))
                if answer.status_code != 405:
                    faults.append(f"{method} {line.name}, {who}: {answer.status_code}")
    assert faults == []


def test_a_form_without_its_token_is_refused(there: World) -> None:
    for line in SENT:
        client = there.client("agent" if line.name.startswith("office:") else "family", enforce_csrf_checks=True)
        answer = client.post(reverse(line.name, args=line.args(there)), line.data(there))
        assert answer.status_code == 403, line.name


def test_reading_writes_nothing_but_sessions(there: World) -> None:
    """Not even an empty basket for the family that has none yet."""
    written = []
    for line in READ:
        for who in ("other family", "agent"):
            client = there.client(who)
            with CaptureQueriesContext(connection) as queries:
                client.get(reverse(line.name, args=line.args(there)) + line.query)
            written += [
                f"{line.name}: {query['sql']}"
                for query in queries
                if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
                and not any(log in query["sql"] for log in ("accounts_session", "families_healthreading"))
            ]
    assert written == []


@pytest.mark.row("A3")
def test_the_other_home_reads_that_a_day_is_taken_and_nothing_else(there: World) -> None:
    """Nor the request, nor the name, nor why a day was refused to the first home."""
    secret = "Le dossier de cette famille est incomplet"
    there.line.delete()
    refused = booked(there.benali, [TUESDAY])
    refuse(refused, secret, by=there.malika)
    client = there.client("other home")
    pages = [client.get("/planning/cantine/?mois=2026-11").text]
    for line in READ:
        if line.expect == FAMILIES:
            pages.append(client.get(reverse(line.name, args=line.args(there)) + line.query).text)
    for page in pages:
        for word in ("Nadia", there.request.number, refused.number, there.benali.email, secret):
            assert word not in page
    assert "Réservé par l’autre foyer" in pages[0]
    assert 'data-was="refused" data-base' not in pages[0]
