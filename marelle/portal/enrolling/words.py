"""What a service requires, said to a family: what it is, where it stands, and where to go."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.models import Enrolment
from marelle.families.models import Child
from marelle.foundation.sentences import day_words
from marelle.rules.prerequisites import Item, Kind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Why something stands in the way, without a full stop, and the page that does something about it."""

    why: str
    url: str = ""
    action: str = ""


def name_of(item: Item, town: Municipality, *, year: str = "") -> str:
    """What is required, as a title: "Fiche santé", "Attestation d’assurance scolaire"."""
    rules = rules_of(town)
    match item.kind:
        case Kind.HEALTH:
            return _("Fiche santé")
        case Kind.DOSSIER:
            return _("Inscription à l’école")
        case Kind.PAPER:
            paper = next((one for one in rules.papers if one.slug == item.subject), None)
            if paper is None:
                return item.subject
            return f"{paper.name} {year}" if year and paper.rule().each_year else paper.name
        case Kind.QUESTION:
            return next((one.label for one in rules.questions if one.slug == item.subject), item.subject)
        case Kind.TERMS:
            return next((one.name for one in rules.terms if one.slug == item.subject), item.subject)


def way_out(item: Item, *, child: Child, year: str, dossiers: Mapping[int, Enrolment], town: Municipality) -> Way:
    """What to say of a thing that hinders, and where to go: the health file and the school dossier have pages of their
    own; the rest is a step."""
    if item.kind is Kind.HEALTH:
        if item.state is State.OUTDATED:
            words, action = _("La fiche santé de %(name)s est à confirmer pour cette année"), _("Confirmer")
        else:
            words, action = _("La fiche santé de %(name)s n’est pas remplie"), _("Remplir")
        return Way(why=words % {"name": child.first_name}, url=health_url(child), action=action)
    if item.kind is Kind.DOSSIER:
        return _dossier(item, child=child, year=year, dossier=dossiers.get(child.pk))
    return Way(why=_("%(what)s : à donner") % {"what": name_of(item, town, year=year)})


def _dossier(item: Item, *, child: Child, year: str, dossier: Enrolment | None) -> Way:
    ask = f"{reverse('portal:enrol')}?annee={year}"
    match item.state:
        case State.WAITING:
            url = reverse("portal:request", args=[dossier.line.request.number]) if dossier else ""
            return Way(
                why=_("Possible dès que l’inscription à l’école est acceptée"), url=url, action=_("Voir la demande")
            )
        case State.INCOMPLETE:
            url = reverse("portal:complete", args=[dossier.line.request.number]) if dossier else ""
            return Way(why=_("L’inscription à l’école est à compléter"), url=url, action=_("Compléter"))
        case State.REFUSED:
            return Way(why=_("L’inscription à l’école est refusée"), url=ask, action=_("Redemander"))
        case _:
            words = _("L’inscription de %(name)s à l’école vient d’abord")
            return Way(why=words % {"name": child.first_name}, url=ask, action=_("Inscrire à l’école"))


def health_url(child: Child) -> str:
    """The page on which the health file of a child is brought up to date."""
    return reverse("portal:health", args=[child.pk])


def wait_words(item: Item) -> str:
    """ "peut attendre le vendredi 11 décembre", "" for what may not wait."""
    if item.waits_until is None:
        return ""
    return _("peut attendre le %(day)s") % {"day": day_words(item.waits_until)}
