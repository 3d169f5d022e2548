"""Where a paper stands, on a day, from the documents handed in (docs/algorithms/papers.md)."""

from datetime import UTC, date, datetime, timedelta

import pytest

from marelle.rules.papers import NOTHING, DocumentState, Handed, PaperRule, PaperState, months_after, standing

YEARLY = PaperRule(each_year=True)
TWO_YEARS = PaperRule(valid_months=24)
ON = date(2026, 11, 10)
AT = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


def handed(state: DocumentState, *, until: date | None = None, day: int = 0, reason: str = "", key: str = "") -> Handed:
    return Handed(key=key or state.value, state=state, at=AT + timedelta(days=day), valid_until=until, reason=reason)


def test_nothing_handed_in_is_missing_and_so_is_what_was_taken_back() -> None:
    gone = [handed(DocumentState.REPLACED), handed(DocumentState.WITHDRAWN)]
    assert standing(YEARLY, [], on=ON) == standing(YEARLY, gone, on=ON) == NOTHING
    assert NOTHING.to_do and not NOTHING.is_given


def test_what_waits_is_given_and_opens_nothing() -> None:
    found = standing(YEARLY, [handed(DocumentState.TO_REVIEW)], on=ON)
    assert (found.state, found.holds, found.is_given, found.to_do) == (PaperState.TO_REVIEW, False, True, False)


def test_a_refusal_says_why_until_another_is_given() -> None:
    refused = handed(DocumentState.REFUSED, reason="La date est illisible.")
    assert standing(YEARLY, [refused], on=ON).reason == "La date est illisible."
    again = handed(DocumentState.TO_REVIEW, day=2)
    assert standing(YEARLY, [again, refused], on=ON).state is PaperState.TO_REVIEW


@pytest.mark.parametrize(
    ("until", "state"),
    [
        (None, PaperState.ACCEPTED),
        (ON + timedelta(days=31), PaperState.ACCEPTED),
        (ON + timedelta(days=30), PaperState.EXPIRING),
        (ON, PaperState.EXPIRING),
        (ON - timedelta(days=1), PaperState.EXPIRED),
    ],
)
def test_the_end_of_a_document_counts_to_the_day(until: date | None, state: PaperState) -> None:
    found = standing(TWO_YEARS, [handed(DocumentState.ACCEPTED, until=until)], on=ON)
    assert (found.state, found.valid_until) == (state, until)
    assert found.holds == (state is not PaperState.EXPIRED)


def test_a_yearly_paper_never_expires_soon_and_a_town_may_say_nothing_ahead() -> None:
    soon = [handed(DocumentState.ACCEPTED, until=ON + timedelta(days=3))]
    assert standing(YEARLY, soon, on=ON).state is PaperState.ACCEPTED
    assert standing(PaperRule(own_end=True, remind_days=0), soon, on=ON).state is PaperState.ACCEPTED


def test_the_next_document_closes_nothing_that_the_first_opened() -> None:
    old = handed(DocumentState.ACCEPTED, until=ON + timedelta(days=3), key="old")
    waiting = standing(TWO_YEARS, [old, handed(DocumentState.TO_REVIEW, day=5)], on=ON)
    assert (waiting.state, waiting.key, waiting.awaiting, waiting.to_do) == (PaperState.ACCEPTED, "old", True, False)
    refused = standing(TWO_YEARS, [old, handed(DocumentState.REFUSED, day=5, reason="Floue.")], on=ON)
    assert (refused.state, refused.holds, refused.reason) == (PaperState.EXPIRING, True, "Floue.")
    new = handed(DocumentState.ACCEPTED, until=ON + timedelta(days=700), day=5, key="new")
    assert standing(TWO_YEARS, [new, old], on=ON).key == "new"


def test_months_end_where_their_month_does() -> None:
    assert months_after(date(2026, 11, 30), 3) == date(2027, 2, 28)
    assert months_after(date(2026, 8, 15), 3) == date(2026, 11, 15)
    assert months_after(date(2026, 1, 31), 12) == date(2027, 1, 31)


def test_the_end_that_an_agent_is_shown_follows_the_towns_rule() -> None:
    day, end, year = date(2026, 9, 10), date(2027, 3, 1), date(2027, 8, 31)
    shown = {
        rule: rule.proposed_end(issued_on=day, handed_on=ON, said=end, year_end=year)
        for rule in (PaperRule(), YEARLY, TWO_YEARS, PaperRule(own_end=True))
    }
    assert list(shown.values()) == [None, year, date(2028, 9, 10), end]
    assert TWO_YEARS.proposed_end(issued_on=None, handed_on=ON) == date(2028, 11, 10)


def test_an_old_document_is_not_taken() -> None:
    rule = PaperRule(max_age_months=3)
    assert not rule.is_too_old(issued_on=date(2026, 8, 10), on=ON)
    assert rule.is_too_old(issued_on=date(2026, 8, 9), on=ON)
    assert not PaperRule().is_too_old(issued_on=date(1990, 1, 1), on=ON)
