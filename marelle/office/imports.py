"""What the agents' pages show of an import: its rows, by kind, and the file of what was refused."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marelle.accounts.models import AgentRole
from marelle.families.imports.labels import CHANGED, todo_words, why_words
from marelle.families.imports.planning import Change, Plan, PlannedHome, changed_children
from marelle.families.imports.remarks import Remark
from marelle.families.imports.sheets import safe_cell
from marelle.families.models import ImportRun
from marelle.families.spelling import plain
from marelle.office.mails import DESK
from marelle.office.queue import sites_of


def may_import(role: AgentRole) -> bool:
    """Bringing in families and inviting many at once is for those who answer for the whole town."""
    return role.kind in DESK and not sites_of(role)


@dataclass(frozen=True, slots=True)
class Home:
    adults: str
    address: str
    known: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: a child with its homes, one change of a child, or one remark."""

    name: str
    under: str = ""
    line: int = 0
    homes: list[Home] = field(default_factory=list)
    label: str = ""
    old: str = ""
    new: str = ""
    key: str = ""
    kept: bool = False
    text: str = ""
    todo: str = ""
    source: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """One of the preview's tables. `count`: its key in the run's counts."""

    slug: str
    label: Promise | str
    count: str
    rows: Callable[[Plan, ImportRun], list[Row]]


def children_rows(plan: Plan, indexes: list[int]) -> list[Row]:
    homes_of = plan.homes_of()
    rows = []
    for index in indexes:
        child = plan.children[index]
        rows.append(
            Row(
                name=str(child),
                under=", ".join(part for part in (child.level, child.class_name, child.school_name) if part),
                line=child.line,
                homes=[home_row(plan, plan.homes[home]) for home in homes_of.get(index, [])],
            )
        )
    return rows


def home_row(plan: Plan, home: PlannedHome) -> Home:
    adults = [str(plan.adults[index]) for index in home.adults]
    return Home(
        _(" et ").join(adults), ", ".join(part for part in (home.address, home.city) if part), home.id is not None
    )


def new(plan: Plan, run: ImportRun) -> list[Row]:
    return children_rows(plan, [index for index, child in enumerate(plan.children) if child.id is None])


def two_homes(plan: Plan, run: ImportRun) -> list[Row]:
    return children_rows(plan, [index for index, homes in sorted(plan.homes_of().items()) if len(homes) > 1])


def unchanged(plan: Plan, run: ImportRun) -> list[Row]:
    changed = changed_children(plan)
    return children_rows(
        plan, [index for index, child in enumerate(plan.children) if child.id is not None and index not in changed]
    )


def changes(plan: Plan, run: ImportRun) -> list[Row]:
    rows = []
    for index, found in sorted(changed_children(plan).items()):
        for change in found:
            rows.append(
                Row(
                    name=str(plan.children[index]),
                    under=plan.children[index].school_name,
                    label=str(CHANGED[change.field]),
                    old=said(change, change.old),
                    new=said(change, change.new),
                    key=change.key,
                    kept=change.key in run.kept,
                )
            )
    return rows


def said(change: Change, value: str) -> str:
    if change.field == "birth_date" and value:
        return date.fromisoformat(value).strftime("%d/%m/%Y")
    return value


def refused(plan: Plan, run: ImportRun) -> list[Row]:
    return [remark_row(remark) for remark in plan.remarks if remark.why.refuses]


def to_check(plan: Plan, run: ImportRun) -> list[Row]:
    return [remark_row(remark) for remark in plan.remarks if not remark.why.refuses]


def remark_row(remark: Remark) -> Row:
    return Row(
        name=remark.who or _("(vide)"),
        line=remark.line,
        text=why_words(remark.why, remark.facts),
        todo=todo_words(remark.why),
        source=remark.source,
    )


def absent(plan: Plan, run: ImportRun) -> list[Row]:
    return [Row(name=name) for _id, name in plan.absent]


VIEWS = (
    View("refus", gettext_lazy("Lignes refusées"), "refused", refused),
    View("nouveaux", gettext_lazy("Nouveaux enfants"), "new_children", new),
    View("deux-foyers", gettext_lazy("Deux foyers"), "two_homes", two_homes),
    View("changements", gettext_lazy("Changements"), "changed", changes),
    View("a-verifier", gettext_lazy("À vérifier"), "remarks", to_check),
    View("inchanges", gettext_lazy("Sans changement"), "unchanged", unchanged),
    View("absents", gettext_lazy("Absents du fichier"), "absent", absent),
)


def view_of(slug: str, run: ImportRun) -> View:
    """The table asked for, else the first that holds something."""
    held = [view for view in VIEWS if run.counts.get(view.count)]
    return next((view for view in VIEWS if view.slug == slug), held[0] if held else VIEWS[1])


def found(rows: list[Row], words: str) -> list[Row]:
    """The rows that hold every one of these words."""
    wanted = plain(words).split()
    if not wanted:
        return rows
    return [row for row in rows if all(word in plain(spoken(row)) for word in wanted)]


def spoken(row: Row) -> str:
    homes = " ".join(f"{home.adults} {home.address}" for home in row.homes)
    return f"{row.name} {row.under} {row.line or ''} {homes} {row.label} {row.old} {row.new} {row.text}"


def refused_csv(run: ImportRun) -> bytes:
    """The refused lines and what to check, for a spreadsheet: nothing in it can be taken for a formula."""
    assert run.plan is not None
    plan = Plan.from_json(run.plan)
    sources = run.name.split(" + ")
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow([_("Fichier"), _("Ligne"), _("Qui"), _("Suite"), _("Pourquoi"), _("Que faire")])
    for remark in plan.remarks:
        row = remark_row(remark)
        follow = _("Refusée") if remark.why.refuses else _("Prise, à vérifier")
        cells = [sources[row.source] if row.source < len(sources) else "", str(row.line), row.name, follow, row.text]
        writer.writerow([safe_cell(cell) for cell in [*cells, row.todo]])
    return "\ufeff".encode() + out.getvalue().encode()
