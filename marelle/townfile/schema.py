"""The town's file as JSON Schema (2020-12), for editors. What several keys must be together is not in it."""

from __future__ import annotations

from typing import Any

from marelle.rules.limits import WEEKDAYS
from marelle.townfile.town import TOWN

_CLOCK = {"type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"}
_OF_THE_DAY = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": 1000}
_LIMIT = {"$ref": "#/$defs/limit"}
_DAY = {"type": "string", "format": "date"}


def json_schema() -> dict[str, Any]:
    """The schema, made from the same declarations as the reading."""
    weekday = {"enum": list(WEEKDAYS)}
    by_weekday = {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(WEEKDAYS, _LIMIT)}
    with_any = {**by_weekday, "properties": {**dict.fromkeys(WEEKDAYS, _LIMIT), "any": _LIMIT}}
    keys: dict[str, Any] = {
        "days": {**_COUNT, "description": "Calendar days before."},
        "week_days": {**_COUNT, "description": "Days before, week-ends not counted."},
        "working_days": {**_COUNT, "description": "Working days before (Monday to Friday, no public holidays)."},
        "clear_days": {**_COUNT, "description": "Clear days: neither the first nor the last counts."},
        "school_days": {**_COUNT, "description": "School days before."},
        "hours": {**_COUNT, "description": "Hours before the unit's start."},
        "working_hours": {**_COUNT, "description": "Hours before, on a clock that runs on working days."},
        "same_day": {**_OF_THE_DAY, "description": "The day itself, at that time."},
        "until_start": {"const": True, "description": "Until the unit starts."},
        "never": {"const": True, "description": "Not on line."},
        "last": {**weekday, "description": "The last such weekday strictly before."},
        "previous_week": {**weekday, "description": "That weekday of the week before."},
        "weeks": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "previous_week: how many weeks."},
        "by_weekday": {**by_weekday, "description": "A limit for each weekday of the day booked."},
        "before_holidays": {**_LIMIT, "description": "Counted from the first day of the holidays."},
        "before_term": {**_LIMIT, "description": "Counted from the first day of the term."},
        "by_period": {"type": "object", "additionalProperties": _DAY, "description": "A date for each period."},
        "on": {**_DAY, "description": "That date."},
        "at": {**_CLOCK, "description": "Time of day; 24:00 of the day reached when absent."},
        "on_closed_day": {"enum": ["stay", "earlier", "later"], "description": "On a public holiday or closed day."},
        "holiday_week": {**with_any, "description": "In a week where that weekday is shut."},
        "return_day": {**_LIMIT, "description": "For the first school day after holidays."},
        "opens": {**_LIMIT, "description": "A window's opening."},
        "closes": {**_LIMIT, "description": "A window's closing."},
        "reopens": {**_LIMIT, "description": "When it opens again, with then."},
        "then": {**_LIMIT, "description": "The limit after the window."},
    }
    names = "|".join(WEEKDAYS)
    limit = {
        "description": 'A limit: one kind of key, with its exceptions; or "friday 11:00" for the last Friday before.',
        "oneOf": [
            {"type": "string", "pattern": f"^({names}) (([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"},
            {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": keys},
        ],
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Marelle: a town's file",
        **TOWN.schema(),
        "$defs": {"limit": limit},
    }
