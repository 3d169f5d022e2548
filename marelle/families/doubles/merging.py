"""Making one family of two that are the same: docs/algorithms/merging.md.

What points at the household, child or adult that goes is found by reading the models: everything is made to point at
the one that stays. Where that would break a rule of a room (two live bookings of one day, two papers to review), the
room settles it first (`settings.MERGERS`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from marelle.families.models import (
    AdultInvitation,
    Child,
    DistinctHouseholds,
    Guardian,
    Guardianship,
    HealthFile,
    Household,
    HouseholdMerge,
    InvitationGuest,
    PermissionAnswer,
    Residence,
)
from marelle.families.services import refresh_search
from marelle.foundation.audit import Actor, record
from marelle.foundation.models import OutboxMail

#: The families' own tables where two rows could become one too many: settled here.
SETTLES = (
    "families.AdultInvitation",
    "families.Child_authorised",
    "families.DistinctHouseholds",
    "families.Guardianship",
    "families.HealthFile",
    "families.InvitationGuest",
    "families.PermissionAnswer",
    "families.Residence",
)
#: The facts of a household that are chosen side by side.
HOUSEHOLD_FIELDS = ("name", "address", "postcode", "city", "insurer", "insurance_number", "is_resident")
GUARDIAN_FIELDS = ("first_name", "last_name", "email", "phone", "other_phone", "address", "postcode", "city")
CHILD_FIELDS = ("first_name", "last_name", "birth_date", "ine", "school", "level", "class_name", "diet")


class CannotMerge(Exception):
    """`str()` says why, as the agent reads it. Nothing is done."""


class AlreadyMerged(CannotMerge):
    """Somebody made one of these two before: `kept` is the family that they are now."""

    def __init__(self, kept: Household) -> None:
        super().__init__(_("Ces deux familles n’en font déjà plus qu’une : %(name)s.") % {"name": kept.name})
        self.kept = kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """`gone` becomes `kept`; so does, by id, each of these children and adults: {the one that goes: the one that
    stays}."""

    kept: Household
    gone: Household
    children: Mapping[int, int] = field(default_factory=dict)
    guardians: Mapping[int, int] = field(default_factory=dict)

    def targets(self) -> list[tuple[type[models.Model], dict[int, int]]]:
        return [
            (Household, {self.gone.pk: self.kept.pk}),
            (Child, dict(self.children)),
            (Guardian, dict(self.guardians)),
        ]


class Merger(Protocol):
    """Settles, for the tables of a room, what cannot simply be made to point at what stays. In the transaction of the
    merging, before anything moves. Raises CannotMerge."""

    def __call__(self, *, merge: Merge, by: Actor, at: datetime) -> None: ...


def pointers(model: type[models.Model]) -> Iterable[tuple[type[models.Model], str]]:
    """Every column that points at this model, as (model, field name): foreign keys, and the hidden tables of many to
    many fields. Read from the models: a new one needs no line here."""
    for relation in model._meta.get_fields(include_hidden=True):
        if not relation.auto_created or relation.concrete:
            continue
        if isinstance(relation, models.ManyToOneRel):
            yield relation.related_model, relation.field.name


def merged_already(one: int, other: int) -> Household | None:
    """The family that these two numbers name since somebody made one of them; None while they are two, or unknown."""
    moved = dict(HouseholdMerge.objects.filter(gone_id__in=(one, other)).values_list("gone_id", "kept"))
    stays = {moved.get(number, number) for number in (one, other)}
    return Household.objects.filter(pk=stays.pop()).first() if moved and len(stays) == 1 else None


def lock_homes(ids: Sequence[int]) -> list[Household]:
    """Those that still exist, in the order of their numbers: of two agents who merge at once, one comes second."""
    return list(Household.objects.select_for_update().filter(pk__in=ids).order_by("pk"))


@transaction.atomic
def merge_households(*, merge: Merge, chosen: Mapping[str, Any] | None = None, by: Actor, at: datetime) -> Household:
    """Make one family of two. `chosen` are the household's facts to write on the one that stays. It cannot be undone.

    Raises CannotMerge, and then nothing is done: two adults with an account each stay two; a household is not its own
    double. AlreadyMerged when the same was done meanwhile.
    """
    locked = {home.pk: home for home in lock_homes(sorted({merge.kept.pk, merge.gone.pk}))}
    if len(locked) != 2:
        if (stays := merged_already(merge.kept.pk, merge.gone.pk)) is not None:
            raise AlreadyMerged(stays)
        raise CannotMerge(_("L’une des deux familles n’existe plus."))
    kept, gone = locked[merge.kept.pk], locked[merge.gone.pk]
    _check_people(merge)
    for path in settings.MERGERS:
        import_string(path)(merge=merge, by=by, at=at)
    _settle_own(merge)
    gone_id, gone_name = gone.pk, gone.name
    for model, moves in merge.targets():
        for going, staying in moves.items():
            for pointing, name in pointers(model):
                if pointing._meta.get_field(name).unique:  # type: ignore[union-attr]
                    drop_clashes(pointing, (name,), {name: {going: staying}})
                pointing._base_manager.filter(**{name: going}).update(**{name: staying})
    _move_loose(merge)
    _keep_users(merge)
    for column, value in (chosen or {}).items():
        setattr(kept, column, value)
    if gone.awaits_since is None:
        # The one that an agent knew is let in already: its adults do not wait at the door again.
        kept.awaits_since = None
    kept.save()
    Guardian.objects.filter(pk__in=merge.guardians).delete()
    Child.objects.filter(pk__in=merge.children).delete()
    gone.delete()
    HouseholdMerge.objects.create(kept=kept, gone_id=gone_id, gone_name=gone_name, merged_at=at, merged_by=by.label)
    for household in Household.objects.filter(children__in=kept.children.all()).exclude(pk=kept.pk).distinct():
        refresh_search(household)
    refresh_search(kept)
    record(
        at=at,
        by=by,
        action="household.merged",
        subject=kept,
        household_id=kept.pk,
        text=_("La famille %(gone)s, en double, est réunie avec celle-ci.") % {"gone": gone_name},
        facts={"gone": gone_id, "children": dict(merge.children), "guardians": dict(merge.guardians)},
    )
    record(
        at=at,
        by=by,
        action="household.merged_away",
        subject=kept,
        household_id=gone_id,
        text=_("Cette famille, en double, est réunie avec %(kept)s.") % {"kept": kept.name},
        facts={"kept": kept.pk},
    )
    return kept


def _check_people(merge: Merge) -> None:
    own_children = set(merge.gone.residences.values_list("child_id", flat=True))
    own_adults = set(merge.gone.guardianships.values_list("guardian_id", flat=True))
    kept_children = set(merge.kept.residences.values_list("child_id", flat=True))
    kept_adults = set(merge.kept.guardianships.values_list("guardian_id", flat=True))
    if not (set(merge.children) <= own_children and set(merge.children.values()) <= kept_children):
        raise CannotMerge(_("Un des enfants n’est plus dans sa famille. Relisez avant de réunir."))
    if not (set(merge.guardians) <= own_adults and set(merge.guardians.values()) <= kept_adults):
        raise CannotMerge(_("Un des adultes n’est plus dans sa famille. Relisez avant de réunir."))
    if set(merge.children) & set(merge.children.values()) or set(merge.guardians) & set(merge.guardians.values()):
        raise CannotMerge(_("Une personne ne peut pas être son propre double."))
    for moves in (merge.children, merge.guardians):
        if len(set(moves.values())) != len(moves):
            raise CannotMerge(_("Deux personnes ne peuvent pas devenir la même à la fois."))
    users = dict(
        Guardian.objects.filter(pk__in=[*merge.guardians, *merge.guardians.values()]).values_list("pk", "user")
    )
    for going, staying in merge.guardians.items():
        if users.get(going) and users.get(staying):
            name = Guardian.objects.get(pk=going)
            raise CannotMerge(
                _("%(name)s a un compte dans chaque famille. Laissez les deux adultes : chacun garde son accès.")
                % {"name": name}
            )


def _settle_own(merge: Merge) -> None:
    """The families' own tables where one row only may stand."""
    for going, staying in merge.children.items():
        _keep_latest_health(going, staying)
    homes = {merge.gone.pk: merge.kept.pk}
    drop_clashes(Guardianship, ("household", "guardian"), {"household": homes, "guardian": dict(merge.guardians)})
    drop_clashes(Residence, ("household", "child"), {"household": homes, "child": dict(merge.children)})
    drop_clashes(
        PermissionAnswer,
        ("child", "household", "permission", "school_year"),
        {"household": homes, "child": dict(merge.children)},
        latest="answered_at",
    )
    drop_clashes(
        AdultInvitation, ("household", "email"), {"household": homes}, within=Q(joined_at=None, cancelled_at=None)
    )
    drop_clashes(InvitationGuest, ("round", "guardian"), {"guardian": dict(merge.guardians)})
    DistinctHouseholds.objects.filter(Q(one=merge.gone) | Q(other=merge.gone)).delete()
    for model, name in pointers(Child):
        if model._meta.auto_created:
            other = next(f.name for f in model._meta.fields if f.is_relation and f.name != name)
            drop_clashes(model, (name, other), {name: dict(merge.children)})


