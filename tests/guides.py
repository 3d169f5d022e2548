"""The towns of the guides C, D and E, with a family in each: children enrolled and accepted, ready to reserve."""

import uuid
from datetime import date, datetime

from marelle.accounts.models import User
from marelle.activities.models import Activity, Municipality, Site
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.services.enrolments import Wish, ask_enrolments
from marelle.families.services import Address, NewChild, NewGuardian, invite_guardian, register_household
from marelle.foundation.audit import PORTAL
from marelle.rules.lifecycles import LineState
from marelle.townfile import read
from marelle.towns.services import load_town
from tests import dossiers, offer
from tests.offer import AT, PASSWORD, TOWNS, Family

__all__ = ["AT", "PASSWORD", "alsh", "enrol", "household", "saint_aubin", "valmontier"]


def load(slug: str, *, at: datetime = AT) -> Municipality:
    load_town(read(TOWNS / f"{slug}.toml"), at=at)
    return municipality()


def household(name: str, children: dict[str, str], *, school: str, email: str, at: datetime = AT) -> Family:
    """`children`: first name and level; all at one school."""
    from marelle.accounts.services import activate

    home = register_household(
        name=name,
        address=Address(street="2 place du Marché", postcode="77000", city="Valmontier"),
        guardians=[NewGuardian(first_name="Nadia", last_name=name, email=email, phone="06 00 00 00 01")],
        children=[
            NewChild(
                first_name=first,
                last_name=name,
                birth_date=date(at.year - offer.AGES[level], 1 + rank, 12),
                school=Site.objects.get(slug=school),
                level=level,
            )
            for rank, (first, level) in enumerate(children.items())
        ],
        by=PORTAL,
        at=at,
    )
    guardian = home.guardians.get()
    invite_guardian(guardian=guardian, by=PORTAL, at=at)
    guardian.refresh_from_db()
    assert guardian.user is not None
    activate(user=guardian.user, password=PASSWORD, at=at)
    return Family(home, guardian, guardian.user, list(home.children.order_by("residences__id")))


def enrol(who: Family, service: str, *sites: str, by: User, usual: tuple[int, ...] = (), at: datetime = AT) -> None:
    """Ask for the service at these sites (at their school, without one) for every child, and accept."""
    for site in sites or (None,):
        wishes = []
        for child in who.children:
            place = {"site__slug": site} if site else {"site": child.school}
            activity = Activity.objects.select_related("service", "site").get(service__slug=service, **place)
            answers = {"regime": "Standard"} if service == "restauration" else {}
            wishes.append(Wish(child=child, activity=activity, usual_weekdays=usual, answers=answers))
        asked = ask_enrolments(
            town=municipality(),
            user=who.user,
            household=who.household,
            school_year=offer.school_year(at),
            wishes=wishes,
            send_key=uuid.uuid4(),
            at=at,
            accepts=rules_of(municipality()).terms,
        )
        assert asked.request is not None and not asked.unmet, asked.unmet
        if asked.request.lines.filter(state=LineState.PENDING).exists():
            offer.accept(asked.request, by=by, at=at)


def valmontier(*, at: datetime = AT) -> Family:
    """Guide C: a canteen by the day, Wednesdays and holidays by half-days at two centres, mornings and evenings."""
    load("mon-compte-famille", at=at)
    malika = offer.agent("Malika Roux", email="malika@valmontier.example", at=at)
    who = household(
        "Benali", {"Inès": "CE2", "Tom": "CP"}, school="ecole-prevert", email="nadia@famille.example", at=at
    )
    enrol(who, "restauration", by=malika, usual=(0, 1, 3, 4), at=at)
    enrol(who, "periscolaire", by=malika, at=at)
    enrol(who, "mercredi", "accueil-du-parc", by=malika, at=at)
    enrol(who, "vacances", "accueil-du-parc", "accueil-des-rives", by=malika, at=at)
    return who


def saint_aubin(*, at: datetime = AT) -> Family:
    """Guide E: the dossier first, then activities whose days are accepted at once; nursery beside them."""
    load("tutos", at=at)
    malika = offer.agent("Malika Roux", email="malika@saint-aubin-du-port.example", at=at)
    who = household(
        "Benali", {"Inès": "CE2", "Tom": "PS"}, school="ecole-du-port", email="nadia@famille.example", at=at
    )
    dossiers.ready(who, by=malika, at=at)
    enrol(who, "cantine", by=malika, usual=(0, 1, 3, 4), at=at)
    enrol(who, "periscolaire", by=malika, at=at)
    return who


def alsh(*, at: datetime = AT) -> Family:
    """Guide D: mornings and evenings at school, asked for by period."""
    load("espace-famille-alsh", at=at)
    malika = offer.agent("Malika Roux", email="malika@rieux.example", at=at)
    who = household("Benali", {"Inès": "CE2"}, school="ecole-des-tilleuls", email="nadia@famille.example", at=at)
    enrol(who, "periscolaire", by=malika, at=at)
    enrol(who, "restauration", by=malika, usual=(0, 1, 3, 4), at=at)
    return who
