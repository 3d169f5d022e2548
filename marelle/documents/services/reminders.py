"""What a family is told of without having asked: a document that ends soon, a refusal that stayed without another."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from marelle.activities.models import Municipality
from marelle.activities.queries import municipality, rules_of
from marelle.documents import notifications
from marelle.documents.models import SupportingDocument
from marelle.documents.queries import latest_of
from marelle.documents.services.handing_in import lock_papers_of
from marelle.families.models import Household
from marelle.rules.papers import DocumentState, PaperState
from marelle.rules.reminders import by_day

#: A refusal is recalled once, when nothing came after it for so long,
UNANSWERED = timedelta(days=7)
#: and no more when it is older than that: the portal may have slept.
FORGOTTEN = timedelta(days=60)


def tick(*, at: datetime) -> int:
    """Tell each home once of its documents that end soon, and of its refusals; how many documents were told of. Never
    at night. May run in several workers at once, and as often as one likes."""
    if not SupportingDocument.objects.exists():
        return 0
    town = municipality()
    if not by_day(at, town.tz):
        return 0
    homes: dict[int, list[SupportingDocument]] = defaultdict(list)
    for document in due(town=town, at=at):
        homes[document.household_id].append(document)
    return sum(tell(household_id=home, town=town, at=at) for home in sorted(homes))


def due(*, town: Municipality, at: datetime, household_id: int | None = None) -> list[SupportingDocument]:
    """The documents to tell of: three queries, whatever their number."""
    near = _near(town=town, at=at)
    if household_id is not None:
        near = near.filter(household=household_id)
    today = at.astimezone(town.tz).date()
    documents = list(near.select_related("child", "guardian", "household").order_by("household_id", "handed_at", "id"))
    standings = latest_of(documents, town=town, on=today)
    return [
        document
        for document in documents
        if (standing := standings.get(document.pk)) is not None
        and (
            (standing.state is PaperState.EXPIRING and document.told_end != document.valid_until)
            or (standing.state is PaperState.REFUSED and document.told_refusal_at is None)
        )
    ]


@transaction.atomic
def tell(*, household_id: int, town: Municipality, at: datetime) -> int:
    """One e-mail for each guardian of this home. What another worker told of, or the family answered meanwhile, is read
    again after the lock and left alone."""
    household = Household.objects.get(pk=household_id)
    lock_papers_of(household)
    documents = due(town=town, at=at, household_id=household_id)
    if not documents:
        return 0
    for document in documents:
        if document.state == DocumentState.REFUSED:
            document.told_refusal_at = at
        else:
            document.told_end = document.valid_until
    SupportingDocument.objects.bulk_update(documents, ["told_refusal_at", "told_end"])
    notifications.reminded(household=household, documents=documents, town=town, at=at)
    return len(documents)


def _near(*, town: Municipality, at: datetime) -> "QuerySet[SupportingDocument]":
    """Those that may have to be told of, if no other took their place."""
    today = at.astimezone(town.tz).date()
    soon = Q(pk__in=[])
    for paper in rules_of(town).papers:
        rule = paper.rule()
        if rule.has_own_end and rule.remind_days:
            soon |= Q(paper=paper.slug, valid_until__range=(today, today + timedelta(days=rule.remind_days)))
    return SupportingDocument.objects.filter(
        (Q(state=DocumentState.ACCEPTED, told_end=None) & soon)
        | Q(
            state=DocumentState.REFUSED,
            reviewed_at__range=(at - FORGOTTEN, at - UNANSWERED),
            told_refusal_at=None,
        ),
        line=None,
    )
