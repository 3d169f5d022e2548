"""What is said, beside the grid, of days chosen that the town's rules do not allow together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marelle.activities.models import Municipality, Service
from marelle.activities.queries import rules_of
from marelle.bookings.models import BasketLine
from marelle.bookings.queries.days import Days
from marelle.bookings.services.sending import judge_lines
from marelle.foundation.components.grid import Kid
from marelle.foundation.sentences import combination_words, day_words, sentence
from marelle.requests.models import Act
from marelle.rules.combinations import REASONS
from marelle.rules.decisions import Refused


@dataclass(frozen=True, slots=True)
class RuleClash:
    """A choice that cannot be sent as it stands; `key`: its tile's."""

    key: str
    day: str
    name: str
    unit: str
    adds: bool
    text: str

    @property
    def anchor(self) -> str:
        return f"regle-{self.key}"


def rule_clashes(
    lines: Sequence[BasketLine], days: Days, *, town: Municipality, kids: Mapping[int, Kid]
) -> tuple[RuleClash, ...]:
    """The choices that the rules of combination refuse, in the order of the days. `days` holds all that `reach` names
    for them."""
    verdicts = judge_lines(lines, days)
    units = {unit.id: unit.name for listed in days.units.values() for unit in listed}
    found = []
    for line in sorted(lines, key=lambda line: (line.date, line.child_id, line.unit_id)):
        verdict = verdicts[line.id]
        kid = kids.get(line.child_id)
        if kid is not None and isinstance(verdict, Refused) and verdict.reason in REASONS:
            found.append(
                RuleClash(
                    key=f"{line.child_id}.{line.unit_id}.{line.date.isoformat()}",
                    day=day_words(line.date),
                    name=kid.name,
                    unit=units.get(line.unit_id, ""),
                    adds=line.act == Act.BOOK,
                    text=sentence(verdict, town.tz),
                )
            )
    return tuple(found)


def rule_words(town: Municipality, service: Service) -> list[str]:
    """The town's own rules of combination for this service, one sentence each."""
    try:
        said = rules_of(town).service(service.slug)
    except KeyError:
        return []
    names = {unit.slug: unit.name for unit in said.units}
    return [combination_words(rule.rule_of(), names) for rule in said.combinations]
