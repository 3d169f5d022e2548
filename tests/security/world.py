"""A town with a family, its neighbours and its agents: who may go where, and what comes back of what is badly typed."""

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction
from django.test import Client
from pytest_django import Settings

from marelle.accounts.models import AgentRole, User
from marelle.accounts.services import activate, register_agent
from marelle.activities.models import Site
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.models import BasketLine, Closure
from marelle.bookings.queries.closures import Reach
from marelle.bookings.services.closures import close_days
from marelle.communication.models import NewsPost
from marelle.demo.models import DeliveredMail
from marelle.documents.models import SupportingDocument
from marelle.documents.services import hand_in
from marelle.families.circle.authorised import Said, authorise
from marelle.families.circle.contacts import save_contact
from marelle.families.circle.forbidden import forbid
from marelle.families.imports.saving import advance, begin_import, match_columns
from marelle.families.joining.adults import invite_adult
from marelle.families.joining.invitations import schedule_round
from marelle.families.models import (
    AdultInvitation,
    AuthorisedPerson,
    EmergencyContact,
    ForbiddenPerson,
    Guardian,
    Household,
    ImportRun,
    InvitationRound,
    Residence,
)
from marelle.families.services import Address, NewGuardian, invite_guardian, register_household
from marelle.foundation import outbox
from marelle.foundation.audit import PORTAL
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import MailState, OutboxMail
from marelle.requests.corrections import Change, ask_corrections
from marelle.requests.models import FamilyRequest
from tests.communication import news
from tests.offer import AT, PASSWORD, Family, absent, agent, booked, cadours, choose, enrolled, family, paris

MONDAY, TUESDAY, THURSDAY = date(2026, 11, 16), date(2026, 11, 17), date(2026, 11, 12)


@dataclass(frozen=True, slots=True)
class World:
    """`benali` have one child, Inès, at the elementary school, and one request waiting (`request`), an absence
    announced on a day that has not begun (`absence`), one choice not sent (`line`), one e-mail that did not
    leave (`mail`). `elsewhere` is Inès's other home, `closure` one of Inès's
    school."""

    benali: Family
    moreau: Family
    elsewhere: Family
    malika: User  # agent of all sites
    sami: User  # agent of the nursery school only
    request: FamilyRequest
    absence: FamilyRequest
    correction: FamilyRequest  # a new address of the Benali, waiting
    line: BasketLine
    mail: OutboxMail
    delivered: DeliveredMail
    run: ImportRun  # a spreadsheet ready to be saved
    round: InvitationRound  # to leave tomorrow
    closure: Closure
    invited: AdultInvitation  # by the Benali
    news: NewsPost  # online, for the families of Inès's school
    draft: NewsPost  # for them too, not published
    document: SupportingDocument  # of the first home, about Inès; nobody answered it
    forbidden: ForbiddenPerson  # who may not fetch Inès
    person: AuthorisedPerson  # whom the Benali let fetch Inès
    contact: EmergencyContact  # whom they ask to be called

    @property
    def people(self) -> dict[str, User | None]:
        return {
            "anonymous": None,
            "family": self.benali.user,
            "other family": self.moreau.user,
            "other home": self.elsewhere.user,
            "agent": self.malika,
            "agent elsewhere": self.sami,
        }

    def client(self, who: str, **options: bool) -> Client:
        client = Client(raise_request_exception=False, **options)
        user = self.people[who]
        if user is not None:
            client.force_login(user)
        return client


def agent_of(site: Site, name: str = "Sami Petit") -> User:
    user = register_agent(
        name=name,
        email=f"{name.split()[0].lower()}@cadours.example",
        kind=AgentRole.Kind.OFFICE,
        by=PORTAL,
        at=AT,
        sites=[site],
    )
    activate(user=user, password=PASSWORD, at=AT)
    return user


def other_home(of: Family, *, name: str = "Lopez") -> Family:
    """Another household in which the family's children live too."""
    household: Household = register_household(
        name=name,
        address=Address(city="Cadours"),
        guardians=[NewGuardian(first_name="Paul", last_name=name, email=f"paul.{name.lower()}@famille.example")],
        children=of.children,
        by=PORTAL,
        at=AT,
    )
    guardian: Guardian = household.guardians.get()
    invite_guardian(guardian=guardian, by=PORTAL, at=AT)
    guardian.refresh_from_db()
    assert guardian.user is not None
    activate(user=guardian.user, password=PASSWORD, at=AT)
    assert Residence.objects.filter(child=of.children[0]).count() == 2
    return Family(household, guardian, guardian.user, of.children)


