"""Export then read is the identity, for any town that the grammar can say."""

from __future__ import annotations

import dataclasses
from datetime import date, time, timedelta
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from marelle import townfile
from marelle.rules.limits import Limit, from_midnight, limit_from_plain, limit_to_plain
from marelle.townfile.checks import check_service, check_town
from marelle.townfile.kinds import Reading
from marelle.townfile.town import CapacityChange, ClosedDays, LimitPair, Service, Texts, Town, Who
from tests.rules.test_properties import limits, moments

CADOURS = townfile.read(Path(__file__).parents[2] / "marelle" / "demo" / "towns" / "cadours.toml")

lines = st.text(max_size=80).filter(lambda text: text == "" or bool(text.strip()))
printable = lines.map(lambda text: "".join(c for c in text if ord(c) >= 32 and c != "\x7f")).filter(str.strip)
paragraphs = st.lists(printable, min_size=1, max_size=4).map("\n".join) | st.just("")
days = st.dates(date(2026, 9, 1), date(2027, 8, 31))
spans = st.builds(
    lambda name, first, length: ClosedDays(name=name, first_day=first, last_day=first + timedelta(days=length)),
    printable,
    days,
    st.integers(1, 20),
)
said = limits.map(lambda limit: limit_from_plain(limit_to_plain(limit)))


@st.composite
def services(draw: st.DrawFn, service: Service) -> Service:
    book: Limit = draw(said)
    units = tuple(
        dataclasses.replace(
            unit,
            name=draw(printable)[:60].strip() or "x",
            starts_at=draw(st.none() | st.just(time(8))),
            ends_at=draw(st.none() | st.just(time(9, 30))),
            meal=draw(st.booleans()),
            limits=draw(st.just(LimitPair()) | st.builds(LimitPair, book=said, cancel=st.none() | said)),
        )
        for unit in service.units
    )
    groups = tuple(
        dataclasses.replace(
            group,
            capacity=draw(st.none() | st.integers(0, 500)),
            margin=draw(st.integers(0, 9)),
            who=draw(st.builds(Who, min_age=st.none() | st.integers(0, 6), max_age=st.none() | st.integers(6, 18))),
            by_unit=draw(st.just(()) | st.just(((units[0].slug, 7),))),
            changes=draw(
                st.lists(
                    st.builds(
                        CapacityChange, first_day=st.just(date(2026, 9, 1)), last_day=days, capacity=st.integers(0, 9)
                    ),
                    max_size=2,
                    unique=True,
                ).map(tuple)
            ),
        )
        for group in service.groups
    )
    opens = draw(st.none() | moments)
    periods = dataclasses.replace(service.periods, opens=None if opens is None else from_midnight(opens))
    return dataclasses.replace(
        service,
        name=draw(printable),
        description=draw(paragraphs),
        limits=LimitPair(book=book, cancel=draw(st.none() | said)),
        units=units,
        groups=groups,
        periods=periods,
        open=dataclasses.replace(
            service.open,
            weekdays=tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1)))),
            closed=tuple(dict.fromkeys(draw(st.lists(spans, max_size=2)))),
            also=tuple(dict.fromkeys(draw(st.lists(days, max_size=3)))),
        ),
    )


@st.composite
def towns(draw: st.DrawFn) -> Town:
    municipality = dataclasses.replace(
        CADOURS.municipality,
        name=draw(printable),
        texts=draw(st.builds(Texts, welcome=paragraphs, help=paragraphs, privacy=paragraphs)),
    )
    calendar = dataclasses.replace(
        CADOURS.calendar,
        school_weekdays=tuple(sorted(draw(st.sets(st.integers(0, 6), min_size=1)))),
        closures=tuple(dict.fromkeys(draw(st.lists(spans, max_size=3)))),
    )
    changed = draw(st.sampled_from(CADOURS.services).flatmap(services))
    return dataclasses.replace(
        CADOURS,
        municipality=municipality,
        calendar=calendar,
        services=tuple(changed if one.slug == changed.slug else one for one in CADOURS.services),
    )


@settings(max_examples=60)
@given(towns())
def test_export_then_read_is_the_identity(town: Town) -> None:
    reading = Reading(townfile.to_plain(town))
    for service in town.services:
        check_service(service, reading)
    check_town(town, reading)
    assume(not reading.faults)
    text = townfile.write(town)
    again = townfile.read_text(text)
    assert again == town
    assert townfile.diff(town, again) == []
    assert townfile.write(again) == text
