"""A grid's rows, written from pre-formatted strings as its tiles are: a year has forty of them."""

from html import escape

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from marelle.foundation.components.grid import Day, Grid, Mark, Week
from marelle.foundation.components.menu import menu_html
from marelle.foundation.components.tile import tiles_html
from marelle.foundation.icons import chosen_icon, icon


def rows_html(grid: Grid) -> SafeString:
    """The body of the table: a row for each week, or in the week view for each day."""
    language = get_language()
    return mark_safe("\n".join([_past(week, grid) if week.past else _row(week, grid, language) for week in grid.weeks]))


def _past(week: Week, grid: Grid) -> str:
    link = ""
    if week.href:
        link = f' <a href="{escape(week.href)}">{escape(_("Revoir"))}<span class="vh"> {escape(week.link)}</span></a>'
    return (
        f'<tr class="is-past"><th scope="row">{escape(week.label)}<small>{escape(week.span)}</small></th>'
        f'<td colspan="{len(grid.columns)}"><p class="pastrow">{icon("check-check", "i--sm")}{escape(week.summary)}'
        f"{link}</p></td></tr>"
    )


def _row(week: Week, grid: Grid, language: str | None) -> str:
    head = escape(week.label)
    if grid.groups:
        now = ' aria-current="date"' if week.today else ""
        if week.href:
            hidden = f'<span class="vh"> : {escape(week.link)}</span>'
            head = f'<a class="dayrow" href="{escape(week.href)}"{now}>{head}{hidden}</a>'
        else:
            head = f'<span class="dayrow"{now}>{head}</span>'
    head += f"<small>{escape(week.span)}</small>"
    if week.due:
        head += _due(week)
    if not grid.reading:
        if week.menu:
            head += menu_html(week.menu, short=True)
        if packed := week.packed:
            head += f'<input type="hidden" name="{escape(grid.seen_name)}" value="{escape(packed)}">'
    if week.closed is None:
        cells = "".join([cell_html(day, grid, language) for day in week.days])
    elif grid.picks:
        cells = "".join(
            f'<td class="of-{rank}{" kid-start" if rank else ""}" colspan="{group.span}">{_shut(week.closed)}</td>'
            for rank, group in enumerate(grid.groups)
        )
    else:
        cells = f'<td colspan="{len(grid.columns)}">{_shut(week.closed)}</td>'
    return f'<tr><th scope="row">{head}</th>{cells}</tr>'


def _shut(mark: Mark) -> str:
    return (
        f'<div class="tile tile--wide" data-was="{escape(mark.css)}">{chosen_icon(mark.icon)}'
        f'<span class="tile__txt">{escape(mark.word)}</span></div>'
    )


def _due(day: Day | Week, sign: str = "") -> str:
    """Until when it may change, on the day itself."""
    return (
        f'<span class="day__due" id="{escape(day.due_id)}">{sign}<span class="vh">{escape(day.due_words)}</span>'
        f'<span aria-hidden="true"><span class="mob-hide">{escape(_("jusqu’à"))} </span>{escape(day.due)}</span></span>'
    )


def cell_html(day: Day, grid: Grid, language: str | None) -> str:
    """A date's cell: its head, then its tiles or why it is shut."""
    names = [f"of-{day.group}"] if grid.groups else []
    if day.starts:
        names.append("kid-start")
    if day.today or day.outside:
        names.append("is-today" if day.today else "is-out")
    css = f' class="{" ".join(names)}"' if names else ""
    head = ""
    if day.number:
        now = ' aria-current="date"' if day.today else ""
        inside = f'{escape(day.number)}<span class="vh"> {escape(day.title)}</span>'
        if day.href:
            inside = f'<a class="day__num" href="{escape(day.href)}"{now}>{inside}</a>'
        else:
            inside = f'<span class="day__num"{now}>{inside}</span>'
        if day.due:
            inside += _due(day, icon("clock-alert"))
        elif day.aside:
            inside += f'<span class="day__aside">{escape(day.aside)}</span>'
        head = f'<div class="day__head">{inside}</div>'
    if day.closed:
        body = (
            f'<div class="tile tile--shut" data-was="{escape(day.closed.css)}"><span class="tile__txt">'
            f'<span class="tile__label">{escape(day.closed.word)}</span></span>{chosen_icon(day.closed.icon)}</div>'
        )
    else:
        body = tiles_html(day, grid, language)
    return f'<td{css}><div class="day">{head}{body}</div></td>'
