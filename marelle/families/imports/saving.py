"""The life of an import: handed in, matched, read, saved all at once, undone.

What is long is done by the worker (`tick`); short files are read while the agent waits. One transaction writes an
import or nothing; the plan is made anew there, under the lock that new families take, so that what was shown is what is
written, or else is shown again.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.activities.models import Municipality, Site
from marelle.activities.queries import municipality
from marelle.families.imports.columns import is_guardians_file, is_pupils_file, missing, recognised, signature, usable
from marelle.families.imports.people import People, read_onde, read_spreadsheet
from marelle.families.imports.planning import Plan, plan_import
from marelle.families.imports.sheets import Sheet, read_sheet
from marelle.families.models import (
    Child,
    ColumnMatch,
    Guardian,
    Guardianship,
    Household,
    ImportRun,
    ImportState,
    Residence,
)
from marelle.families.spelling import plain
from marelle.foundation import audit
from marelle.foundation.audit import Actor
from marelle.foundation.files import store
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.models import AuditLine, StoredFile

#: A file of more lines is read and saved by the worker, its page saying where it stands.
AT_ONCE = 600
#: How long an import can be undone.
UNDO = timedelta(hours=24)
#: How long the files, what they said and what undoing needs are kept.
KEPT = timedelta(days=30)
#: A worker that began and said nothing since is taken for dead.
LEASE = timedelta(minutes=10)
BATCH = 500


class TwoFilesNeeded(Exception):
    """One half of a school's export: `missing` is "pupils" or "guardians"."""

    def __init__(self, missing: str) -> None:
        super().__init__(missing)
        self.missing = missing


class TooManyFiles(Exception):
    """Two files that are not a school's pair."""


class NoLongerUndone(Exception):
    """Too late to undo, or somebody wrote since: `touched` names the families."""

    def __init__(self, touched: Iterable[str] = ()) -> None:
        self.touched = list(touched)
        super().__init__(", ".join(self.touched))


# ── handing in ──────────────────────────────────────────────────────────────────────────────────────────────────────


def begin_import(*, files: list[tuple[str, bytes]], school: Site | None, by: Actor, at: datetime) -> ImportRun:
    """Take one spreadsheet, or a school's two files in any order. A header already matched, or whose names say all, is
    read at once; else the run waits for the agent to match its columns. Raises Unreadable, TwoFilesNeeded, TooManyFiles
    before anything is written."""
    sheets = [(name, content, read_sheet(content)) for name, content in files]
    pupils = next((one for one in sheets if is_pupils_file(one[2].header)), None)
    guardians = next((one for one in sheets if is_guardians_file(one[2].header)), None)
    if pupils and guardians:
        ordered, kind = [pupils, guardians], ImportRun.Kind.ONDE
    elif pupils or guardians:
        raise TwoFilesNeeded("guardians" if pupils else "pupils")
    elif len(sheets) > 1:
        raise TooManyFiles
    else:
        ordered, kind = sheets, ImportRun.Kind.SPREADSHEET
    matching: dict[str, int] = {}
    state = ImportState.READING
    if kind is ImportRun.Kind.SPREADSHEET:
        header = ordered[0][2].header
        remembered = ColumnMatch.objects.filter(signature=signature(header)).first()
        matching = usable(remembered.matching, header) if remembered else recognised(header)
        if remembered is None or missing(matching):
            state = ImportState.MATCHING
    with transaction.atomic():
        kept = [store.keep(Judged(FileKind.SHEET, content), name=name, at=at) for name, content, _sheet in ordered]
        return ImportRun.objects.create(
            kind=kind,
            state=state,
            name=" + ".join(stored.name for stored in kept),
            lines=sum(len(sheet.rows) for _name, _content, sheet in ordered),
            school=school,
            file=kept[0],
            second_file=kept[1] if len(kept) > 1 else None,
            matching=matching,
            created_at=at,
            created_by=by.label,
        )


