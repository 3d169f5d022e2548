"""The typical week's form: children × weekdays, pre-ticked with the usual days."""

from dataclasses import dataclass

from django.utils.dates import WEEKDAYS

from marelle.activities.models import SchoolYear
from marelle.bookings.queries.days import Days
from marelle.foundation.components.grid import Kid
from marelle.portal.planning.months import Month
from marelle.portal.planning.place import Place


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
    month: str
    month_words: str
    year_label: str


def template_form(place: Place, days: Days, month: Month) -> TemplateForm:
    """Children × weekdays, ticked as the enrolment's usual days say; the weekdays are those of the months shown."""
    weekdays = sorted({state.day.weekday() for state in days.states.values() if state.places}) or [0, 1, 3, 4]
    units = days.units[place.service.id]
    year = year_of(place, month)
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
                            ticked=weekday in enrolment.usual_weekdays,
                        )
                        for weekday in weekdays
                    ],
                )
            )
    return TemplateForm(
        weekdays=[str(WEEKDAYS[weekday]).capitalize() for weekday in weekdays],
        rows=rows,
        month=str(month),
        month_words=month.words,
        year_label=year.label,
    )


def year_of(place: Place, month: Month) -> SchoolYear:
    """Of the school years that the children are enrolled for, the one in which the month ends, else the nearest."""
    years = sorted({enrolment.school_year for enrolment in place.enrolments}, key=lambda year: year.first_day)
    return next((year for year in reversed(years) if year.first_day <= month.last_day), years[0])
