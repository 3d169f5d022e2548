"""The page that checks an enrolment before it leaves: what each step said, and what still lacks."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.queries import rules_of
from marelle.bookings.questions import answers_in_words, questions_for
from marelle.bookings.services.enrolments import Wish
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words, midsentence, weekdays_words
from marelle.portal.children import HouseholdChild
from marelle.portal.enrolling.wizard import Step, Wizard, step_name
from marelle.portal.enrolling.words import name_of
from marelle.rules.prerequisites import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What is said of one child."""

    child: HouseholdChild
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One step, as it was filled in. `notes`: what comes below."""

    step: Step
    title: str
    look: Look
    pairs: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()


DONE = "ok"


def tasks_of(wizard: Wizard) -> tuple[Task, ...]:
    complete = Look(_("Complet"), "circle-check", DONE)
    tasks = []
    by_child: dict[int, list[Wish]] = {}
    for wish in wizard.wishes:
        by_child.setdefault(wish.child.pk, []).append(wish)
    involved = [one for one in wizard.chosen if one.id in by_child]
    for step in wizard.steps:
        match step:
            case Step.CHILDREN:
                pairs = tuple(Pair(child=one, text=_about(one)) for one in involved)
                tasks.append(Task(step=step, title=step_name(step), look=complete, pairs=pairs))
            case Step.SERVICES:
                pairs = tuple(Pair(child=one, text=_services(by_child[one.id])) for one in involved)
                notes = (_("Les jours habituels ne réservent rien : ils prérempliront votre semaine type."),)
                usual = any(wish.usual_weekdays for wish in wizard.wishes)
                tasks.append(
                    Task(step=step, title=step_name(step), look=complete, pairs=pairs, notes=notes if usual else ())
                )
            case Step.DETAILS:
                tasks.append(_details(wizard, involved, by_child, complete))
            case Step.PAPERS:
                tasks.append(_papers(wizard, complete))
            case Step.TERMS:
                names = tuple(
                    _("%(name)s, version %(version)s") % {"name": terms.name, "version": terms.version}
                    for terms in wizard.terms
                )
                accepted = len(wizard.accepted) == len(wizard.terms)
                look = Look(_("Accepté"), "circle-check", DONE) if accepted else _lacking(_("À accepter"))
                tasks.append(Task(step=step, title=step_name(step), look=look, notes=names))
            case _:
                pass
    return tuple(tasks)


def _lacking(words: str) -> Look:
    return Look(words, "circle-alert", "stop")


def _about(one: HouseholdChild) -> str:
    parts = [one.child.level, one.child.school.name if one.child.school else _("pas encore d’école")]
    return f"{one.name}, " + ", ".join(part for part in parts if part)


def _services(wishes: Sequence[Wish]) -> str:
    said: list[str] = []
    for wish in wishes:
        name = midsentence(wish.activity.service.name) if said else wish.activity.service.name
        extra = [wish.activity.site.name] if wish.activity.site_id != wish.child.school_id else []
        if wish.usual_weekdays:
            extra.append(weekdays_words(wish.usual_weekdays))
        said.append(f"{name} ({', '.join(extra)})" if extra else name)
    return f"{', '.join(said)}."


def _details(
    wizard: Wizard, involved: Sequence[HouseholdChild], by_child: dict[int, list[Wish]], complete: Look
) -> Task:
    pairs = []
    for one in involved:
        answers: dict[str, str] = {}
        for wish in by_child[one.id]:
            asked = questions_for(wish.activity, town=rules_of(wizard.town), school_year=wizard.year)
            answers.update(dict(answers_in_words(asked, wish.answers)))
        if answers:
            words = ", ".join(f"{question} : {answer}" for question, answer in answers.items())
            pairs.append(Pair(child=one, text=f"{words}."))
    lacks = {
        (wish.child.pk, item.subject)
        for wish in wizard.wishes
        for item in wizard.lacks(wish)
        if item.kind is Kind.QUESTION
    }
    words = ngettext("Il manque %(n)d réponse", "Il manque %(n)d réponses", len(lacks)) % {"n": len(lacks)}
    return Task(
        step=Step.DETAILS,
        title=step_name(Step.DETAILS),
        look=_lacking(words) if lacks else complete,
        pairs=tuple(pairs),
    )


def _papers(wizard: Wizard, complete: Look) -> Task:
    names = {one.id: one.name for one in wizard.chosen}

    def named(wanted: object) -> str:
        subject = wanted.subject  # type: ignore[attr-defined]
        who = names.get(subject.child or 0, "")
        name = wanted.paper.name  # type: ignore[attr-defined]
        return _("%(paper)s de %(name)s") % {"paper": name, "name": who} if who else name

    missing = [one for one in wizard.papers if one.is_needed_now]
    later = [one for one in wizard.papers if not one.standing.is_given and one.waits_until is not None]
    given = [one for one in wizard.papers if one.standing.is_given]
    notes = []
    if missing:
        notes.append(_("À donner avant d’envoyer : %(what)s.") % {"what": list_words(named(one) for one in missing)})
    for one in later:
        assert one.waits_until is not None
        notes.append(
            _("À ajouter avant la fin du %(day)s : %(what)s. Vous pouvez envoyer sans attendre.")
            % {"day": day_words(one.waits_until), "what": named(one)}
        )
    if given:
        words = ngettext("%(n)d document prêt : %(what)s.", "%(n)d documents prêts : %(what)s.", len(given))
        notes.append(words % {"n": len(given), "what": list_words(named(one) for one in given)})
    look = complete
    if missing:
        words = ngettext("Il manque %(n)d document", "Il manque %(n)d documents", len(missing))
        look = _lacking(words % {"n": len(missing)})
    elif later:
        words = ngettext("%(n)d document peut attendre", "%(n)d documents peuvent attendre", len(later))
        look = Look(words % {"n": len(later)}, "clock", "wait")
    return Task(step=Step.PAPERS, title=step_name(Step.PAPERS), look=look, notes=tuple(notes))


def lacking_words(wizard: Wizard) -> list[str]:
    """What stands in the way, wish by wish: "Cantine pour Tom : assurance scolaire"."""
    found = []
    for wish in wizard.wishes:
        names = [name_of(item, wizard.town, year=wizard.year.label) for item in wizard.lacks(wish)]
        if names:
            found.append(
                _("%(service)s pour %(name)s : il manque %(what)s")
                % {
                    "service": wish.activity.service.name,
                    "name": wish.child.first_name,
                    "what": list_words(midsentence(name) for name in names),
                }
            )
    return found
