"""That the family may be registered twice."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from marelle.families.doubles.duplicates import near_duplicates
from marelle.families.models import DistinctHouseholds, Household, Residence
from marelle.families.permissions import households_for
from marelle.office.duplicates import SIGN_WORDS
from marelle.office.family.sight import Alert, Sight

SHOWN = 3


def perhaps_twice(sight: Sight) -> Iterable[Alert]:
    """For the agents who may compare; homes that share a child are two homes of that child, and those that an agent
    told apart are. Eight queries at most."""
    if not sight.may_write:
        return
    found = near_duplicates(sight.household)
    if not found:
        return
    seen = set(_compared(sight).filter(pk__in=[one.household.pk for one in found]).values_list("pk", flat=True))
    for one in [one for one in found if one.household.pk in seen][:SHOWN]:
        kept, gone = sorted((sight.household.pk, one.household.pk))
        yield Alert(
            title=_("Peut-être la même famille que %(name)s.") % {"name": one.household.name},
            text=", ".join(str(SIGN_WORDS[sign]) for sign in one.signs),
            url=reverse("office:merge", args=[kept, gone]),
            action=_("Comparer"),
        )


def _compared(sight: Sight) -> "QuerySet[Household]":
    here = sight.household
    sharing = Residence.objects.filter(child__residences__household=here).values("household")
    said = DistinctHouseholds.objects.filter(Q(one=here) | Q(other=here))
    return (
        households_for(sight.role, at=sight.at)
        .exclude(pk__in=sharing)
        .exclude(pk__in=said.values("one"))
        .exclude(pk__in=said.values("other"))
    )