def drop_clashes(
    model: type[models.Model],
    key: tuple[str, ...],
    moves: Mapping[str, Mapping[int, int]],
    *,
    latest: str = "",
    within: models.Q | None = None,
) -> None:
    """Delete the rows that would say the same as another once moved: of those with one `key`, what was already there
    stays, or the `latest`."""
    rows = model._base_manager.filter(within) if within is not None else model._base_manager.all()
    touched = models.Q()
    for name, move in moves.items():
        touched |= models.Q(**{f"{name}__in": [*move, *move.values()]})
    best: dict[tuple[Any, ...], models.Model] = {}
    losers: list[Any] = []
    for row in rows.filter(touched).order_by("pk"):
        after = []
        moved = False
        for name in key:
            value = getattr(row, model._meta.get_field(name).attname)  # type: ignore[union-attr]
            target = moves.get(name, {}).get(value, value)
            moved |= target != value
            after.append(target)
        there = best.get(tuple(after))
        if there is None:
            best[tuple(after)] = row
            continue
        wins = getattr(row, latest) > getattr(there, latest) if latest else not moved
        losers.append(there.pk if wins else row.pk)
        if wins:
            best[tuple(after)] = row
    model._base_manager.filter(pk__in=losers).delete()


def _keep_latest_health(going: int, staying: int) -> None:
    """Of two sealed files of one child, the one confirmed last stays. Nothing of them is opened."""
    files = {file.child_id: file for file in HealthFile.objects.filter(child__in=(going, staying))}
    if len(files) == 2:
        older = min(files.values(), key=lambda file: file.confirmed_at)
        older.delete()


