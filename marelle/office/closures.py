"""Trips, strikes and closures as agents write and read them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django import forms
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from marelle.accounts.models import AgentRole
from marelle.activities.models import Municipality, OpeningDay
from marelle.activities.queries import Offer, offer_of
from marelle.bookings.labels import BOOKING_LOOKS
from marelle.bookings.models import Booking, Closure
from marelle.bookings.queries.closures import Extent, Reach, closed_by, made_for
from marelle.families.models import Child
from marelle.foundation.look import Look
from marelle.foundation.sentences import list_words, short_day_words
from marelle.office.mails import DESK
from marelle.office.queue import sites_of
from marelle.rules.lifecycles import BookingState

#: The longest closure made at once.
LONGEST = timedelta(days=62)
MOST_WORDS = 300


class ClosureForm(forms.Form):
    """What closes, for whom and when. `sites`: the only ones that the agent answers for (none: all)."""

    kind = forms.ChoiceField(
        label=gettext_lazy("De quoi s’agit-il ?"), choices=Closure.Kind.choices, widget=forms.RadioSelect
    )
    whom = forms.ChoiceField(
        label=gettext_lazy("Qui est concerné ?"),
        help_text=gettext_lazy("La classe est celle de l’école, où que l’enfant soit accueilli."),
    )
    first_day = forms.DateField(
        label=gettext_lazy("Le jour, ou le premier jour"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Le dernier jour, s’il y en a plusieurs"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    units = forms.MultipleChoiceField(
        label=gettext_lazy("Ce qui ferme"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Rien de coché : tout ferme. Pour un pique-nique, cochez seulement le repas."),
    )
    words = forms.CharField(
        label=gettext_lazy("Ce que les familles lisent"),
        required=False,
        max_length=MOST_WORDS,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Une phrase : pourquoi, et ce qui est prévu à la place."),
    )

    def __init__(self, data: Any = None, *, town: Municipality, role: AgentRole, today: date, **more: Any) -> None:
        super().__init__(data, **more)
        self.today = today
        self.offer = offer_of(town)
        self.sites = sites_of(role)
        self.reaches = _reaches(self.offer, sites=self.sites, everywhere=not self.sites and role.kind in DESK)
        whom, units = self.fields["whom"], self.fields["units"]
        assert isinstance(whom, forms.ChoiceField) and isinstance(units, forms.MultipleChoiceField)
        whom.choices = [("", _("Choisissez")), *_grouped(self.reaches)]
        services = {a.service_id: a.service for a in self.offer.activities.values()}
        self.unit_services = {str(unit.pk): id for id in services for unit in self.offer.units.get(id, [])}
        units.choices = [
            (str(unit.pk), f"{service.short_name}, {unit.name.lower()}")
            for id, service in sorted(services.items(), key=lambda pair: (pair[1].position, pair[1].name))
            for unit in self.offer.units.get(id, [])
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("first_day"), data.get("last_day") or data.get("first_day")
        if first is not None and last is not None:
            if first < self.today:
                self.add_error("first_day", _("Ce jour est passé."))
            elif last < first:
                self.add_error("last_day", _("Le dernier jour vient avant le premier."))
            elif last - first > LONGEST:
                self.add_error("last_day", _("Deux mois au plus à la fois."))
        reach = self.reaches.get(data.get("whom", ""))
        service = reach[1].service_id if reach is not None else None
        units = data.get("units")
        if service is not None and units and all(self.unit_services[unit] != service for unit in units):
            self.add_error("units", _("Rien de ce qui est coché n’est de ce service."))
        if not self.errors and not self.days():
            self.add_error("first_day", _("Rien n’est ouvert ces jours-là."))
        return data

    def reach(self) -> Reach:
        found = self.reaches[self.cleaned_data["whom"]][1]
        return Reach(
            site_id=found.site_id,
            service_id=found.service_id,
            group_id=found.group_id,
            class_name=found.class_name,
            unit_ids=tuple(sorted(int(unit) for unit in self.cleaned_data["units"])),
        )

    def days(self) -> list[date]:
        """The days between the two on which something is open for those concerned."""
        first = self.cleaned_data["first_day"]
        reach = self.reach()
        opened = OpeningDay.objects.filter(date__range=(first, self.cleaned_data["last_day"] or first))
        if reach.group_id is not None:
            opened = opened.filter(group=reach.group_id)
        elif not reach.class_name and reach.site_id is not None:
            opened = opened.filter(group__activity__site=reach.site_id)
        if reach.service_id is not None:
            opened = opened.filter(unit__service=reach.service_id)
        return list(opened.order_by("date").values_list("date", flat=True).distinct())


Reaches = dict[str, tuple[str, Reach, str]]  # by value: the group of the list, what it reaches, its words


def _reaches(offer: Offer, *, sites: Collection[int], everywhere: bool) -> Reaches:
    """All that an agent may name. `everywhere`: also the town, and a service wherever it is given."""
    activities = sorted(
        (a for a in offer.activities.values() if not sites or a.site_id in sites),
        key=lambda a: (a.site.position, a.site.name, a.service.position, a.service.name),
    )
    found: Reaches = {}
    if everywhere:
        found["commune"] = ("", Reach(), _("Toute la commune"))
        for service in sorted({a.service for a in activities}, key=lambda s: (s.position, s.name)):
            found[f"service-{service.pk}"] = (_("Un service, partout"), Reach(service_id=service.pk), service.name)
    for site in dict.fromkeys(a.site for a in activities):
        found[f"site-{site.pk}"] = (_("Un établissement"), Reach(site_id=site.pk), site.name)
    schools = Child.objects.exclude(class_name="").filter(school__archived_at=None)
    if sites:
        schools = schools.filter(school__in=sites)
    for school, name, class_name in (
        schools.order_by("school__position", "school__name", "class_name")
        .values_list("school", "school__name", "class_name")
        .distinct()
    ):
        reach = Reach(site_id=school, class_name=class_name)
        found[f"classe-{school}-{class_name}"] = (_("Une classe"), reach, f"{class_name}, {name}")
    for activity in activities:
        reach = Reach(site_id=activity.site_id, service_id=activity.service_id)
        words = f"{activity.service.short_name}, {activity.site.name}"
        found[f"accueil-{activity.pk}"] = (_("Un service dans un établissement"), reach, words)
    known = {activity.pk: activity for activity in activities}
    for group in sorted(offer.groups.values(), key=lambda g: (g.activity_id, g.position, g.pk)):
        if group.archived_at is None and group.activity_id in known:
            at = known[group.activity_id]
            reach = Reach(site_id=at.site_id, service_id=at.service_id, group_id=group.pk)
            words = f"{at.service.short_name}, {at.site.name}, {group.name}"
            found[f"groupe-{group.pk}"] = (_("Un groupe"), reach, words)
    return found


def _grouped(reaches: Reaches) -> list[Any]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for value, (group, _reach, words) in reaches.items():
        groups.setdefault(group, []).append((value, words))
    return [*groups.pop("", []), *groups.items()]


def whom_words(closure: Closure) -> str:
    """ "Toute la commune", "Classe CE2 A, École élémentaire". `site`, `service`, `group` should be at hand."""
    if closure.class_name and closure.site is not None:
        return _("Classe %(name)s, %(school)s") % {"name": closure.class_name, "school": closure.site.name}
    parts = [
        closure.service.short_name if closure.service is not None else "",
        closure.site.name if closure.site is not None else "",
        closure.group.name if closure.group is not None else "",
    ]
    return ", ".join(part for part in parts if part) or _("Toute la commune")


def units_words(closure: Closure, offer: Offer) -> str:
    """ "Seulement : repas", nothing when everything closes."""
    names = [unit.name.lower() for of in offer.units.values() for unit in of if unit.pk in closure.units]
    return _("Seulement : %(units)s") % {"units": list_words(names)} if names else ""


def searched(closures: "QuerySet[Closure]", words: str) -> "QuerySet[Closure]":
    """Those whose words, class, site or service hold each of the words typed."""
    for word in words.split():
        kinds = [kind for kind, label in Closure.Kind.choices if word.lower() in str(label).lower()]
        closures = closures.filter(
            Q(words__icontains=word)
            | Q(class_name__icontains=word)
            | Q(site__name__icontains=word)
            | Q(service__name__icontains=word)
            | Q(kind__in=kinds)
        )
    return closures


def undoable(role: AgentRole) -> "QuerySet[Closure]":
    """The closures that this agent may undo: those of its sites; of the whole town for the desk only."""
    found = made_for(sites_of(role))
    return found if role.kind in DESK else found.exclude(site=None)


def days_of(bookings: Sequence[Booking]) -> str:
    """ "lun. 16 nov. (repas), mar. 17 nov. (repas)"."""
    return list_words(
        f"{short_day_words(booking.date)} ({booking.unit.service.short_name}, {booking.unit.name.lower()})"
        for booking in bookings
    )


def warnings(extent: Extent) -> list[str]:
    """What else the closing does, beside cancelling days that are booked."""
    said = []
    asked = extent.by_state.get(BookingState.PENDING, 0) + extent.by_state.get(BookingState.CANCELLING, 0)
    if asked:
        said.append(
            ngettext(
                "%(n)d demande en attente reçoit sa réponse : la journée est fermée.",
                "%(n)d demandes en attente reçoivent leur réponse : la journée est fermée.",
                asked,
            )
            % {"n": asked}
        )
    if queued := extent.by_state.get(BookingState.QUEUED, 0):
        said.append(
            ngettext("%(n)d enfant en liste d’attente.", "%(n)d enfants en liste d’attente.", queued) % {"n": queued}
        )
    if offered := extent.by_state.get(BookingState.OFFERED, 0):
        said.append(
            ngettext("%(n)d place proposée est retirée.", "%(n)d places proposées sont retirées.", offered)
            % {"n": offered}
        )
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A day that a closure cancelled. `look`: what it is now, once the closure is undone."""

    name: str
    family: int
    what: str
    before: Look
    look: Look | None
    reason: str


