"""What must be there before an enrolment is asked for, and before its days are booked
(docs/algorithms/prerequisites.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from marelle.rules.decisions import Allowed, Decision, Reason, Refused
from marelle.rules.papers import PaperState

#: Days that a paper which may wait is waited for, unless the town says otherwise.
WAIT_DAYS: Final = 30


class Kind(StrEnum):
    DOSSIER = "dossier"
    HEALTH = "health"
    PAPER = "paper"
    QUESTION = "question"
    TERMS = "terms"


class State(StrEnum):
    """Where a thing required stands. `WAITING`: an agent has it; `INCOMPLETE`: an agent asked for more."""

    MET = "met"
    MISSING = "missing"
    WAITING = "waiting"
    REFUSED = "refused"
    EXPIRED = "expired"
    OUTDATED = "outdated"
    INCOMPLETE = "incomplete"


class Stage(StrEnum):
    """What is asked: to be enrolled, or days under an enrolment that was accepted."""

    ASKING = "asking"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """What a service requires, by slugs. `may_wait`: the papers that may come after the send. `questions`: those that
    want an answer."""

    dossier: bool = False
    health: bool = False
    papers: tuple[str, ...] = ()
    may_wait: frozenset[str] = frozenset()
    wait_days: int = WAIT_DAYS
    questions: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.dossier or self.health or self.papers or self.questions or self.terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of one child in its home, for one school year. Papers and terms that are not named are missing;
    `accepted_terms` are accepted in their version of today, `outdated_terms` in another one only."""

    dossier: State = State.MISSING
    health: State = State.MISSING
    papers: Mapping[str, PaperState] = field(default_factory=lambda: MappingProxyType({}))
    answered: frozenset[str] = frozenset()
    accepted_terms: frozenset[str] = frozenset()
    outdated_terms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing required, and where it stands. `subject`: its slug, "" for the dossier and the health file.
    `waits_until`: the last day on which a paper may still be missing; None for one that may not wait."""

    kind: Kind
    subject: str = ""
    state: State
    hinders: bool
    waits_until: date | None = None

    @property
    def is_met(self) -> bool:
        return self.state is State.MET

    @property
    def is_for_family(self) -> bool:
        """Whether the family has something to do, now or later."""
        return self.state not in (State.MET, State.WAITING)


def read(needs: Needs, known: Known, *, stage: Stage, on: date, wait_until: date | None = None) -> tuple[Item, ...]:
    """Everything that a service requires, met or not, in the order in which a family settles it: health, dossier,
    papers, questions, terms. `wait_until`: the last day of the papers that may wait (`waits_until`)."""
    items = []
    if needs.health:
        items.append(Item(kind=Kind.HEALTH, state=known.health, hinders=_lacks(known.health)))
    if needs.dossier:
        items.append(Item(kind=Kind.DOSSIER, state=known.dossier, hinders=known.dossier is not State.MET))
    for slug in needs.papers:
        state = paper_state(known.papers.get(slug, PaperState.MISSING))
        may_wait = slug in needs.may_wait
        is_due = stage is Stage.BOOKING and wait_until is not None and on > wait_until
        hinders = is_due or not may_wait
        items.append(
            Item(
                kind=Kind.PAPER,
                subject=slug,
                state=state,
                hinders=hinders and _lacks(state),
                waits_until=wait_until if may_wait and _lacks(state) else None,
            )
        )
    for slug in needs.questions:
        state = State.MET if slug in known.answered else State.MISSING
        items.append(
            Item(
                kind=Kind.QUESTION, subject=slug, state=state, hinders=stage is Stage.ASKING and state is State.MISSING
            )
        )
    for slug in needs.terms:
        if slug in known.accepted_terms:
            state = State.MET
        else:
            state = State.OUTDATED if slug in known.outdated_terms else State.MISSING
        items.append(
            Item(kind=Kind.TERMS, subject=slug, state=state, hinders=stage is Stage.ASKING and state is not State.MET)
        )
    return tuple(items)


def decide(items: Iterable[Item]) -> Decision:
    """Allowed, or refused for the first thing that hinders; all its papers together when it is a paper."""
    hindering = [item for item in items if item.hinders]
    if not hindering:
        return Allowed()
    first = hindering[0]
    match first.kind:
        case Kind.HEALTH:
            return Refused(Reason.HEALTH_FILE_MISSING)
        case Kind.DOSSIER:
            return Refused(Reason.DOSSIER_NOT_ACCEPTED)
        case Kind.PAPER:
            papers = tuple(item.subject for item in hindering if item.kind is Kind.PAPER)
            return Refused(Reason.MISSING_PAPER, {"papers": papers})
        case Kind.QUESTION:
            questions = tuple(item.subject for item in hindering if item.kind is Kind.QUESTION)
            return Refused(Reason.ANSWER_MISSING, {"questions": questions})
        case Kind.TERMS:
            return Refused(Reason.TERMS_NOT_ACCEPTED)


def waits_until(*, sent_on: date, year_begins: date, days: int) -> date:
    """The last day on which a paper that may wait may be missing."""
    return max(sent_on + timedelta(days=days), year_begins)


#: From the best to the worst: what a paper asked of several people stands at is the worst of them.
_PAPERS: Final[Mapping[PaperState, State]] = MappingProxyType(
    {
        PaperState.ACCEPTED: State.MET,
        PaperState.EXPIRING: State.MET,
        PaperState.TO_REVIEW: State.WAITING,
        PaperState.EXPIRED: State.EXPIRED,
        PaperState.MISSING: State.MISSING,
        PaperState.REFUSED: State.REFUSED,
    }
)


def paper_state(state: PaperState) -> State:
    return _PAPERS[state]


def worst(states: Iterable[PaperState]) -> PaperState:
    """What is said of a paper asked of several people; missing when there is nobody to ask."""
    order = list(_PAPERS)
    return max(states, key=order.index, default=PaperState.MISSING)


def _lacks(state: State) -> bool:
    return state not in (State.MET, State.WAITING)