@transaction.atomic
def match_columns(*, run: ImportRun, matching: Mapping[str, int], at: datetime) -> ImportRun:
    """Say what each column is, for this file and for the next ones with the same header. A run that is past it is left
    alone; ValueError when what every child needs is not said."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state not in (ImportState.MATCHING, ImportState.READY) or run.kind != ImportRun.Kind.SPREADSHEET:
        return run
    header = sheets_of(run)[0].header
    held = usable(matching, header)
    if missing(held):
        raise ValueError(missing(held))
    ColumnMatch.objects.update_or_create(signature=signature(header), defaults={"matching": held, "updated_at": at})
    run.matching, run.state, run.kept, run.claimed_at = held, ImportState.READING, [], None
    run.save(update_fields=["matching", "state", "kept", "claimed_at"])
    return run


def sheets_of(run: ImportRun) -> list[Sheet]:
    return [read_sheet(store.read(stored)) for stored in (run.file, run.second_file) if stored is not None]


def people_of(run: ImportRun, *, today: date) -> People:
    sheets = sheets_of(run)
    if run.kind == ImportRun.Kind.ONDE:
        return read_onde(sheets[0], sheets[1], today=today)
    return read_spreadsheet(sheets[0], run.matching, today=today)


def _plan(run: ImportRun, *, at: datetime) -> Plan:
    schools = Site.objects.filter(kind=Site.Kind.SCHOOL, archived_at=None)
    today = at.astimezone(municipality().tz).date()
    return plan_import(people_of(run, today=today), school=run.school, schools=schools)


# ── working ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def advance(run: ImportRun, *, at: datetime) -> ImportRun:
    """Do now what a short file waits for; a long one is the worker's."""
    if run.lines <= AT_ONCE:
        work(run.pk, at=at)
        run.refresh_from_db()
    return run


def tick(*, at: datetime) -> int:
    """Read or save the imports that wait, and forget the old ones; how many."""
    waiting = ImportRun.objects.filter(state__in=[ImportState.READING, ImportState.SAVING])
    done = sum(work(pk, at=at) for pk in list(waiting.order_by("id").values_list("id", flat=True)[:5]))
    return done + forget(at=at)


def work(run_id: int, *, at: datetime) -> bool:
    """Read or save one import, whichever it waits for; False when another process has it."""
    free = ImportRun.objects.filter(pk=run_id, state__in=[ImportState.READING, ImportState.SAVING])
    if not free.filter(Q(claimed_at=None) | Q(claimed_at__lt=at - LEASE)).update(claimed_at=at):
        return False
    run = ImportRun.objects.select_related("file", "second_file", "school").get(pk=run_id)
    if run.state == ImportState.READING:
        try:
            plan = _plan(run, at=at)
        except store.FileGone:
            drop_import(run=run)
            return True
        ImportRun.objects.filter(pk=run_id, state=ImportState.READING).update(
            plan=plan.to_json(), counts=plan.counts(), state=ImportState.READY, claimed_at=None
        )
    else:
        by = Actor(id=run.saved_by_user, label=run.saved_by, is_agent=True)
        save_import(run=run, by=by, at=at)
    return True


def forget(*, at: datetime) -> int:
    """Drop the files of imports older than a month, and all that they said."""
    old = ImportRun.objects.filter(created_at__lt=at - KEPT).filter(~Q(file=None) | ~Q(plan=None))
    forgotten = 0
    for pk in list(old.values_list("id", flat=True)[:20]):
        with transaction.atomic():
            run = ImportRun.objects.select_for_update(of=("self",)).select_related("file", "second_file").get(pk=pk)
            files = [stored for stored in (run.file, run.second_file) if stored is not None]
            run.file = run.second_file = run.plan = run.journal = None
            run.kept = []
            if run.state not in (ImportState.SAVED, ImportState.UNDONE):
                run.state = ImportState.DROPPED
            run.save()
            store.discard(StoredFile.objects.filter(pk__in=[stored.pk for stored in files]))
            forgotten += 1
    return forgotten