SPREADSHEET = b"""Nom enfant;Pr\xc3\xa9nom enfant;Date de naissance;Nom responsable 1;Pr\xc3\xa9nom responsable 1
Aubry;Lou;01/02/2019;Aubry;Jeanne
"""


def import_ready(by: User) -> ImportRun:
    run = begin_import(
        files=[("familles.csv", SPREADSHEET)],
        school=Site.objects.get(slug="ecole-elementaire"),
        by=by.actor(as_agent=True),
        at=AT,
    )
    return advance(match_columns(run=run, matching=run.matching, at=AT), at=AT)


def round_tomorrow(by: User) -> InvitationRound:
    return schedule_round(
        send_key=uuid.uuid4(), schools=[], classes=[], due_at=AT + timedelta(days=1), by=by.actor(), at=AT
    )


def handed_in(who: Family) -> SupportingDocument:
    return hand_in(
        household=who.household,
        paper=rules_of(municipality()).paper("assurance-scolaire"),
        judged=Judged(FileKind.PICTURE, b"\xff\xd8\xff"),
        name="assurance.jpg",
        child=who.children[0],
        school_year="2026-2027",
        by=who.user,
        at=AT,
    )


def moved(who: Family) -> FamilyRequest:
    """The family asks for a new address."""
    request = ask_corrections(
        household=who.household,
        changes=[
            Change(
                subject=who.household,
                field="address",
                after={"address": "12 rue Neuve", "postcode": "31480", "city": "Cadours"},
            )
        ],
        by=who.user,
        at=AT,
        send_key=uuid.uuid4(),
    )
    assert request is not None
    return request


def world(settings: Settings) -> World:
    settings.CLOCK = (AT, datetime.now(UTC))
    cadours()
    malika = agent()
    AgentRole.objects.filter(user=malika).update(reads_health=True)
    benali = family(children=[("Inès", "CE2")])
    moreau = family("Moreau", children=[("Léo", "GS")], first_name="Julien")
    elsewhere = other_home(benali)
    for who in (benali, moreau, elsewhere):
        enrolled(who, by=malika)
    request = booked(benali, [MONDAY])
    booked(benali, [THURSDAY], by=malika)
    absence = absent(benali, THURSDAY, at=paris(2026, 11, 12, 8))
    choose(benali, [TUESDAY])
    with transaction.atomic():
        mail = outbox.post(
            kind="accounts/code", to_address=benali.email, at=AT, household_id=benali.household.pk, context={"next": ""}
        )
    OutboxMail.objects.filter(pk=mail.pk).update(state=MailState.FAILED, subject="Pour les Benali")
    mail.refresh_from_db()
    return World(
        benali=benali,
        moreau=moreau,
        elsewhere=elsewhere,
        malika=malika,
        sami=agent_of(Site.objects.get(slug="ecole-maternelle")),
        request=request,
        absence=absence,
        correction=moved(benali),
        line=BasketLine.objects.get(),
        mail=mail,
        closure=close_days(
            kind="closure",
            reach=Reach(site_id=Site.objects.get(slug="ecole-elementaire").pk),
            days=[date(2026, 12, 17)],
            words="",
            key=uuid.uuid4(),
            by=malika,
            at=AT,
        ).closure,
        news=news.publish(by=malika, sites=["ecole-elementaire"]),
        draft=news.draft(by=malika, sites=["ecole-elementaire"]),
        delivered=DeliveredMail.objects.create(
            message_id="<1@x>", from_address="a@example.org", to_address="b@example.org", subject="Bonjour",
            text="Bonjour", html="<html><head></head>Bonjour</html>", delivered_at=AT,
        ),
        document=handed_in(benali),
        run=import_ready(malika),
        invited=invite_adult(
            household=benali.household, first_name="Sam", last_name="Benali", email="sam@famille.example",
            by=benali.user, at=AT,
        ),
        round=round_tomorrow(malika),
        forbidden=forbid(
            id=uuid.uuid4(), child=benali.children[0], name="Marc Zorn", note="Jugement", by=malika, at=AT
        ),
        person=authorise(
            id=uuid.uuid4(), household=benali.household, by=benali.user, at=AT,
            said=Said(name="Karim Haddad", link="voisin", phone="06 00 00 00 04", children=benali.children),
        ),
        contact=save_contact(
            id=uuid.uuid4(), household=benali.household, children=benali.children, name="Samira Benali",
            link="grand-mère", phone="06 00 00 00 03", by=benali.user, at=AT,
        ),
    )  # fmt: skip
