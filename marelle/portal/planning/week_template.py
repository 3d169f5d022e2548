"""The typical week's form: children × weekdays, pre-ticked with the usual days."""

from dataclasses import dataclass

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from marelle.activities.models import SchoolYear
from marelle.bookings.queries.days import Days
from marelle.bookings.queries.menus import wholes
from marelle.bookings.queries.months import Month
from marelle.foundation.components.grid import Kid
from marelle.portal.planning.place import Place
from marelle.portal.planning.stretches import Stretch


@dataclass(frozen=True, slots=True)
class TemplateBox:
    name: str
    weekday: str
    ticked: bool


@dataclass(frozen=True, slots=True)
class TemplateRow:
    kid: Kid
    unit: str
    boxes: list[TemplateBox | None]


@dataclass(frozen=True, slots=True)
class TemplateForm:
    weekdays: list[str]
    rows: list[TemplateRow]
    stretch: Stretch
    year: str


def template_form(place: Place, days: Days, stretch: Stretch) -> TemplateForm:
    """Children × weekdays, ticked as the enrolment's usual days say; the weekdays are those of the stretch shown. Where
    units are made of others nothing is ticked: nobody comes for the morning and for the whole day."""
    weekdays = sorted({state.day.weekday() for state in days.states.values() if state.places}) or [0, 1, 3, 4]
    units = days.units[place.service.id]
    usual = wholes(units) == [None]
    year = year_of(place, stretch.month)
    rows = []
    for enrolment in place.enrolments:
        kid = place.kids.get(enrolment.child_id)
        if kid is None or enrolment.school_year != year:
            continue
        for unit in units:
            rows.append(
                TemplateRow(
                    kid=kid,
                    unit=unit.name if len(units) > 1 else "",
                    boxes=[
                        TemplateBox(
                            name=f"{enrolment.child_id}.{unit.id}.{weekday}",
                            weekday=str(WEEKDAYS[weekday]),
                            ticked=usual and weekday in enrolment.usual_weekdays,
                        )
                        for weekday in weekdays
                    ],
                )
            )
    return TemplateForm(
        weekdays=[str(WEEKDAYS[weekday]).capitalize() for weekday in weekdays],
        rows=rows,
        stretch=stretch,
        year=_("Année scolaire %(year)s") % {"year": year.label},
    )


def year_of(place: Place, month: Month) -> SchoolYear:
    """Of the school years that the children are enrolled for, the one in which the month ends, else the nearest."""
    years = sorted({enrolment.school_year for enrolment in place.enrolments}, key=lambda year: year.first_day)
    return next((year for year in reversed(years) if year.first_day <= month.last_day), years[0])
