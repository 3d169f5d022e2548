"""What a town requires before an enrolment, given and accepted: papers, health files, regulations, the place at a
school."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from marelle.accounts.models import User
from marelle.activities.queries import municipality, rules_of
from marelle.bookings.queries.prerequisites import school_services
from marelle.documents.models import SupportingDocument
from marelle.documents.services import accept_terms, hand_in
from marelle.families.health.content import HealthContent
from marelle.families.health.files import save_health
from marelle.families.models import Child
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.rules.papers import DocumentState
from marelle.townfile.town import PaperSubject
from tests import offer
from tests.offer import AT, Family

PICTURE = Judged(FileKind.PICTURE, b"\xff\xd8\xff a picture, already judged")


def healthy(who: Family, *, children: Iterable[Child] | None = None, at: datetime = AT) -> None:
    """The health file of each child, filled in and confirmed."""
    for child in children if children is not None else who.children:
        save_health(
            child=child, household=who.household, content=HealthContent(), has_plan=False, plan_until=None,
            version=0, by=who.user, at=at,
        )  # fmt: skip


def give_papers(
    who: Family, *slugs: str, children: Iterable[Child] | None = None, accepted: bool = True, at: datetime = AT
) -> None:
    """These papers of the town (all, without a name), for each child, or for the household."""
    year = offer.school_year(at).label
    for paper in rules_of(municipality()).papers:
        if slugs and paper.slug not in slugs:
            continue
        subjects: list[Child | None] = [None]
        if paper.about is PaperSubject.CHILD:
            subjects = list(children if children is not None else who.children)
        for child in subjects:
            document = hand_in(
                household=who.household,
                paper=paper,
                judged=PICTURE,
                name="photo.jpg",
                by=who.user,
                at=at,
                child=child,
                school_year=year,
                issued_on=at.date() if paper.max_age_months else None,
            )
            if accepted:
                SupportingDocument.objects.filter(pk=document.pk).update(state=DocumentState.ACCEPTED, reviewed_at=at)


def agree(who: Family, *, at: datetime = AT) -> None:
    """Every regulation of the town, accepted in its version of today."""
    for terms in rules_of(municipality()).terms:
        accept_terms(household=who.household, terms=terms, by=who.user, at=at)


def at_school(who: Family, *, by: User, children: Iterable[Child] | None = None, at: datetime = AT) -> None:
    """The school dossier of each child, asked for at its school and accepted."""
    from marelle.activities.models import Activity
    from marelle.bookings.services.enrolments import Wish, ask_enrolments

    (service,) = school_services(rules_of(municipality()))
    asked = ask_enrolments(
        town=municipality(),
        user=who.user,
        household=who.household,
        school_year=offer.school_year(at),
        wishes=[
            Wish(
                child=child,
                activity=Activity.objects.select_related("service", "site").get(
                    service__slug=service, site=child.school
                ),
                answers={"level_": child.level, "starts_on_": offer.school_year(at).first_day.isoformat()},
            )
            for child in (children if children is not None else who.children)
        ],
        send_key=uuid.uuid4(),
        at=at,
    )
    assert asked.request is not None and not asked.unmet, asked.unmet
    offer.accept(asked.request, by=by, at=at)


def ready(who: Family, *, by: User, at: datetime = AT) -> None:
    """Everything that the town may require of the family."""
    healthy(who, at=at)
    give_papers(who, at=at)
    agree(who, at=at)
    if school_services(rules_of(municipality())):
        at_school(who, by=by, at=at)
