"""Every page of the portal by its address, and a town in which each has something to show."""

import uuid
from datetime import date

from marelle.accounts.models import AgentRole, User
from marelle.bookings.queries.closures import Reach
from marelle.bookings.services.closures import close_days
from marelle.families.circle.authorised import Said, authorise
from marelle.families.circle.contacts import save_contact
from marelle.foundation.models import MailState, OutboxMail
from tests import offer
from tests.communication.news import draft, publish
from tests.security.world import handed_in, import_ready, moved, round_tomorrow


def town() -> User:
    """Cadours and an agent who may read health files."""
    offer.cadours()
    malika = offer.agent("Malika Roux", email="malika@cadours.example")
    AgentRole.objects.filter(user=malika).update(reads_health=True)
    return malika


def day(number: int) -> date:
    return date(2026, 11, number)


def life_of(who: offer.Family, malika: User) -> dict[str, object]:
    """What a month can show of a family: days and requests of every state, a choice not sent, a health file, somebody
    who fetches, a paper, a correction. Gives what stands between braces in the addresses below."""
    for service in ("cantine", "mercredi", "garderie"):
        offer.enrolled(who, service, by=malika)
    offer.booked(who, [day(12), day(13), day(16), day(17), day(23)], by=malika)
    offer.booked(who, [day(10)], by=malika, at=offer.paris(2026, 11, 6))
    absence = offer.absent(who, day(10), children=who.children[:1], at=offer.paris(2026, 11, 10, 8))
    pending = offer.booked(who, [day(19)])
    offer.refuse(offer.booked(who, [day(20)]), "La classe part en sortie.", by=malika)
    cancelling = offer.send(who, offer.choose(who, [day(23)], wanted=False)).request
    assert cancelling is not None
    offer.choose(who, [day(26), day(27)])
    offer.ask(who, "petites-vacances")
    offer.healthy(who)
    said = Said(name="Karim Haddad", link="voisin", phone="06 00 00 00 04", children=who.children)
    person = authorise(id=uuid.uuid4(), household=who.household, said=said, by=who.user, at=offer.AT)
    contact = save_contact(
        id=uuid.uuid4(), household=who.household, children=who.children, name="Samira Benali", link="grand-mère",
        phone="06 00 00 00 03", by=who.user, at=offer.AT,
    )  # fmt: skip
    document = handed_in(who)
    return {
        "child": who.children[0].pk,
        "person": str(person.pk),
        "contact": str(contact.pk),
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
    }


def around(malika: User) -> dict[str, object]:
    """What the town has beside its families: an import, invitations, a mail that failed, a strike, news."""
    run, scheduled = import_ready(malika), round_tomorrow(malika)
    failed = OutboxMail.objects.first()
    assert failed is not None
    OutboxMail.objects.filter(pk=failed.pk).update(state=MailState.FAILED, error="Boîte pleine")
    strike = close_days(
        kind="strike", reach=Reach(), days=[day(24)], words="Grève nationale.", key=uuid.uuid4(), by=malika, at=offer.AT
    ).closure
    return {
        "closure": strike.pk,
        "news": publish("Grève mardi", by=malika, urgent=True, summary="Pas de cantine.", body="## Qui ?\n\n- Tous").pk,
        "draft": draft(by=malika).pk,
        "run": run.pk,
        "round": scheduled.pk,
    }


def prepare() -> dict[str, object]:
    """A family with everything that a month can show, and one at its first visit."""
    malika = town()
    who = offer.family(email="nadia@famille.example")
    facts = life_of(who, malika)
    newcomer = offer.family("Moreau", [("Léo", "CP")], first_name="Julien", email="julien@famille.example")
    return {**facts, **around(malika), "newcomer": newcomer.household.pk}


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