def rows_of(closure: Closure, *, sites: Collection[int]) -> "QuerySet[Any]":
    found = closed_by(closure)
    if sites:
        found = found.filter(booking__group__activity__site__in=sites)
    return found.order_by("booking__child__last_name", "booking__child__first_name", "booking__date", "booking_id")


def row(closed: Any) -> Row:
    booking = closed.booking
    return Row(
        name=str(booking.child),
        family=booking.household_id,
        what=days_of([booking]),
        before=BOOKING_LOOKS[BookingState(closed.state)],
        look=BOOKING_LOOKS[BookingState(closed.after)] if closed.after else None,
        reason=booking.reason if closed.after == BookingState.CANCELLED else "",
    )


def totals(rows: "QuerySet[Any]") -> Mapping[str, int]:
    """Children, families, days, and of those undone how many are lost: one query."""
    return rows.order_by().aggregate(
        children=Count("booking__child", distinct=True),
        families=Count("booking__household", distinct=True),
        days=Count("id"),
        lost=Count("id", filter=Q(after=BookingState.CANCELLED)),
    )


def by_site(rows: "QuerySet[Any]") -> list[tuple[str, int, int]]:
    counted = (
        rows.order_by("booking__group__activity__site__position", "booking__group__activity__site__name")
        .values("booking__group__activity__site__position", "booking__group__activity__site__name")
        .annotate(children=Count("booking__child", distinct=True), days=Count("id"))
    )
    return [(one["booking__group__activity__site__name"], one["children"], one["days"]) for one in counted]
