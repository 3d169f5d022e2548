"""What the demo's families give before they ask for a service: health files, papers, answers. A town that requires
nothing sees nothing of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image, ImageDraw

from marelle.accounts.models import User
from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import rules_of
from marelle.bookings.queries.prerequisites import Kind, State, load_prerequisites, needs_of, subjects_of
from marelle.bookings.questions import LEVEL, STARTS_ON, questions_for
from marelle.bookings.services.enrolments import Wish
from marelle.documents.services import hand_in
from marelle.families.health.content import HealthContent, Vaccination
from marelle.families.health.files import confirm_health, save_health
from marelle.families.models import Child, HealthFile, Household
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.requests.models import FamilyRequest
from marelle.townfile.town import QuestionKind

DOCTORS = ("Dr Lefèvre", "Dr Marchal", "Dr Oumar", "Dr Pons", "Dr Nguyen")


def make_ready(
    *,
    town: Municipality,
    household: Household,
    children: Sequence[Child],
    year: SchoolYear,
    services: Iterable[str],
    user: User,
    at: datetime,
    dice: Random,
) -> set[FamilyRequest]:
    """Fill in the health files and hand in the papers that these services require and that are not there; the requests
    by which agents will answer the papers. No query for services that require nothing of the kind."""
    rules = rules_of(town)
    wanted = [slug for slug in services if (needs := needs_of(rules, slug)).health or needs.papers]
    if not wanted:
        return set()
    today = at.astimezone(town.tz).date()
    found = load_prerequisites(
        town=town, household=household, children=children, school_year=year, services=wanted, on=today
    )
    reviews: set[FamilyRequest] = set()
    done: set[object] = set()
    for child in children:
        for slug in wanted:
            for item in found.items(child=child.pk, service=slug):
                if item.kind is Kind.HEALTH and not item.is_met and child.pk not in done:
                    done.add(child.pk)
                    _tell_health(child, household=household, user=user, at=at, dice=dice)
                if item.kind is not Kind.PAPER or item.state in (State.MET, State.WAITING):
                    continue
                paper = rules.paper(item.subject)
                for subject in subjects_of(item.subject, child.pk, found.papers):
                    if subject in done or found.papers[subject].is_given or subject.guardian is not None:
                        continue
                    done.add(subject)
                    document = hand_in(
                        household=household,
                        paper=paper,
                        judged=picture(paper.name),
                        name="photo.jpg",
                        by=user,
                        at=at,
                        child=child if subject.child is not None else None,
                        school_year=year.label,
                        issued_on=today if paper.max_age_months else None,
                    )
                    if document.review is not None:
                        reviews.add(document.review.request)
    return reviews


def _tell_health(child: Child, *, household: Household, user: User, at: datetime, dice: Random) -> None:
    file = HealthFile.objects.defer("sealed").filter(child=child).first()
    if file is not None:
        confirm_health(child=child, household=household, version=file.version, by=user, at=at)
        return
    content = HealthContent(
        allergies="Arachide : pas de fruits à coque." if dice.random() < 0.08 else "",
        doctor_name=dice.choice(DOCTORS),
        doctor_phone=f"05 00 00 00 {dice.randint(10, 99)}",
        vaccination=Vaccination.YES,
    )
    save_health(
        child=child, household=household, content=content, has_plan=False, plan_until=None, version=0, by=user, at=at
    )


@cache
def picture(name: str) -> Judged:
    """A photograph of a paper, as far as a demo needs one."""
    image = Image.new("RGB", (480, 640), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((24, 24, 456, 616), outline="#888888")
    draw.text((48, 64), name.encode("latin-1", "replace").decode("latin-1"), fill="black")
    draw.text((48, 96), "Document de démonstration", fill="#444444")
    for line in range(12):
        draw.line((48, 160 + 32 * line, 432 - 40 * (line % 3), 160 + 32 * line), fill="#bbbbbb", width=6)
    out = BytesIO()
    image.save(out, "JPEG", quality=70)
    return Judged(FileKind.PICTURE, out.getvalue())


def answers_for(wish: Wish, *, town: Municipality, year: SchoolYear, dice: Random) -> dict[str, Any]:
    """What the family answers to the questions of the service."""
    answers: dict[str, Any] = {}
    for question in questions_for(wish.activity, town=rules_of(town), school_year=year):
        if question.slug == LEVEL:
            known = wish.child.level in question.choices or not question.choices
            answers[LEVEL] = wish.child.level if known and wish.child.level else question.choices[0]
        elif question.slug == STARTS_ON:
            answers[STARTS_ON] = year.first_day.isoformat()
        elif question.kind is QuestionKind.CHOICE:
            answers[question.slug] = dice.choice((question.choices[0], question.choices[0], *question.choices))
        elif question.kind is QuestionKind.SEVERAL:
            answers[question.slug] = [question.choices[0]]
        elif question.kind is QuestionKind.YES_NO:
            answers[question.slug] = dice.choice(("oui", "non"))
        elif question.required:
            answers[question.slug] = {QuestionKind.NUMBER: 1, QuestionKind.DATE: year.first_day.isoformat()}.get(
                question.kind, "Rien de particulier"
            )
    return answers
