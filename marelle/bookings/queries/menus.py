"""A planning's menus, for families and agents, and the order that each of their buttons gives. Every item is a submit
button: the server ticks, since only it knows what cannot be, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from marelle.activities.models import Unit
from marelle.bookings.models import Enrolment
from marelle.bookings.queries.days import DayState
from marelle.foundation.components.grid import Kid, Menu, MenuItem
from marelle.foundation.sentences import day_words, midsentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Tick or untick the days shown, a week of them (its Monday), or the whole period; of a weekday, a child, a unit if
    so said. As text, the value of a button: "on:shown:d0:c12:u5", "off:period", "on:2026-11-16"."""

    on: bool
    span: str = "shown"
    weekday: int | None = None
    child: int | None = None
    unit: int | None = None

    def __str__(self) -> str:
        parts = ["on" if self.on else "off", self.span]
        for letter, value in (("d", self.weekday), ("c", self.child), ("u", self.unit)):
            if value is not None:
                parts.append(f"{letter}{value}")
        return ":".join(parts)

    @classmethod
    def parse(cls, text: str) -> "Order | None":
        """The order that a button gave; None for what is not one."""
        sets, _cut, rest = text.partition(":")
        span, *parts = rest.split(":")
        said = {part[:1]: part[1:] for part in parts}
        if sets not in ("on", "off") or any(name not in "dcu" or not n.isdecimal() for name, n in said.items()):
            return None
        if span not in ("shown", "period"):
            try:
                date.fromisoformat(span)
            except ValueError:
                return None
        numbers = {name: int(number[:9]) for name, number in said.items()}
        return cls(
            on=sets == "on",
            span=span,
            weekday=numbers.get("d"),
            child=numbers.get("c"),
            unit=numbers.get("u"),
        )

    def takes(self, state: DayState, *, first: date, last: date) -> bool:
        """Whether the order is about this cell. `first` and `last`: those of the days shown, or of the period."""
        if self.span not in ("shown", "period"):
            if state.day.isocalendar()[:2] != date.fromisoformat(self.span).isocalendar()[:2]:
                return False
        elif not first <= state.day <= last:
            return False
        return (
            (self.weekday is None or state.day.weekday() == self.weekday)
            and (self.child is None or state.enrolment.child_id == self.child)
            and (self.unit is None or state.unit.id == self.unit)
        )


def wholes(units: Sequence[Unit]) -> list[Unit | None]:
    """What "the whole week" may mean: everything at once, or one unit at a time where units are made of others (a day
    and its mornings exclude each other)."""
    composed = any(unit.component_ids != (unit.id,) for unit in units)
    return [*units] if composed else [None]


def column_menu(
    weekday: int,
    kids: Mapping[int, Kid],
    enrolments: Sequence[Enrolment],
    units: Sequence[Unit],
    *,
    whole: bool = False,
) -> Menu:
    """A weekday's. `whole`: the whole period is shown, so there is no more of it to act on."""
    name = str(WEEKDAYS[weekday])
    children = list({e.child_id: kids[e.child_id] for e in enrolments if e.child_id in kids}.values())
    items: list[MenuItem] = []
    for unit in wholes(units):
        mine = unit.id if unit else None
        of = f" : {midsentence(unit.name)}" if unit else ""
        items.append(
            MenuItem(
                value=str(Order(on=True, weekday=weekday, unit=mine)),
                label=_("Réserver les %(day)ss affichés") % {"day": name} + of,
                icon="check-check",
                title=_("Les %(day)ss") % {"day": name} if not items else "",
            )
        )
        if not whole:
            items.append(
                MenuItem(
                    value=str(Order(on=True, span="period", weekday=weekday, unit=mine)),
                    label=_("Réserver les %(day)ss de toute la période") % {"day": name} + of,
                    icon="calendar-days",
                )
            )
        if len(children) > 1 and unit is None:
            items += [
                MenuItem(
                    value=str(Order(on=True, weekday=weekday, child=int(kid.key))),
                    label=_("Pour %(name)s seulement") % {"name": kid.name},
                    kid=kid,
                )
                for kid in children
            ]
    items.append(
        MenuItem(
            value=str(Order(on=False, weekday=weekday)),
            label=_("Annuler les %(day)ss affichés") % {"day": name},
            icon="minus",
        )
    )
    if not whole:
        items.append(
            MenuItem(
                value=str(Order(on=False, span="period", weekday=weekday)),
                label=_("Annuler les %(day)ss de toute la période") % {"day": name},
                icon="calendar-x-2",
            )
        )
    return Menu(label=_("Tous"), hidden=_(" les %(day)ss : réserver ou annuler") % {"day": name}, items=tuple(items))


def unit_menu(kid: Kid, unit: Unit) -> Menu:
    """A unit's column in the week view: the five actions, for one child."""
    child = int(kid.key)

    def order(*, on: bool, span: str) -> str:
        return str(Order(on=on, span=span, child=child, unit=unit.id))

    return Menu(
        label=_("Tous"),
        hidden=_(", %(unit)s, %(name)s : réserver ou annuler") % {"unit": midsentence(unit.name), "name": kid.name},
        items=(
            MenuItem(
                value=order(on=True, span="shown"),
                label=_("Réserver les jours affichés"),
                icon="check-check",
                title=_("%(name)s, %(unit)s") % {"name": kid.name, "unit": midsentence(unit.name)},
            ),
            MenuItem(value=order(on=True, span="period"), label=_("Réserver toute la période"), icon="calendar-days"),
            MenuItem(value=order(on=False, span="shown"), label=_("Annuler les jours affichés"), icon="minus"),
            MenuItem(value=order(on=False, span="period"), label=_("Annuler toute la période"), icon="calendar-x-2"),
            MenuItem(value=f"range:{child}.{unit.id}", label=_("Choisir des jours…"), icon="repeat"),
        ),
    )


def row_menu(monday: date, units: Sequence[Unit]) -> Menu:
    span = monday.isoformat()
    return Menu(
        label=_("Semaine"),
        hidden=_(" du %(day)s : réserver ou annuler") % {"day": day_words(monday)},
        items=(
            *(
                MenuItem(
                    value=str(Order(on=True, span=span, unit=unit.id if unit else None)),
                    label=_("Réserver la semaine") + (f" : {midsentence(unit.name)}" if unit else ""),
                    icon="check-check",
                )
                for unit in wholes(units)
            ),
            MenuItem(value=str(Order(on=False, span=span)), label=_("Annuler la semaine"), icon="minus"),
        ),
    )


def whole_menu(units: Sequence[Unit], *, book: str, cancel: str) -> Menu:
    """The "Tout" menu above the grid. `book` and `cancel`: what its items say of the stretch shown."""
    return Menu(
        label=_("Tout"),
        hidden=_(" : réserver ou annuler"),
        items=(
            *(
                MenuItem(
                    value=str(Order(on=True, unit=unit.id if unit else None)),
                    label=book + (f" : {midsentence(unit.name)}" if unit else ""),
                    icon="check-check",
                )
                for unit in wholes(units)
            ),
            MenuItem(value=str(Order(on=False)), label=cancel, icon="minus"),
            MenuItem(value="undo", label=_("Effacer mes changements"), icon="undo-2", scope="all", sets="undo"),
        ),
    )