def _move_loose(merge: Merge) -> None:
    """The numbers that are no foreign keys. The audit trail is never rewritten: `queries.history` reads the households
    merged into this one as well."""
    gone, kept = merge.gone.pk, merge.kept.pk
    HealthFile.objects.filter(confirmed_by_household=gone).update(confirmed_by_household=kept)
    OutboxMail.objects.filter(household_id=gone).update(household_id=kept)
    HouseholdMerge.objects.filter(kept=merge.gone).update(kept=merge.kept)


def _keep_users(merge: Merge) -> None:
    """An adult with an account whose double has none: the account goes to the one who stays."""
    for going, staying in merge.guardians.items():
        left, stays = Guardian.objects.get(pk=going), Guardian.objects.get(pk=staying)
        user = left.user
        if user is not None:
            left.user = None
            left.save(update_fields=["user"])
            stays.user = user
        for column in GUARDIAN_FIELDS:
            if not getattr(stays, column):
                setattr(stays, column, getattr(left, column))
        stays.save()
    for going, staying in merge.children.items():
        lost, child = Child.objects.get(pk=going), Child.objects.get(pk=staying)
        ine = lost.ine
        if ine and not child.ine:
            lost.ine = ""
            lost.save(update_fields=["ine"])
        if lost.declared_at is None:
            child.declared_at = None
        for column in CHILD_FIELDS:
            if not getattr(child, column):
                setattr(child, column, ine if column == "ine" else getattr(lost, column))
        child.save()
