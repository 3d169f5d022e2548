"""What is asked with an enrolment: the town's questions of its service, and for a place at a school which level, from
when, and where the child comes from. Answers stand sealed on the enrolment, for a town may ask anything."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from marelle.activities.models import Activity, SchoolYear, Site
from marelle.foundation.sentences import day_words, list_words
from marelle.townfile.town import Question, QuestionKind, Town

#: Questions of the portal's own; an underscore, so that no slug of a town is one of them.
LEVEL, STARTS_ON, PREVIOUS = "level_", "starts_on_", "previous_school_"
LONGEST = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer read from a form: its value as it is kept (None: none given), or what is wrong with it."""

    value: Any = None
    error: str = ""


def questions_for(activity: Activity, *, town: Town, school_year: SchoolYear) -> tuple[Question, ...]:
    """The questions of an enrolment in this activity, in order."""
    try:
        service = town.service(activity.service.slug)
    except KeyError:
        return ()
    own = school_questions(activity.site, school_year) if service.kind == "school" else ()
    return (*own, *town.questions_of(service))


def school_questions(site: Site, school_year: SchoolYear) -> tuple[Question, ...]:
    levels = tuple(site.levels)
    return (
        Question(
            slug=LEVEL,
            label=_("Niveau"),
            kind=QuestionKind.CHOICE if levels else QuestionKind.TEXT,
            choices=levels,
            required=True,
        ),
        Question(
            slug=STARTS_ON,
            label=_("Date d’arrivée à l’école"),
            kind=QuestionKind.DATE,
            required=True,
            help=_("La rentrée, ou le premier jour après un déménagement."),
        ),
        Question(
            slug=PREVIOUS,
            label=_("École précédente"),
            kind=QuestionKind.TEXT,
            required=False,
            help=_("Son nom et sa commune, si votre enfant était déjà à l’école ailleurs."),
        ),
    )


def read_answer(question: Question, given: list[str], *, school_year: SchoolYear) -> Answer:
    """The answer among a form's values for one question. A value that is not one of the choices is no answer."""
    values = [value.replace("\x00", "").strip() for value in given]
    values = [value for value in values if value]
    if question.kind is QuestionKind.SEVERAL:
        chosen = [choice for choice in question.choices if choice in values]
        return Answer(value=chosen or None) if chosen or not question.required else Answer(error=_missing(question))
    value = values[-1] if values else ""
    if question.kind in (QuestionKind.CHOICE, QuestionKind.YES_NO):
        known = question.choices if question.kind is QuestionKind.CHOICE else ("oui", "non")
        value = value if value in known else ""
    if not value:
        return Answer(error=_missing(question) if question.required else "")
    match question.kind:
        case QuestionKind.DATE:
            return _read_date(question, value, school_year)
        case QuestionKind.NUMBER:
            if not (value.isascii() and value.isdecimal() and len(value) < 9):
                return Answer(
                    error=_("%(question)s : écrivez un nombre, par exemple 3.") % {"question": question.label}
                )
            return Answer(value=int(value))
        case QuestionKind.TEXT:
            if len(value) > LONGEST:
                words = _("%(question)s : %(most)d caractères au plus.")
                return Answer(error=words % {"question": question.label, "most": LONGEST})
    return Answer(value=value)


def _missing(question: Question) -> str:
    if question.kind in (QuestionKind.CHOICE, QuestionKind.SEVERAL, QuestionKind.YES_NO):
        return _("%(question)s : choisissez une réponse.") % {"question": question.label}
    return _("%(question)s : indiquez une réponse.") % {"question": question.label}


def _read_date(question: Question, value: str, school_year: SchoolYear) -> Answer:
    try:
        day = date.fromisoformat(value)
    except ValueError:
        words = _("%(question)s : la date doit exister, par exemple 01/09/2026.")
        return Answer(error=words % {"question": question.label})
    if question.slug == STARTS_ON and not school_year.first_day <= day <= school_year.last_day:
        words = _("%(question)s : un jour de l’année scolaire, du %(first)s au %(last)s.")
        bounds = {"first": day_words(school_year.first_day), "last": day_words(school_year.last_day)}
        return Answer(error=words % ({"question": question.label} | bounds))
    return Answer(value=day.isoformat())


def answered(answers: Mapping[str, Any]) -> frozenset[str]:
    """The questions that have their answer."""
    return frozenset(slug for slug, value in answers.items() if value not in (None, "", []))


def answer_words(question: Question, value: Any) -> str:
    """An answer as families and agents read it; "" for none."""
    if value in (None, "", []):
        return ""
    match question.kind:
        case QuestionKind.SEVERAL:
            return list_words(value) if isinstance(value, list) else str(value)
        case QuestionKind.YES_NO:
            return _("Oui") if value == "oui" else _("Non")
        case QuestionKind.DATE:
            try:
                return day_words(date.fromisoformat(str(value)))
            except ValueError:
                return str(value)
    return str(value)


def answers_in_words(questions: Iterable[Question], answers: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each question answered, with its answer, both as they are read."""
    return [
        (question.label, words)
        for question in questions
        if (words := answer_words(question, answers.get(question.slug)))
    ]
