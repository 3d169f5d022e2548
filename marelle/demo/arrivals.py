"""A family that came by itself, and waits for an agent: its telephone is one that the town knows already, for the agent
to wonder about."""

import uuid
from datetime import date, datetime, timedelta

from marelle.accounts.models import User
from marelle.activities.models import Municipality, Site
from marelle.activities.queries import takes_new_accounts
from marelle.demo.accounts import PASSWORD
from marelle.demo.dossiers import picture
from marelle.demo.people import AGES, DOMAIN
from marelle.documents.services.arrivals import proof_of_address, send_dossier
from marelle.families.joining.newcomers import found_household
from marelle.families.models import Guardian
from marelle.families.services import Address, NewChild, NewGuardian
from marelle.requests.models import FamilyRequest, RequestKind
from marelle.requests.services import Verdict, answer
from marelle.rules.lifecycles import RequestState

AGO, LONG = timedelta(hours=20), timedelta(days=2)


def arrive(town: Municipality, *, malika: User, at: datetime) -> bool:
    """Let one family come, once; days later, Malika has accepted it. False where the town takes none."""
    if not takes_new_accounts(town):
        return False
    come = FamilyRequest.objects.filter(kind=RequestKind.ACCOUNT).first()
    if come is not None:
        if come.state == RequestState.SENT and come.sent_at < at - LONG:
            moment = come.sent_at + LONG
            answer(
                request_id=come.pk,
                verdicts={line.pk: Verdict(accept=True) for line in come.lines.all()},
                by=malika,
                at=moment,
            )
        return True
    moment = at - AGO
    school = Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None).first()
    level = school.levels[0] if school is not None and school.levels else ""
    known = Guardian.objects.exclude(phone="").order_by("-id").first()
    user = found_household(
        guardian=NewGuardian(
            first_name="Maud",
            last_name="Kerbrat",
            email=f"maud.kerbrat@{DOMAIN}",
            phone=known.phone if known is not None else "06 00 00 00 99",
        ),
        address=Address(street="11 chemin des Vignes", postcode="31480", city=town.short_name or town.name),
        children=[
            NewChild(
                first_name="Yann",
                last_name="Kerbrat",
                birth_date=date(at.year - AGES.get(level, 6), 4, 9),
                school=school,
                level=level,
            )
        ],
        password=PASSWORD,
        at=moment,
    )
    household = user.guardian.households.get()
    paper = proof_of_address(town)
    send_dossier(
        household=household,
        town=town,
        by=user,
        at=moment,
        send_key=uuid.uuid5(uuid.NAMESPACE_OID, f"{town.slug} {household.pk}"),
        judged=picture(paper.name) if paper is not None else None,
        file_name="justificatif.jpg",
        issued_on=(moment - timedelta(days=30)).date() if paper is not None else None,
    )
    return True
