"""What is asked of each child: the questions of the services wanted, each once for a child."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict

from marelle.activities.models import SchoolYear
from marelle.bookings.models import Enrolment
from marelle.bookings.questions import LEVEL, STARTS_ON, questions_for, read_answer
from marelle.bookings.services.enrolments import Wish
from marelle.families.models import Household
from marelle.portal.children import HouseholdChild
from marelle.townfile.town import Question, QuestionKind, Town

#: The levels by the age reached in the calendar year in which the school year begins.
LEVELS = {3: "PS", 4: "MS", 5: "GS", 6: "CP", 7: "CE1", 8: "CE2", 9: "CM1", 10: "CM2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question to one child. `value` is what the field shows: a text, or the choices ticked."""

    question: Question
    child: HouseholdChild
    services: tuple[str, ...]
    value: Any = ""
    error: str = ""

    @property
    def field(self) -> str:
        return f"q-{self.child.id}-{self.question.slug}"

    @property
    def id(self) -> str:
        return self.field.replace("_", "-")

    @property
    def kind(self) -> QuestionKind:
        return self.question.kind

    @property
    def is_group(self) -> bool:
        """Whether it is several boxes under one question."""
        if self.kind is QuestionKind.CHOICE:
            return len(self.question.choices) <= 6
        return self.kind in (QuestionKind.SEVERAL, QuestionKind.YES_NO)

    @property
    def ticked(self) -> tuple[str, ...]:
        return tuple(self.value) if isinstance(self.value, list) else (str(self.value),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildDetails:
    child: HouseholdChild
    asked: tuple[Asked, ...]


def details_of(
    *,
    wishes: Sequence[Wish],
    children: Sequence[HouseholdChild],
    answers: Mapping[str, Mapping[str, Any]],
    before: Mapping[int, Mapping[str, Any]],
    town: Town,
    school_year: SchoolYear,
) -> tuple[ChildDetails, ...]:
    """The questions of these wishes, child by child. Shown filled in with what was said: in the draft, else the last
    time (`before`), else what is known of the child."""
    found = []
    for one in children:
        questions: dict[str, tuple[Question, list[str]]] = {}
        for wish in wishes:
            if wish.child.pk != one.id:
                continue
            for question in questions_for(wish.activity, town=town, school_year=school_year):
                questions.setdefault(question.slug, (question, []))[1].append(wish.activity.service.short_name)
        if questions:
            said = answers.get(str(one.id), {})
            asked = tuple(
                Asked(
                    question=question,
                    child=one,
                    services=tuple(dict.fromkeys(services)),
                    value=said[slug] if slug in said else _known(question, one, before.get(one.id, {}), school_year),
                )
                for slug, (question, services) in questions.items()
            )
            found.append(ChildDetails(child=one, asked=asked))
    return tuple(found)


def _known(question: Question, one: HouseholdChild, before: Mapping[str, Any], school_year: SchoolYear) -> Any:
    if question.slug == LEVEL:
        level = one.child.level or level_at(one.child.birth_date, school_year.first_day)
        return level if not question.choices or level in question.choices else ""
    if question.slug == STARTS_ON:
        return school_year.first_day.isoformat()
    return before.get(question.slug, "")


def level_at(birth_date: date, first_day: date) -> str:
    """The level of who has followed school year after year; "" outside nursery and elementary school."""
    return LEVELS.get(first_day.year - birth_date.year, "")


def read_details(
    data: QueryDict, details: Sequence[ChildDetails], *, school_year: SchoolYear
) -> tuple[dict[str, dict[str, Any]], list[dict[str, str]], tuple[ChildDetails, ...]]:
    """What a form answers: the answers by child, the problems, and the questions as they were filled in."""
    answers: dict[str, dict[str, Any]] = {}
    problems: list[dict[str, str]] = []
    shown = []
    for each in details:
        read = []
        said: dict[str, Any] = {}
        for asked in each.asked:
            given = data.getlist(asked.field)
            answer = read_answer(asked.question, given, school_year=school_year)
            typed: Any = list(given) if asked.kind is QuestionKind.SEVERAL else (given or [""])[-1]
            if answer.error:
                problems.append({"text": f"{each.child.name}, {answer.error}", "href": f"#{asked.id}"})
            elif answer.value is not None:
                said[asked.question.slug] = answer.value
            read.append(
                Asked(
                    question=asked.question, child=asked.child, services=asked.services, value=typed, error=answer.error
                )
            )
        answers[str(each.child.id)] = said
        shown.append(ChildDetails(child=each.child, asked=tuple(read)))
    return answers, problems, tuple(shown)


def answers_before(household: Household, children: Sequence[HouseholdChild]) -> dict[int, dict[str, Any]]:
    """What the home last answered for each child, question by question: one query."""
    found: dict[int, dict[str, Any]] = {}
    rows = Enrolment.objects.filter(household=household, child__in=[one.id for one in children]).order_by("id")
    for child, answers in rows.values_list("child_id", "answers"):
        found.setdefault(child, {}).update(answers)
    return found
