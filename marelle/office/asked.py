"""What the desk reads beside an enrolment: what the town requires of it, met or not, what the family answered, and who
is like a child that nobody has verified."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from marelle.activities.models import Municipality
from marelle.activities.queries import rules_of
from marelle.bookings.queries.prerequisites import Item, Kind, Prerequisites, State, load_prerequisites
from marelle.bookings.questions import answers_in_words, questions_for
from marelle.documents.labels import guarded_name
from marelle.families.models import Child
from marelle.families.queries import alike
from marelle.foundation.sentences import day_words, list_words, weekdays_words
from marelle.office.queue import LineFacts
from marelle.requests.models import FamilyRequest
from marelle.rules.lifecycles import EnrolmentState


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing verified. tone: "ok", "wait" or "stop", which also gives its hidden word and icon."""

    tone: str
    title: str
    detail: str = ""

    @property
    def icon(self) -> str:
        return {"ok": "circle-check", "wait": "triangle-alert", "stop": "circle-x"}[self.tone]

    @property
    def said(self) -> str:
        return {"ok": _("Respectée"), "wait": _("À savoir"), "stop": _("Non respectée")}[self.tone]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the family said of one enrolment. `missing`: what an agent asked for; `reply`: what it answered to that."""

    title: str
    answers: tuple[tuple[str, str], ...]
    missing: str = ""
    reply: str = ""

    @property
    def any(self) -> bool:
        return bool(self.answers or self.missing or self.reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    rules: tuple[Rule, ...] = ()
    said: tuple[Said, ...] = ()
    can_ask_more: bool = False


def read_asked(request: FamilyRequest, facts: Sequence[LineFacts], *, town: Municipality, at: datetime) -> Asked:
    """The pending enrolments of a request: a constant number of queries, whatever its lines; none without any."""
    if not facts:
        return Asked()
    years = {fact.enrolment.school_year_id: fact.enrolment.school_year for fact in facts if fact.enrolment}
    children = list({fact.line.of_service.child.pk: fact.line.of_service.child for fact in facts}.values())
    today = at.astimezone(town.tz).date()
    found = {
        id: load_prerequisites(
            town=town,
            household=request.household,
            children=children,
            school_year=year,
            services={fact.line.of_service.activity.service.slug for fact in facts},
            on=today,
        )
        for id, year in years.items()
    }
    rules: list[Rule] = []
    said: list[Said] = []
    for fact in facts:
        enrolment = fact.enrolment
        assert enrolment is not None
        child, service, activity = fact.line.of_service
        items = found[enrolment.school_year_id].items(
            child=child.pk, service=service.slug, answered=enrolment.answers, wait_until=enrolment.papers_due
        )
        name = _("%(name)s, %(service)s") % {"name": child.first_name, "service": service.short_name}
        rules += _rules(name, items, found[enrolment.school_year_id], town)
        answers = answers_in_words(
            questions_for(activity, town=rules_of(town), school_year=enrolment.school_year), enrolment.answers
        )
        if enrolment.usual_weekdays:
            answers.append((_("Jours habituels"), weekdays_words(enrolment.usual_weekdays)))
        said.append(
            Said(
                title=name,
                answers=tuple(answers),
                missing=enrolment.reason if enrolment.state == EnrolmentState.INCOMPLETE or enrolment.reply else "",
                reply=enrolment.reply,
            )
        )
    rules += _unverified([child for child in children if child.declared_at is not None])
    return Asked(rules=tuple(rules), said=tuple(one for one in said if one.any), can_ask_more=True)


def _rules(name: str, items: Sequence[Item], found: Prerequisites, town: Municipality) -> list[Rule]:
    """One line for what is there, one for each thing that is not."""
    rules = [_unmet(name, item, town) for item in items if not item.is_met]
    met = [_short_name(item, town) for item in items if item.is_met]
    if met:
        rules.append(Rule(tone="ok", title=_("%(who)s : pièces et conditions") % {"who": name}, detail=list_words(met)))
    return rules


def _unmet(name: str, item: Item, town: Municipality) -> Rule:
    what = {"who": name, "what": _short_name(item, town)}
    if item.state is State.WAITING:
        return Rule(tone="wait", title=_("%(who)s : %(what)s") % what, detail=_("Attend votre réponse."))
    if item.waits_until is not None:
        return Rule(
            tone="wait",
            title=_("%(who)s : %(what)s") % what,
            detail=_("Peut attendre la fin du %(day)s.") % {"day": day_words(item.waits_until)},
        )
    words = {
        State.REFUSED: _("Refusé."),
        State.EXPIRED: _("N’est plus valable."),
        State.OUTDATED: _("D’une autre année ou version."),
        State.INCOMPLETE: _("À compléter par la famille."),
    }.get(item.state, _("Manque."))
    return Rule(tone="stop", title=_("%(who)s : %(what)s") % what, detail=words)


def _short_name(item: Item, town: Municipality) -> str:
    rules = rules_of(town)
    match item.kind:
        case Kind.HEALTH:
            return _("fiche santé")
        case Kind.DOSSIER:
            return _("dossier scolaire")
        case Kind.PAPER:
            return guarded_name(rules.paper(item.subject))
        case Kind.QUESTION:
            return next((one.label for one in rules.questions if one.slug == item.subject), item.subject)
        case Kind.TERMS:
            return next((one.name for one in rules.terms if one.slug == item.subject), item.subject)


def _unverified(children: Sequence[Child]) -> list[Rule]:
    near = alike(children)
    rules = []
    for child in children:
        others = [
            f"{other}, {other.school.name}" if other.school is not None else str(other)
            for other in near.get(child.pk, [])
        ]
        title = _("%(child)s : enfant ajouté par la famille, à vérifier") % {"child": child}
        if others:
            detail = _("Même date de naissance et prénom proche : %(others)s.") % {"others": "; ".join(others)}
            rules.append(Rule(tone="stop", title=title, detail=detail))
        else:
            rules.append(Rule(tone="wait", title=title, detail=_("Accepter une inscription vaut vérification.")))
    return rules
