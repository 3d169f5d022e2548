"""The paper that goes with a correction, when the town wants one (`[corrections]` of its file)."""

from dataclasses import dataclass, field, replace
from datetime import date

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality, SchoolYear
from marelle.documents.giving import Giving, Item, judged_of
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import find_paper
from marelle.families.models import Household
from marelle.families.permissions import GuardianHttpRequest
from marelle.rules.papers import DocumentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`waits`: one was handed in already and nobody has read it yet: no other is needed."""

    item: Item
    waits: bool
    problems: list[dict[str, str]]
    giving: Giving = field(default_factory=lambda: Giving(items=[]))

    @property
    def items(self) -> list[Item]:
        return [self.item]

    def read(self, request: GuardianHttpRequest, *, today: date) -> "Proof":
        """With the file that came with the form, judged (`giving`), or with its `problems` when there is none or it is
        not good. Nothing is kept yet."""
        giving = judged_of(
            request.POST, request.FILES, items=[self.item], household=request.household, today=today
        )  # fmt: skip
        if giving.problems:
            return replace(self, item=giving.items[0], problems=giving.problems)
        if not giving.ready and not self.waits:
            error = _("Joignez ce document : une photo suffit.")
            item = replace(self.item, error=error)
            return replace(self, item=item, problems=[{"text": f"{item.name} : {error}", "href": f"#f-{item.id}"}])
        return replace(self, item=giving.items[0], giving=giving)


def proof_of(slug: str | None, *, town: Municipality, household: Household, today: date) -> Proof | None:
    """None when the town wants no paper. Two queries at most."""
    paper = find_paper(town, slug) if slug is not None else None
    if paper is None:
        return None
    year = ""
    if paper.rule().each_year:
        found = SchoolYear.objects.filter(archived_at=None, last_day__gte=today).order_by("first_day").first()
        year = found.label if found is not None else ""
    waits = SupportingDocument.objects.filter(
        household=household, paper=paper.slug, state=DocumentState.TO_REVIEW
    ).exists()
    return Proof(item=Item(paper=paper, school_year=year), waits=waits, problems=[])
