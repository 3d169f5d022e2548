"""What stands in the way of an enrolment and of its days (docs/algorithms/prerequisites.md)."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marelle.rules.decisions import Allowed, Reason, Refused
from marelle.rules.papers import PaperState
from marelle.rules.prerequisites import Item, Kind, Known, Needs, Stage, State, decide, read, waits_until, worst

ON = date(2026, 11, 10)
ALL = Needs(
    dossier=True, health=True, papers=("assurance", "domicile"), may_wait=frozenset({"assurance"}),
    questions=("regime",), terms=("cgu",),
)  # fmt: skip
READY = Known(
    dossier=State.MET,
    health=State.MET,
    papers={"assurance": PaperState.ACCEPTED, "domicile": PaperState.ACCEPTED},
    answered=frozenset({"regime"}),
    accepted_terms=frozenset({"cgu"}),
)


def only(needs: Needs, known: Known, *, stage: Stage = Stage.ASKING, wait_until: date | None = None) -> Item:
    (item,) = read(needs, known, stage=stage, on=ON, wait_until=wait_until)
    return item


@pytest.mark.row("E5", "E6")
def test_nothing_stands_in_the_way_of_who_has_everything() -> None:
    items = read(ALL, READY, stage=Stage.ASKING, on=ON)
    assert [item.kind for item in items] == ["health", "dossier", "paper", "paper", "question", "terms"]
    assert all(item.is_met for item in items)
    assert decide(items) == Allowed()


@pytest.mark.row("E5", "E6")
@pytest.mark.parametrize(
    ("needs", "known", "state", "hinders", "reason"),
    [
        (Needs(health=True), Known(), "missing", True, Reason.HEALTH_FILE_MISSING),
        (Needs(health=True), Known(health=State.OUTDATED), "outdated", True, Reason.HEALTH_FILE_MISSING),
        (Needs(dossier=True), Known(), "missing", True, Reason.DOSSIER_NOT_ACCEPTED),
        (Needs(dossier=True), Known(dossier=State.WAITING), "waiting", True, Reason.DOSSIER_NOT_ACCEPTED),
        (Needs(dossier=True), Known(dossier=State.REFUSED), "refused", True, Reason.DOSSIER_NOT_ACCEPTED),
        (Needs(papers=("a",)), Known(), "missing", True, Reason.MISSING_PAPER),
        (Needs(papers=("a",)), Known(papers={"a": PaperState.REFUSED}), "refused", True, Reason.MISSING_PAPER),
        (Needs(papers=("a",)), Known(papers={"a": PaperState.EXPIRED}), "expired", True, Reason.MISSING_PAPER),
        (Needs(papers=("a",)), Known(papers={"a": PaperState.TO_REVIEW}), "waiting", False, None),
        (Needs(papers=("a",)), Known(papers={"a": PaperState.EXPIRING}), "met", False, None),
        (Needs(papers=("a",), may_wait=frozenset("a")), Known(), "missing", False, None),
        (Needs(questions=("q",)), Known(), "missing", True, Reason.ANSWER_MISSING),
        (Needs(terms=("t",)), Known(), "missing", True, Reason.TERMS_NOT_ACCEPTED),
        (Needs(terms=("t",)), Known(outdated_terms=frozenset("t")), "outdated", True, Reason.TERMS_NOT_ACCEPTED),
    ],
)
def test_what_stands_in_the_way_of_asking(
    needs: Needs, known: Known, state: str, hinders: bool, reason: Reason | None
) -> None:
    item = only(needs, known)
    assert (item.state, item.hinders) == (state, hinders)
    decision = decide([item])
    assert (decision.reason if isinstance(decision, Refused) else None) is reason


def test_a_paper_that_may_wait_closes_the_planning_the_day_after_its_date() -> None:
    needs = Needs(papers=("a",), may_wait=frozenset("a"))
    assert not only(needs, Known(), stage=Stage.BOOKING, wait_until=ON).hinders
    assert only(needs, Known(), stage=Stage.BOOKING, wait_until=ON).waits_until == ON
    assert only(needs, Known(), stage=Stage.BOOKING, wait_until=ON - timedelta(days=1)).hinders
    given_in = Known(papers={"a": PaperState.TO_REVIEW})
    assert not only(needs, given_in, stage=Stage.BOOKING, wait_until=ON - timedelta(days=1)).hinders


def test_days_ask_for_no_answer_and_no_newer_regulation() -> None:
    known = Known(dossier=State.MET, health=State.MET, papers=READY.papers, outdated_terms=frozenset({"cgu"}))
    assert decide(read(ALL, known, stage=Stage.BOOKING, on=ON)) == Allowed()
    assert isinstance(decide(read(ALL, known, stage=Stage.ASKING, on=ON)), Refused)


def test_the_papers_that_lack_are_told_together() -> None:
    decision = decide(read(Needs(papers=("a", "b", "c"), may_wait=frozenset("c")), Known(), stage=Stage.ASKING, on=ON))
    assert isinstance(decision, Refused) and decision.facts == {"papers": ("a", "b")}


@pytest.mark.parametrize(
    ("sent", "until"),
    [(date(2026, 6, 1), date(2026, 9, 1)), (date(2026, 8, 20), date(2026, 9, 19)), (ON, date(2026, 12, 10))],
)
def test_a_paper_waits_thirty_days_and_at_least_until_school_begins(sent: date, until: date) -> None:
    assert waits_until(sent_on=sent, year_begins=date(2026, 9, 1), days=30) == until


def test_a_paper_asked_of_several_is_where_the_worst_is() -> None:
    assert worst([PaperState.ACCEPTED, PaperState.TO_REVIEW]) is PaperState.TO_REVIEW
    assert worst([PaperState.ACCEPTED, PaperState.EXPIRING, PaperState.MISSING]) is PaperState.MISSING
    assert worst([]) is PaperState.MISSING


slugs = st.sampled_from(["a", "b", "c"])
needs_any = st.builds(
    Needs,
    dossier=st.booleans(),
    health=st.booleans(),
    papers=st.lists(slugs, unique=True).map(tuple),
    may_wait=st.frozensets(slugs),
    questions=st.lists(slugs, unique=True).map(tuple),
    terms=st.lists(slugs, unique=True).map(tuple),
)
known_any = st.builds(
    Known,
    dossier=st.sampled_from(State),
    health=st.sampled_from([State.MET, State.MISSING, State.OUTDATED]),
    papers=st.dictionaries(slugs, st.sampled_from(PaperState)),
    answered=st.frozensets(slugs),
    accepted_terms=st.frozensets(slugs),
    outdated_terms=st.frozensets(slugs),
)
stages = st.sampled_from(Stage)
dates = st.none() | st.dates(ON - timedelta(days=60), ON + timedelta(days=60))


@given(needs_any, known_any, stages, dates)
def test_each_thing_required_is_said_once(needs: Needs, known: Known, stage: Stage, until: date | None) -> None:
    items = read(needs, known, stage=stage, on=ON, wait_until=until)
    keys = [(item.kind, item.subject) for item in items]
    assert len(keys) == len(set(keys))
    assert len(keys) == needs.dossier + needs.health + len(needs.papers) + len(needs.questions) + len(needs.terms)


@given(needs_any, known_any, stages, dates)
def test_what_is_met_never_hinders_and_a_refusal_names_what_does(
    needs: Needs, known: Known, stage: Stage, until: date | None
) -> None:
    items = read(needs, known, stage=stage, on=ON, wait_until=until)
    assert not any(item.is_met and item.hinders for item in items)
    decision = decide(items)
    assert isinstance(decision, Refused) is any(item.hinders for item in items)


@given(needs_any, known_any, dates)
def test_who_may_ask_may_book_until_a_waiting_paper_is_due(needs: Needs, known: Known, until: date | None) -> None:
    """The planning never asks for more than the enrolment did, but for papers whose date has come."""
    if isinstance(decide(read(needs, known, stage=Stage.ASKING, on=ON)), Refused):
        return
    refusal = decide(read(needs, known, stage=Stage.BOOKING, on=ON, wait_until=until))
    if isinstance(refusal, Refused):
        assert until is not None and until < ON
        assert set(refusal.facts["papers"]) <= needs.may_wait  # type: ignore[call-overload]


@given(needs_any, known_any, stages, slugs)
def test_handing_a_paper_in_never_hinders_more(needs: Needs, known: Known, stage: Stage, slug: str) -> None:
    after = Known(
        dossier=known.dossier,
        health=known.health,
        papers={**known.papers, slug: PaperState.TO_REVIEW},
        answered=known.answered,
        accepted_terms=known.accepted_terms,
        outdated_terms=known.outdated_terms,
    )
    count = [sum(i.hinders for i in read(needs, one, stage=stage, on=ON)) for one in (known, after)]
    assert count[1] <= count[0]


def test_it_is_for_the_family_unless_it_is_met_or_an_agent_has_it() -> None:
    told = {state for state in State if Item(kind=Kind.PAPER, state=state, hinders=False).is_for_family}
    assert told == set(State) - {State.MET, State.WAITING}
