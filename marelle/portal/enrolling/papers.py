"""The step of documents: only what is missing, over or refused; what an agent has is told, and asked no more."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from marelle.documents.giving import Giving, Item, give
from marelle.families.models import Guardian
from marelle.families.permissions import GuardianHttpRequest
from marelle.portal.enrolling.wizard import Wanted, Wizard


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """`to_give`: each with its item of the form; `given`: what waits for an agent."""

    to_give: tuple[tuple[Item, Wanted], ...]
    given: tuple[Item, ...]

    @property
    def items(self) -> list[Item]:
        return [item for item, _wanted in self.to_give]

    @property
    def needed(self) -> list[Item]:
        """What holds the step."""
        return [item for item, wanted in self.to_give if wanted.is_needed_now]

    @property
    def later(self) -> list[tuple[Item, str]]:
        """What may wait, and until when."""
        return [(item, wanted.wait_words) for item, wanted in self.to_give if not wanted.is_needed_now]

    def with_errors(self, wrong: Mapping[str, Item]) -> "Papers":
        return replace(self, to_give=tuple((wrong.get(item.key, item), wanted) for item, wanted in self.to_give))


def papers_of(wizard: Wizard) -> Papers:
    guardians = {
        guardian.pk: guardian
        for guardian in Guardian.objects.filter(
            pk__in=[wanted.subject.guardian for wanted in wizard.papers if wanted.subject.guardian]
        )
    }
    children = {one.id: one for one in wizard.chosen}
    to_give, given = [], []
    for wanted in wizard.papers:
        one = children.get(wanted.subject.child or 0)
        item = Item(
            paper=wanted.paper,
            school_year=wizard.year.label if wanted.paper.rule().each_year else "",
            child=one.child if one is not None else None,
            guardian=guardians.get(wanted.subject.guardian or 0),
            standing=wanted.standing,
            kid=one.kid if one is not None else None,
            services=wanted.services,
        )
        if wanted.standing.is_given:
            given.append(item)
        else:
            to_give.append((item, wanted))
    return Papers(to_give=tuple(to_give), given=tuple(given))


def give_papers(papers: Papers, request: GuardianHttpRequest, wizard: Wizard) -> Giving:
    return give(
        request.POST,
        request.FILES,
        items=papers.items,
        household=wizard.household,
        by=request.user,
        at=request.at,
        today=wizard.today,
    )
