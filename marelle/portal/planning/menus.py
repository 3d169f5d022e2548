"""The planning's menus: a column, a row, the whole month. Each item is a submit button; JavaScript makes it quick."""

from collections.abc import Mapping, Sequence
from datetime import date

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from marelle.bookings.models import Enrolment
from marelle.foundation.components.grid import Kid, Menu, MenuItem
from marelle.foundation.sentences import day_words
from marelle.portal.planning.months import Month


def column_menu(weekday: int, kids: Mapping[int, Kid], enrolments: Sequence[Enrolment]) -> Menu:
    name = str(WEEKDAYS[weekday])
    children = list({e.child_id: kids[e.child_id] for e in enrolments if e.child_id in kids}.values())
    items = [
        MenuItem(
            value=f"col-{weekday}-on", label=_("Réserver les %(day)ss affichés") % {"day": name}, icon="check-check",
            scope="col", title=_("Les %(day)ss affichés") % {"day": name},
        )
    ]  # fmt: skip
    if len(children) > 1:
        items += [
            MenuItem(
                value=f"col-{weekday}-on-{kid.key}",
                label=_("Pour %(name)s seulement") % {"name": kid.name},
                kid=kid,
                scope="col",
            )
            for kid in children
        ]
    items.append(
        MenuItem(
            value=f"col-{weekday}-off",
            label=_("Annuler les %(day)ss affichés") % {"day": name},
            icon="minus",
            scope="col",
            sets="off",
        )
    )
    return Menu(label=_("Tous"), hidden=_(" les %(day)ss : réserver ou annuler") % {"day": name}, items=tuple(items))


def row_menu(monday: date) -> Menu:
    value = monday.isoformat()
    return Menu(
        label=_("Semaine"),
        hidden=_(" du %(day)s : réserver ou annuler") % {"day": day_words(monday)},
        items=(
            MenuItem(value=f"row-{value}-on", label=_("Réserver la semaine"), icon="check-check", scope="row"),
            MenuItem(value=f"row-{value}-off", label=_("Annuler la semaine"), icon="minus", scope="row", sets="off"),
        ),
    )


def whole_menu(month: Month) -> Menu:
    """The "Tout" menu above the grid."""
    return Menu(
        label=_("Tout"),
        hidden=_(" le mois : réserver ou annuler"),
        items=(
            MenuItem(value="all-on", label=_("Réserver tout le mois"), icon="check-check", scope="all"),
            MenuItem(value="all-off", label=_("Tout annuler ce mois-ci"), icon="minus", scope="all", sets="off"),
            MenuItem(value="undo", label=_("Effacer mes changements"), icon="undo-2", scope="all", sets="undo"),
        ),
    )