@transaction.atomic
def drop_import(*, run: ImportRun) -> ImportRun:
    """Give up an import that wrote nothing: its files go at once."""
    run = ImportRun.objects.select_for_update(of=("self",)).select_related("file", "second_file").get(pk=run.pk)
    if run.state not in (ImportState.MATCHING, ImportState.READING, ImportState.READY):
        return run
    files = [stored.pk for stored in (run.file, run.second_file) if stored is not None]
    run.state, run.plan, run.file, run.second_file = ImportState.DROPPED, None, None, None
    run.save(update_fields=["state", "plan", "file", "second_file"])
    store.discard(StoredFile.objects.filter(pk__in=files))
    return run


@transaction.atomic
def keep_ours(*, run: ImportRun, shown: Iterable[str], kept: Iterable[str]) -> ImportRun:
    """Of the changes `shown`, leave aside those `kept`: what is here stays. What was not shown is untouched."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state == ImportState.READY and run.plan:
        run.kept = sorted((set(run.kept) - set(shown)) | (set(kept) & change_keys(run.plan)))
        run.save(update_fields=["kept"])
    return run


def change_keys(plan: Mapping[str, Any]) -> set[str]:
    things = [*plan["homes"], *plan["adults"], *plan["children"]]
    return {change["key"] for thing in things for change in thing["changes"]}


# ── saving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def ask_to_save(*, run: ImportRun, shown: str, by: Actor, at: datetime) -> bool:
    """Say that the import is to be written, as the page whose `digest` is `shown` told it. Whoever comes second finds
    it said already; False when the import is no longer what was shown."""
    run = ImportRun.objects.select_for_update().get(pk=run.pk)
    if run.state == ImportState.READY and shown != digest(run):
        return False
    if run.state == ImportState.READY:
        run.state, run.saved_by, run.saved_by_user, run.claimed_at = ImportState.SAVING, by.label, by.id, None
        run.save(update_fields=["state", "saved_by", "saved_by_user", "claimed_at"])
    return True


def digest(run: ImportRun) -> str:
    """Of what a run would write: a page gives it back with its answer."""
    return sha256(json.dumps([run.plan, run.kept], sort_keys=True).encode()).hexdigest()[:24]


@transaction.atomic
def save_import(*, run: ImportRun, by: Actor, at: datetime) -> ImportRun:
    """Write the import, whole, once. If the families changed since the plan was shown so that the file would now write
    something else, nothing is written: the run is READY again, with its new plan.

    Registrations go one after the other: neither a family registered meanwhile nor another import is doubled."""
    list(Municipality.objects.select_for_update(no_key=True).values_list("id"))
    run = (
        ImportRun.objects.select_for_update(of=("self",)).select_related("file", "second_file", "school").get(pk=run.pk)
    )
    if run.state not in (ImportState.READY, ImportState.SAVING):
        return run
    plan = _plan(run, at=at)
    if plan.to_json() != run.plan:
        run.plan, run.counts = plan.to_json(), {**plan.counts(), "moved": 1}
        run.kept = sorted(set(run.kept) & change_keys(run.plan))
        run.state, run.claimed_at = ImportState.READY, None
        run.save(update_fields=["plan", "counts", "kept", "state", "claimed_at"])
        return run
    writing = Writing(run=run, plan=plan, by=by, at=at)
    writing.write()
    run.journal = writing.journal()
    run.state, run.saved_at, run.saved_by, run.claimed_at = ImportState.SAVED, at, by.label, None
    run.counts = plan.counts()
    run.save(update_fields=["journal", "state", "saved_at", "saved_by", "claimed_at", "counts"])
    return run


TABLES: dict[str, type[models.Model]] = {
    "household": Household,
    "guardian": Guardian,
    "child": Child,
    "guardianship": Guardianship,
    "residence": Residence,
}


class Writing:
    """One import's writing: what it creates and changes, and the words of it."""

    def __init__(self, *, run: ImportRun, plan: Plan, by: Actor, at: datetime) -> None:
        self.run, self.plan, self.by, self.at = run, plan, by, at
        self.created: dict[str, list[int]] = {name: [] for name in TABLES}
        self.changed: list[tuple[str, int, dict[str, list[Any]]]] = []
        self.told: defaultdict[int, list[str]] = defaultdict(list)
        self.last_line = 0

    def write(self) -> None:
        plan = self.plan
        children = self.children()
        adults = self.adults()
        homes = self.homes()
        links, residences = [], []
        for home, household in zip(plan.homes, homes, strict=True):
            joining = home.adults if home.id is None else home.joining_adults
            links += [
                # The file names who answers for the child before the school.
                Guardianship(
                    household_id=household,
                    guardian_id=adults[index],
                    position=home.adults.index(index),
                    is_legal=True,
                )
                for index in joining
            ]
            arriving = home.children if home.id is None else home.joining_children
            residences += [Residence(household_id=household, child_id=children[index]) for index in arriving]
            if home.id is not None and (joining or arriving):
                self.told[household].append(_("personnes ajoutées"))
        self.note("guardianship", Guardianship.objects.bulk_create(links, batch_size=BATCH))
        self.note("residence", Residence.objects.bulk_create(residences, batch_size=BATCH))
        refresh_searches(self.touched)
        self.tell()

    def note(self, name: str, rows: Iterable[models.Model]) -> None:
        self.created[name] += [row.pk for row in rows]

    @property
    def touched(self) -> set[int]:
        return {*self.created["household"], *self.told}

    def children(self) -> dict[int, int]:
        """The id of each planned child, by place; those who are new are created, the others changed."""
        ids = {index: child.id for index, child in enumerate(self.plan.children) if child.id is not None}
        new = {index: child for index, child in enumerate(self.plan.children) if child.id is None}
        made = Child.objects.bulk_create(
            [
                Child(
                    first_name=child.first_name,
                    last_name=child.last_name,
                    birth_date=date.fromisoformat(child.birth_date),
                    ine=child.ine,
                    school_id=child.school,
                    level=child.level,
                    class_name=child.class_name,
                )
                for child in new.values()
            ],
            batch_size=BATCH,
        )
        self.note("child", made)
        ids |= {index: child.pk for index, child in zip(new, made, strict=True)}
        values: dict[int, dict[str, Any]] = {}
        for child in self.plan.children:
            wanted: dict[str, Any] = {
                change.field: change.new for change in child.changes if change.key not in self.run.kept
            }
            if child.id is None or not wanted:
                continue
            if wanted.pop("school", None):
                wanted["school_id"] = child.school
            if born := wanted.get("birth_date"):
                wanted["birth_date"] = date.fromisoformat(born)
            values[child.id] = wanted
        self.change("child", values)
        return ids

    def adults(self) -> dict[int, int]:
        ids = {index: adult.id for index, adult in enumerate(self.plan.adults) if adult.id is not None}
        new = {index: adult for index, adult in enumerate(self.plan.adults) if adult.id is None}
        made = Guardian.objects.bulk_create(
            [
                Guardian(first_name=adult.first_name, last_name=adult.last_name, email=adult.email, phone=adult.phone)
                for adult in new.values()
            ],
            batch_size=BATCH,
        )
        self.note("guardian", made)
        ids |= {index: guardian.pk for index, guardian in zip(new, made, strict=True)}
        self.change(
            "guardian",
            {
                adult.id: {change.field: change.new for change in adult.changes if change.key not in self.run.kept}
                for adult in self.plan.adults
                if adult.id is not None
            },
        )
        return ids

    def homes(self) -> list[int]:
        new = [home for home in self.plan.homes if home.id is None]
        made = Household.objects.bulk_create(
            [
                Household(
                    name=home.name,
                    address=home.address,
                    postcode=home.postcode,
                    city=home.city,
                    created_at=self.at,
                )
                for home in new
            ],
            batch_size=BATCH,
        )
        self.note("household", made)
        self.change(
            "household",
            {
                home.id: {"address": home.address, "postcode": home.postcode, "city": home.city}
                for home in self.plan.homes
                if home.id is not None and any(change.key not in self.run.kept for change in home.changes)
            },
        )
        fresh = iter(made)
        return [home.id if home.id is not None else next(fresh).pk for home in self.plan.homes]

    def change(self, name: str, values: Mapping[int, Mapping[str, Any]]) -> None:
        """Write these values on these rows, and keep what stood there."""
        wanted = {pk: fields for pk, fields in values.items() if fields}
        if not wanted:
            return
        table: Any = TABLES[name]
        rows = list(table.objects.filter(pk__in=wanted))
        columns: set[str] = set()
        for row in rows:
            moved = {}
            for column, new in wanted[row.pk].items():
                moved[column] = [plain_value(getattr(row, column)), plain_value(new)]
                setattr(row, column, new)
                columns.add(column)
            self.changed.append((name, row.pk, moved))
        table.objects.bulk_update(rows, [column.removesuffix("_id") for column in columns], batch_size=BATCH)
        self.tell_of(name, list(wanted))

    def tell_of(self, name: str, ids: list[int]) -> None:
        """In the history of each household concerned: what kind of thing the file changed."""
        if name == "household":
            for pk in ids:
                self.told[pk].append(_("adresse"))
        elif name == "child":
            for household in Residence.objects.filter(child__in=ids).values_list("household", flat=True):
                self.told[household].append(_("école, classe ou identité d’un enfant"))
        else:
            for household in Guardianship.objects.filter(guardian__in=ids).values_list("household", flat=True):
                self.told[household].append(_("coordonnées d’un responsable"))

    def tell(self) -> None:
        lines = []
        names = dict(Household.objects.filter(pk__in=self.touched).values_list("id", "name"))
        new = set(self.created["household"])
        for pk, name in sorted(names.items()):
            text = (
                _("Famille %(name)s enregistrée par un import.") % {"name": name}
                if pk in new
                else _("Mise à jour par un import : %(what)s.") % {"what": ", ".join(dict.fromkeys(self.told[pk]))}
            )
            lines.append(
                audit.line(
                    at=self.at,
                    by=self.by,
                    action="household.imported",
                    subject=Household(pk=pk),
                    household_id=pk,
                    text=text,
                    facts={"import": self.run.pk},
                )
            )
        counts = self.plan.counts()
        lines.append(
            audit.line(
                at=self.at,
                by=self.by,
                action="import.saved",
                subject=self.run,
                text=ngettext(
                    "Import %(name)s enregistré : %(n)d enfant lu.",
                    "Import %(name)s enregistré : %(n)d enfants lus.",
                    counts["children"],
                )
                % {"name": self.run.name, "n": counts["children"]},
                facts=counts,
            )
        )
        audit.record_all(lines)
        last = AuditLine.objects.order_by("-id").values_list("id", flat=True).first()
        self.last_line = last or 0

    def journal(self) -> dict[str, Any]:
        return {
            "created": self.created,
            "changed": [list(one) for one in self.changed],
            "households": sorted(self.touched),
            "last_line": self.last_line,
        }


