"""The steps of an enrolment, and all that they know: what the draft says, what it still needs.

A step that has nothing to ask is not there. What is asked depends on what is wanted; before anything is, on all that
may be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from django.utils.translation import gettext as _

from marelle.accounts.models import User
from marelle.activities.models import Municipality, SchoolYear
from marelle.activities.queries import rules_of
from marelle.bookings.models import EnrolmentDraft
from marelle.bookings.queries.prerequisites import Item, Kind, school_services, subjects_of
from marelle.bookings.questions import answered, questions_for
from marelle.bookings.services.drafts import Content
from marelle.bookings.services.enrolments import Wish
from marelle.documents.queries import Subject
from marelle.families.models import Household
from marelle.foundation.sentences import day_words
from marelle.portal.children import HouseholdChild
from marelle.portal.enrolling.details import ChildDetails, answers_before, details_of
from marelle.portal.enrolling.services import Asking, EnrolmentPage, enrolment_page, wishes_of
from marelle.rules.papers import Standing
from marelle.townfile.town import Paper, Terms

#: From so many children on, one says first whom it is about.
MANY = 4


class Step(StrEnum):
    """The values stand in addresses."""

    CHILDREN = "enfants"
    SERVICES = "services"
    DETAILS = "precisions"
    PAPERS = "pieces"
    TERMS = "reglement"
    CHECK = "verifier"


def step_name(step: Step) -> str:
    return {
        Step.CHILDREN: _("Enfants"),
        Step.SERVICES: _("Services"),
        Step.DETAILS: _("Précisions"),
        Step.PAPERS: _("Documents"),
        Step.TERMS: _("Règlement"),
        Step.CHECK: _("Vérifier"),
    }[step]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A paper that what is wanted requires, for one subject. `waits_until`: the last day to give it, for one that may
    come after the send."""

    subject: Subject
    paper: Paper
    standing: Standing
    services: tuple[str, ...]
    waits_until: date | None

    @property
    def is_needed_now(self) -> bool:
        return not self.standing.is_given and self.waits_until is None

    @property
    def wait_words(self) -> str:
        return day_words(self.waits_until) if self.waits_until is not None else ""


