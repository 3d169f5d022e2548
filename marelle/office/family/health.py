"""What an agent who reads health files knows of them without opening any."""

from collections import Counter
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marelle.families.models import ForbiddenPerson
from marelle.families.queries import HealthStanding, HealthState, health_standing, year_of
from marelle.foundation.sentences import day_words
from marelle.office.family.sight import Mark, Sight

NO_FILE = Mark(word=gettext_lazy("Fiche santé à remplir"), icon="heart-pulse", css="stop")
OLD_FILE = Mark(word=gettext_lazy("Fiche santé à confirmer"), icon="heart-pulse", css="wait")


def health_marks(sight: Sight) -> Mapping[int, Sequence[Mark]]:
    """The file, the PAI and until when, who is forbidden: two queries; nothing for agents who read no health file."""
    year = year_of(sight.town, today=sight.today)
    if not sight.role.reads_health or year is None:
        return {}
    standings = health_standing(sight.children, year, today=sight.today)
    forbidden = Counter(
        ForbiddenPerson.objects.filter(child__in=sight.children, lifted_at=None).values_list("child_id", flat=True)
    )
    return {child.pk: [*_of_file(standings[child.pk]), *_of_forbidden(forbidden[child.pk])] for child in sight.children}


def _of_file(standing: HealthStanding) -> list[Mark]:
    if standing.state is HealthState.MISSING:
        return [NO_FILE]
    marks = [OLD_FILE] if standing.state is HealthState.OUTDATED else []
    if standing.has_plan and standing.plan_until is not None:
        day = day_words(standing.plan_until, year=True)
        if standing.plan_expired:
            marks.append(Mark(word=_("PAI expiré le %(day)s") % {"day": day}, icon="heart-pulse", css="stop"))
        else:
            marks.append(Mark(word=_("PAI jusqu’au %(day)s") % {"day": day}, icon="heart-pulse", css="brand"))
    elif standing.is_up_to_date:
        marks.append(Mark(word=_("Aucun PAI"), icon="circle-check", css="ok"))
    return marks


def _of_forbidden(count: int) -> list[Mark]:
    words = ngettext("%(n)d personne interdite", "%(n)d personnes interdites", count) % {"n": count}
    return [Mark(word=words, icon="ban", css="stop")] if count else []
