"""Every page, as everybody: nothing for axe to find, nothing sticking out, no stranger let in."""

from datetime import date

import pytest
from playwright.sync_api import Page

from tests import offer
from tests.e2e.people import sign_in

pytestmark = pytest.mark.e2e


def prepare() -> dict[str, object]:
    """A family with everything that a month can show, and another one; requests of every state; a mail that failed."""
    offer.cadours()
    malika = offer.agent("Malika Roux", email="malika@cadours.example")
    who = offer.family(email="nadia@famille.example")
    for service in ("cantine", "mercredi", "garderie"):
        offer.enrolled(who, service, by=malika)

    def day(number: int) -> date:
        return date(2026, 11, number)

    offer.booked(who, [day(12), day(13), day(16), day(17), day(23)], by=malika)
    offer.booked(who, [day(10)], by=malika, at=offer.paris(2026, 11, 6))
    absence = offer.absent(who, day(10), children=who.children[:1], at=offer.paris(2026, 11, 10, 8))
    pending = offer.booked(who, [day(19)])
    offer.refuse(offer.booked(who, [day(20)]), "La classe part en sortie.", by=malika)
    cancelling = offer.send(who, offer.choose(who, [day(23)], wanted=False)).request
    offer.choose(who, [day(26), day(27)])
    offer.ask(who, "petites-vacances")
    newcomer = offer.family("Moreau", [("Léo", "CP")], first_name="Julien", email="julien@famille.example")
    assert cancelling is not None
    from marelle.foundation.models import MailState, OutboxMail
    from tests.communication.news import draft, publish
    from tests.security.world import import_ready, moved, round_tomorrow

    run, scheduled = import_ready(malika), round_tomorrow(malika)
    failed = OutboxMail.objects.first()
    assert failed is not None
    OutboxMail.objects.filter(pk=failed.pk).update(state=MailState.FAILED, error="Boîte pleine")
    import uuid

    from marelle.bookings.queries.closures import Reach
    from marelle.bookings.services.closures import close_days

    strike = close_days(
        kind="strike", reach=Reach(), days=[day(24)], words="Grève nationale.", key=uuid.uuid4(), by=malika, at=offer.AT
    ).closure
    from tests.security.world import handed_in

    document = handed_in(who)
    return {
        "closure": strike.pk,
        "child": who.children[0].pk,
        **around(who, malika),
        "news": publish("Grève mardi", by=malika, urgent=True, summary="Pas de cantine.", body="## Qui ?\n\n- Tous").pk,
        "draft": draft(by=malika).pk,
        "pending": pending.number,
        "place": pending.lines.all()[0].bookings.all()[0].pk,
        "cancelling": cancelling.number,
        "absence": absence.number,
        "household": who.household.pk,
        "guardian": who.guardian.pk,
        "enrolment": offer.enrolments(who, "garderie")[0].pk,
        "document": str(document.pk),
        "paper": document.review.request.number if document.review else "",
        "correction": moved(who).number,
        "newcomer": newcomer.household.pk,
        "run": run.pk,
        "round": scheduled.pk,
    }


def around(who: offer.Family, agent: offer.User) -> dict[str, object]:
    """A health file, somebody who fetches the children, a contact; an agent who reads health files."""
    import uuid

    from marelle.accounts.models import AgentRole
    from marelle.families.circle.authorised import Said, authorise
    from marelle.families.circle.contacts import save_contact

    offer.healthy(who)
    AgentRole.objects.filter(user=agent).update(reads_health=True)
    said = Said(name="Karim Haddad", link="voisin", phone="06 00 00 00 04", children=who.children)
    person = authorise(id=uuid.uuid4(), household=who.household, said=said, by=who.user, at=offer.AT)
    contact = save_contact(
        id=uuid.uuid4(), household=who.household, children=who.children, name="Samira Benali", link="grand-mère",
        phone="06 00 00 00 03", by=who.user, at=offer.AT,
    )  # fmt: skip
    return {"person": str(person.pk), "contact": str(contact.pk)}