def plain_value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def refresh_searches(ids: Iterable[int]) -> None:
    """What many households are found by, written anew in a constant number of queries."""
    homes = list(Household.objects.filter(pk__in=list(ids)).prefetch_related("guardians", "children"))
    for home in homes:
        said = [home.name]
        for guardian in home.guardians.all():
            said += [guardian.first_name, guardian.last_name, guardian.email]
        for child in home.children.all():
            said += [child.first_name, child.last_name]
        home.search_text = plain(" ".join(said))
    Household.objects.bulk_update(homes, ["search_text"], batch_size=BATCH)


# ── undoing ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def undo_until(run: ImportRun) -> datetime | None:
    """Until when the import can be undone; None when it was never saved or is undone."""
    if run.state != ImportState.SAVED or run.saved_at is None or run.journal is None:
        return None
    return run.saved_at + UNDO


@transaction.atomic
def undo_import(*, run: ImportRun, by: Actor, at: datetime) -> ImportRun:
    """Put everything back as it was before the import. Undone twice is undone once. Raises NoLongerUndone past the day,
    or when anything that the import wrote was used or changed since: then nothing moves."""
    list(Municipality.objects.select_for_update(no_key=True).values_list("id"))
    run = ImportRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
    if run.state == ImportState.UNDONE:
        return run
    until = undo_until(run)
    if until is None or at >= until:
        raise NoLongerUndone
    assert run.journal is not None
    created, changed = run.journal["created"], run.journal["changed"]
    touched = touched_since(run.journal)
    if touched:
        raise NoLongerUndone(touched)
    for name in ("residence", "guardianship", "child", "guardian", "household"):
        table: Any = TABLES[name]
        for start in range(0, len(created[name]), BATCH):
            table.objects.filter(pk__in=created[name][start : start + BATCH]).delete()
    for name, table in TABLES.items():
        before = {pk: moved for kind, pk, moved in changed if kind == name}
        if not before:
            continue
        rows: list[Any] = list(table._default_manager.filter(pk__in=before))
        columns = {column for moved in before.values() for column in moved}
        for row in rows:
            for column, (old, _new) in before[row.pk].items():
                setattr(row, column, date.fromisoformat(old) if column == "birth_date" else old)
        manager: Any = table._default_manager
        manager.bulk_update(rows, [column.removesuffix("_id") for column in columns], batch_size=BATCH)
    kept = set(run.journal["households"]) - set(created["household"])
    refresh_searches(kept)
    lines = [
        audit.line(
            at=at,
            by=by,
            action="household.import_undone",
            subject=Household(pk=pk),
            household_id=pk,
            text=_("L’import %(name)s est annulé.") % {"name": run.name},
        )
        for pk in sorted(kept)
    ]
    lines.append(
        audit.line(
            at=at, by=by, action="import.undone", subject=run, text=_("Import %(name)s annulé.") % {"name": run.name}
        )
    )
    audit.record_all(lines)
    run.state, run.undone_at, run.undone_by, run.journal = ImportState.UNDONE, at, by.label, None
    run.save(update_fields=["state", "undone_at", "undone_by", "journal"])
    return run


