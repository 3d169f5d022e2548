"""What the kitchen and the teams need of the children who come that day: diets for everybody, PAI for whoever reads
health files. Nothing sealed is opened."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.translation import gettext as _

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.queries.counts import diets_on, plans_on
from marelle.families.permissions import children_for


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHere:
    """A child with a PAI. `household`: through which home the agent opens the file."""

    child: str
    child_id: int
    household: int
    school: str
    expired: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """`diets`: by site, "Sans porc 4, Végétarien 2"; only of those who eat something else than everybody."""

    diets: Sequence[tuple[str, str]]
    plans: Sequence[PlanHere]


def needs_on(day: date, *, town: Municipality, role: AgentRole, sites: Collection[int], at: datetime) -> Needs:
    """One query; two more for agents who read health files."""
    names = {diet.slug: diet.name for diet in rules_of(town).diets}
    common = next(iter(names), "")
    diets = []
    for site, counts in diets_on(day, sites=sites).items():
        words = [f"{names.get(slug, slug)} {n}" for slug, n in counts if slug and slug != common]
        diets.append((site, ", ".join(words) or _("Rien de particulier")))
    plans = []
    if role.reads_health:
        here = plans_on(day, sites=sites).filter(pk__in=children_for(role, at=at)).prefetch_related("residences")
        for child in here:
            home = next(iter(child.residences.all()), None)
            if home is not None:
                until = child.health_file.plan_until
                plans.append(
                    PlanHere(
                        child=str(child),
                        child_id=child.pk,
                        household=home.household_id,
                        school=str(child.school or ""),
                        expired=until is not None and until < day,
                    )
                )
    return Needs(diets=diets, plans=plans)