@dataclass(kw_only=True)
class Wizard:
    town: Municipality
    user: User
    household: Household
    children: Sequence[HouseholdChild]
    year: SchoolYear
    at: datetime
    draft: EnrolmentDraft | None

    @cached_property
    def content(self) -> Content:
        return Content.of(self.draft)

    @cached_property
    def today(self) -> date:
        return self.at.astimezone(self.town.tz).date()

    @cached_property
    def has_school(self) -> bool:
        """Whether a place at a school is asked for here."""
        return bool(school_services(rules_of(self.town)))

    @cached_property
    def chosen(self) -> list[HouseholdChild]:
        """The children whom it is about; all, as long as nobody was named."""
        named = [one for one in self.children if one.id in self.content.children]
        return named or list(self.children)

    @cached_property
    def asking(self) -> Asking:
        days = {key: frozenset(listed) for key, listed in self.content.days.items()}
        return Asking(wanted=frozenset(self.content.wanted), days=days if self.content.wanted else None)

    @cached_property
    def page(self) -> EnrolmentPage:
        return self.page_with(self.asking)

    def page_with(self, asking: Asking) -> EnrolmentPage:
        return enrolment_page(
            town=self.town,
            household=self.household,
            children=self.chosen,
            year=self.year,
            at=self.at,
            asking=asking,
        )

    @cached_property
    def wishes(self) -> list[Wish]:
        """What is wanted and can still be asked for, each with its own answers."""
        wishes, _gone = wishes_of(self.page, self.asking)
        return [self._answered(wish) for wish in wishes]

    def _answered(self, wish: Wish) -> Wish:
        said = self.content.answers.get(str(wish.child.pk), {})
        asked = questions_for(wish.activity, town=rules_of(self.town), school_year=self.year)
        answers = {question.slug: said[question.slug] for question in asked if question.slug in said}
        return Wish(child=wish.child, activity=wish.activity, usual_weekdays=wish.usual_weekdays, answers=answers)

    @cached_property
    def considered(self) -> list[Wish]:
        """What the steps are made for: what is wanted, else all that may be."""
        if self.wishes:
            return self.wishes
        return [
            Wish(child=choice.child.child, activity=choice.activity)
            for choice in self.page.choices.values()
            if choice.open
        ]

    @cached_property
    def details(self) -> tuple[ChildDetails, ...]:
        return details_of(
            wishes=self.considered,
            children=self.chosen,
            answers=self.content.answers,
            before=self._before,
            town=rules_of(self.town),
            school_year=self.year,
        )

    @cached_property
    def _before(self) -> Mapping[int, Mapping[str, Any]]:
        asked = any(rules_of(self.town).questions_of(one) for one in rules_of(self.town).services)
        return answers_before(self.household, self.chosen) if asked else {}

    def items(self, wish: Wish) -> tuple[Item, ...]:
        return self.page.required.items(
            child=wish.child.pk, service=wish.activity.service.slug, answered=answered(wish.answers)
        )

    @cached_property
    def papers(self) -> list[Wanted]:
        """The papers that do not stand accepted, each once, in the order of the wishes."""
        required = self.page.required
        rules = rules_of(self.town)
        found: dict[Subject, Wanted] = {}
        for wish in self.considered:
            for item in self.items(wish):
                if item.kind is not Kind.PAPER or item.is_met:
                    continue
                for subject in subjects_of(item.subject, wish.child.pk, required.papers):
                    standing = required.papers[subject]
                    if standing.holds:
                        continue
                    before = found.get(subject)
                    services = (*(before.services if before else ()), wish.activity.service.short_name)
                    waits = item.waits_until
                    found[subject] = Wanted(
                        subject=subject,
                        paper=rules.paper(subject.paper),
                        standing=standing,
                        services=tuple(dict.fromkeys(services)),
                        # Needed now as soon as one of the services needs it now.
                        waits_until=waits if before is None or before.waits_until is not None else None,
                    )
        return list(found.values())

    @cached_property
    def terms(self) -> list[Terms]:
        """The regulations still to be accepted, whatever the draft says."""
        slugs = {
            item.subject
            for wish in self.considered
            for item in self.items(wish)
            if item.kind is Kind.TERMS and not item.is_met
        }
        return [terms for terms in rules_of(self.town).terms if terms.slug in slugs]

    @cached_property
    def accepted(self) -> list[Terms]:
        """Those of them that the draft accepts, in their version of today."""
        return [terms for terms in self.terms if self.content.terms.get(terms.slug) == terms.version]

    @property
    def accepts_on_check(self) -> bool:
        """Whether regulations are accepted on the page that sends: it is the only thing beside choosing."""
        return bool(self.terms) and not self.details and not self.papers

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        several = len(self.children) > 1
        return tuple(
            step
            for step, there in (
                (Step.CHILDREN, several and (self.has_school or len(self.children) >= MANY)),
                (Step.SERVICES, True),
                (Step.DETAILS, bool(self.details)),
                (Step.PAPERS, bool(self.papers)),
                (Step.TERMS, bool(self.terms) and not self.accepts_on_check),
                (Step.CHECK, True),
            )
            if there
        )

    def after(self, step: Step) -> Step:
        """The next step that asks something; papers that an agent has are not asked."""
        order = list(Step)
        for later in self.steps:
            if order.index(later) <= order.index(step):
                continue
            if later is Step.PAPERS and all(wanted.standing.is_given for wanted in self.papers):
                continue
            return later
        return Step.CHECK

    def before(self, step: Step) -> Step | None:
        order = list(Step)
        earlier = [one for one in self.steps if order.index(one) < order.index(step)]
        return earlier[-1] if earlier else None

    def lacks(self, wish: Wish) -> list[Item]:
        """What stands in the way of this wish, the regulations that the draft accepts counted as accepted."""
        accepted = {terms.slug for terms in self.accepted}
        return [
            item
            for item in self.items(wish)
            if item.hinders and not (item.kind is Kind.TERMS and item.subject in accepted)
        ]