def touched_since(journal: Mapping[str, Any]) -> list[str]:
    """The families in which anything happened since the import wrote: a line in their history, a value that is no
    longer what was written, or something that now stands on what was created. In a constant number of queries."""
    created = {name: set(ids) for name, ids in journal["created"].items()}
    households = set(journal["households"])
    told = AuditLine.objects.filter(id__gt=journal["last_line"], household_id__in=households)
    touched = {pk for pk in told.values_list("household_id", flat=True) if pk is not None}
    people: dict[str, set[int]] = {"child": set(), "guardian": set()}
    for name, table in TABLES.items():
        written = {pk: moved for kind, pk, moved in journal["changed"] if kind == name}
        found = {row.pk: row for row in table._default_manager.filter(pk__in=written)} if written else {}
        for pk, moved in written.items():
            row = found.get(pk)
            if row is None or any(plain_value(getattr(row, column)) != new for column, (_o, new) in moved.items()):
                (touched if name == "household" else people[name]).add(pk)
    people["guardian"] |= set(
        Guardian.objects.filter(pk__in=created["guardian"]).exclude(user=None).values_list("id", flat=True)
    )
    for name in ("household", "guardian", "child"):
        table = TABLES[name]
        if not created[name]:
            continue
        for relation in table._meta.related_objects:
            if relation.many_to_many:
                continue
            other: Any = relation.related_model
            ours = next((key for key, model in TABLES.items() if model is other), "")
            column = relation.field.name
            standing = other._default_manager.filter(**{f"{column}__in": created[name]})
            used = standing.exclude(pk__in=created[ours]) if ours else standing
            ids = {pk for pk in used.values_list(column, flat=True) if pk is not None}
            if name == "household":
                touched |= ids
            else:
                people[name] |= ids
    touched |= set(Residence.objects.filter(child__in=people["child"]).values_list("household", flat=True))
    touched |= set(Guardianship.objects.filter(guardian__in=people["guardian"]).values_list("household", flat=True))
    missing_rows = len(created["household"]) - Household.objects.filter(pk__in=created["household"]).count()
    names = list(Household.objects.filter(pk__in=touched).order_by("name").values_list("name", flat=True))
    return names + [_("une famille retirée depuis")] * bool(missing_rows)