FAMILY = [
    "/",
    "/planning/cantine/?mois=2026-11",
    "/planning/cantine/?mois=2026-11&tout=1",
    "/planning/mercredi/",
    "/planning/garderie/",
    "/planning/petites-vacances/",
    "/planning/cantine/semaine-type/",
    "/planning/cantine/?vue=periode&periode=annee",
    "/planning/cantine/?vue=semaine&semaine=2026-11-16",
    "/planning/cantine/periode/",
    "/planning/cantine/jour/2026-11-19/",
    "/planning/mercredi/jour/2026-11-18/",
    "/planning/mercredi/lieu/",
    "/planning/verifier/",
    "/demarches/",
    "/demarches/inscription/",
    "/demarches/inscription/services/",
    "/demarches/inscriptions/",
    "/demarches/inscriptions/{enrolment}/",
    "/demarches/inscriptions/{enrolment}/modifier/",
    "/demarches/inscriptions/{enrolment}/terminer/",
    "/demarches/dossier/{child}/",
    "/demarches/absence/",
    "/demarches/demande/ecrire/",
    "/demarches/attestations/",
    "/demarches/demande/dispense-medicale/",
    "/demandes/{pending}/",
    "/demandes/{cancelling}/",
    "/demandes/{absence}/",
    "/demandes/{absence}/annuler-absence/",
    "/demandes/{pending}/retirer/",
    "/places/{place}/",
    "/famille/",
    "/famille/historique/",
    "/famille/enfants/{child}/",
    "/famille/enfants/{child}/repas/",
    "/famille/enfants/{child}/autorisations/",
    "/famille/enfants/{child}/sante/",
    "/famille/enfants/{child}/sante/modifier/",
    "/famille/enfants/{child}/sante/lectures/",
    "/famille/personnes/nouvelle/?jour=2026-11-12",
    "/famille/personnes/{person}/",
    "/famille/contacts/nouveau/",
    "/famille/contacts/{contact}/",
    "/documents/",
    "/documents/{document}/retirer/",
    "/compte/",
    "/compte/mot-de-passe/",
    "/compte/adresse/",
    "/compte/deuxieme-etape/",
    "/compte/preuve/",
    "/famille/inviter/",
    "/famille/moi/",
    "/famille/moi/lien/",
    "/famille/mes-e-mails/",
    "/famille/adresse/",
    "/famille/assurance/",
    "/famille/quotient/",
    "/famille/enfants/{child}/identite/",
    "/demandes/{correction}/",
    "/actualites/",
    "/actualites/?q=rien",
    "/actualites/{news}/",
    "/aide/",
    "/conditions-d-utilisation/",
    "/mentions-legales/",
    "/donnees-personnelles/",
    "/accessibilite/",
    "/deconnexion/",
]
NEWCOMER = ["/", "/planning/", "/planning/cantine/", "/demarches/", "/demarches/inscription/"]
AGENT = [
    "/agents/",
    "/agents/?jour=2026-11-11",
    "/agents/demandes/",
    "/agents/demandes/{pending}/",
    "/agents/demandes/{cancelling}/",
    "/agents/demandes/{absence}/",
    "/agents/demandes/{paper}/",
    "/agents/demandes/{correction}/",
    "/agents/demandes/raccourcis/",
    "/agents/attente/mercredi/2026-11-18/",
    "/agents/familles/{household}/planning/cantine/?mois=2026-11",
    "/agents/familles/{household}/planning/mercredi/",
    "/agents/familles/",
    "/agents/familles/nouvelle/",
    "/agents/familles/{household}/",
    "/agents/familles/{household}/enfants/{child}/sante/",
    "/agents/familles/{household}/enfants/{child}/interdits/",
    "/agents/familles/{household}/?voir=demandes",
    "/agents/familles/{household}/corriger/?quoi=foyer",
    "/agents/familles/{household}/corriger/?quoi=quotient",
    "/agents/familles/{household}/corriger/?quoi=place-{guardian}",
    "/agents/familles/{household}/adulte/?q=moreau",
    "/agents/familles/{household}/adultes/{guardian}/retirer/",
    "/agents/familles/{household}/appel/",
    "/agents/familles/doublons/",
    "/agents/familles/doublons/{household}/{newcomer}/",
    "/agents/familles/{household}/enfant/?q=moreau",
    "/agents/familles/{household}/pieces/",
    "/agents/familles/{household}/pieces/?donner=attestation-caf.h.-.0",
    "/agents/familles/inviter/",
    "/agents/familles/inviter/{round}/",
    "/agents/familles/imports/",
    "/agents/familles/imports/{run}/",
    "/agents/familles/imports/{run}/?voir=changements",
    "/agents/familles/imports/{run}/colonnes/",
    "/agents/ouvertures/",
    "/agents/fermetures/",
    "/agents/fermetures/nouvelle/",
    "/agents/fermetures/nouvelle/?kind=outing&whom=commune&first_day=2026-11-17&last_day=&words=Sortie",
    "/agents/fermetures/nouvelle/?kind=outing&whom=&first_day=&last_day=&words=",
    "/agents/fermetures/{closure}/",
    "/agents/fermetures/{closure}/annuler/",
    "/agents/actualites/",
    "/agents/actualites/nouvelle/",
    "/agents/actualites/{news}/",
    "/agents/actualites/{draft}/supprimer/",
    "/agents/e-mails/",
    "/compte/",
    "/compte/deuxieme-etape/",
]
NOBODY = [
    "/connexion/",
    "/connexion/mot-de-passe/",
    "/boite-aux-lettres/",
    "/aide/",
    "/rien/",
    "/verifier/",
    "/verifier/AAAA-BBBB-CCCC/",
]
NOTHING_THERE = {"/rien/", "/verifier/AAAA-BBBB-CCCC/"}
PEOPLE = {
    "nobody": (None, NOBODY),
    "family": ("nadia@famille.example", FAMILY),
    "newcomer": ("julien@famille.example", NEWCOMER),
    "agent": ("malika@cadours.example", AGENT),
}


def arrive(page: Page, email: str | None) -> None:
    if email:
        sign_in(page, email)


AT_ONCE = 10  # pages of one test: both workers have some until the end
VISITS = [
    pytest.param(email, paths[first : first + AT_ONCE], id=f"{person}-{first // AT_ONCE + 1}")
    for person, (email, paths) in PEOPLE.items()
    for first in range(0, len(paths), AT_ONCE)
]
BEYOND = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("email", "paths"), VISITS)
def test_axe_finds_nothing_and_nothing_sticks_out(live_portal, visit, axe, email, paths) -> None:  # type: ignore[no-untyped-def]
    """Each page is loaded once: light on a laptop, dark on a phone, and at the narrowest."""
    portal = live_portal(prepare, at=offer.AT)
    page: Page = visit(portal)
    arrive(page, email)
    wide = []
    for path in paths:
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        answer = page.goto(path.format(**portal.facts))
        assert answer is not None
        assert answer.status == (404 if path in NOTHING_THERE else 200), path
        for width, theme in ((1280, "light"), (390, "dark"), (320, None)):
            page.set_viewport_size({"width": width, "height": 844})
            if theme:
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
                axe(page)
            if (beyond := page.evaluate(BEYOND)) > 0:
                wide.append((path, width, beyond))
    assert wide == []
