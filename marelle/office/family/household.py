"""The home: address, insurance, quotient; and what the family asked to have corrected."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.families.facts import fact_of
from marelle.families.models import FamilyQuotient
from marelle.families.queries import holds_on
from marelle.foundation.sentences import day_words
from marelle.office.family.sight import Alert, Card, Sight
from marelle.requests.corrections import pending_corrections


def home(sight: Sight) -> Card:
    """One query: the quotients, newest first."""
    quotients = list(FamilyQuotient.objects.filter(household=sight.household)[:6])
    household = sight.household
    rows = []
    for name in ("address", "insurance"):
        fact = fact_of("household", name)
        rows.append({"label": fact.label, "value": fact.words(fact.read(household, today=sight.today))})
    return Card(
        template="office/families/cards/_household.html",
        facts={
            "rows": rows,
            "quotients": [
                {"quotient": one, "words": quotient_words(one), "holds": holds_on(one, sight.today)}
                for one in quotients
            ],
        },
    )


def quotient_words(quotient: FamilyQuotient) -> str:
    """ "CAF, du dimanche 1er novembre 2026 au dimanche 31 janvier 2027"."""
    facts = {"source": quotient.get_source_display(), "first": day_words(quotient.first_day, year=True)}
    if quotient.last_day is None:
        return _("%(source)s, à compter du %(first)s") % facts
    facts["last"] = day_words(quotient.last_day, year=True)
    return _("%(source)s, du %(first)s au %(last)s") % facts


def corrections_waiting(sight: Sight) -> Iterable[Alert]:
    """One query."""
    waiting = pending_corrections(sight.household)
    numbers = list(dict.fromkeys(one.line.request.number for one in waiting.values()))
    if not numbers:
        return
    yield Alert(
        title=ngettext(
            "%(n)d changement demandé attend votre réponse.",
            "%(n)d changements demandés attendent votre réponse.",
            len(waiting),
        )
        % {"n": len(waiting)},
        text=_("Les pages montrent l’ancienne valeur jusque-là."),
        url=reverse("office:request", args=[numbers[0]]),
        action=_("Répondre"),
    )
