"""A child's dossier for a school year: in one list what is done, what is missing, and what waits for whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from marelle.accounts.models import User
from marelle.activities.models import BookingMode, Municipality, SchoolYear, Service
from marelle.activities.queries import offer_of, rules_of
from marelle.bookings.labels import ENROLMENT_LOOKS
from marelle.bookings.models import Booking, Enrolment, EnrolmentDraft
from marelle.bookings.queries.prerequisites import (
    Item,
    Kind,
    Prerequisites,
    State,
    load_prerequisites,
    needs_of,
    school_services,
    subjects_of,
)
from marelle.bookings.services.drafts import Content, draft_of
from marelle.families.models import Household
from marelle.foundation.look import Look
from marelle.foundation.sentences import day_words, list_words, midsentence
from marelle.portal.children import HouseholdChild
from marelle.portal.enrolling.words import health_url, name_of
from marelle.requests.promises import answer_day
from marelle.rules.lifecycles import EnrolmentState
from marelle.rules.papers import PaperState

#: How a line shows, by whose turn it is: what the family does anew, does, what others do, is done, comes later.
AGAIN, ME, THEM, DONE, LATER = "stop", "me", "them", "ok", "later"
_ORDER = (AGAIN, ME, THEM, DONE, LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing of the dossier. `until`: the last day to do it."""

    tone: str
    title: str
    text: str = ""
    icon: str = "file-text"
    url: str = ""
    action: str = ""
    look: Look | None = None
    until: date | None = None

    @property
    def who(self) -> str:
        return {
            AGAIN: _("À refaire par vous"),
            ME: _("À faire par vous"),
            THEM: _("En attente de la mairie"),
            LATER: _("Plus tard"),
        }.get(self.tone, "")

    @property
    def who_icon(self) -> str:
        return {AGAIN: "user", ME: "user", THEM: "hourglass", LATER: "lock"}.get(self.tone, "")

    @property
    def line_tone(self) -> str:
        return {AGAIN: "stop", ME: "wait", DONE: "ok"}.get(self.tone, "")

    @property
    def is_mine(self) -> bool:
        return self.tone in (AGAIN, ME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    child: HouseholdChild
    year: SchoolYear
    lines: tuple[Line, ...]

    @property
    def mine(self) -> list[Line]:
        return [line for line in self.lines if line.is_mine]

    @property
    def counted(self) -> int:
        return sum(line.tone != LATER for line in self.lines)

    @property
    def done(self) -> int:
        return sum(line.tone == DONE for line in self.lines)

    @property
    def waiting(self) -> int:
        return sum(line.tone == THEM for line in self.lines)

    @property
    def headline(self) -> str:
        n = len(self.mine)
        if n:
            return ngettext("Il vous reste %(n)d chose à faire", "Il vous reste %(n)d choses à faire", n) % {"n": n}
        return _("Vous n’avez rien à faire") if self.waiting else _("Le dossier est complet")

    @property
    def first_day(self) -> str:
        """The nearest date by which something is to be done."""
        days = [line.until for line in self.mine if line.until is not None]
        return day_words(min(days)) if days else ""

    @property
    def progress(self) -> str:
        ready = ngettext("%(n)d élément prêt sur %(all)d.", "%(n)d éléments prêts sur %(all)d.", self.done)
        words = ready % {"n": self.done, "all": self.counted}
        if self.waiting:
            words += " " + ngettext(
                "%(n)d autre attend la mairie.", "%(n)d autres attendent la mairie.", self.waiting
            ) % {"n": self.waiting}
        return words


def dossier_of(
    *,
    town: Municipality,
    user: User,
    household: Household,
    child: HouseholdChild,
    year: SchoolYear,
    at: datetime,
) -> Dossier:
    """A constant number of queries, whatever the services."""
    today = at.astimezone(town.tz).date()
    last: dict[int, Enrolment] = {}
    for enrolment in (
        Enrolment.objects.filter(household=household, child=child.id, school_year=year)
        .select_related("activity__service", "activity__site", "line__request", "child")
        .order_by("id")
    ):
        last[enrolment.activity_id] = enrolment
    enrolments = [e for e in last.values() if e.state not in (EnrolmentState.WITHDRAWN, EnrolmentState.ENDED)]
    draft = draft_of(user=user, household=household, school_year=year)
    wanted = _wanted(draft, child, town)
    services = {e.activity.service.slug: e.activity.service for e in enrolments if e.state != EnrolmentState.REFUSED}
    services |= {service.slug: service for service in wanted}
    required = load_prerequisites(
        town=town, household=household, children=[child.child], school_year=year, services=services, on=today
    )
    begun = set(
        Booking.objects.filter(enrolment__in=[e.pk for e in enrolments])
        .values_list("enrolment_id", flat=True)
        .distinct()
    )
    lines: list[Line] = []
    if draft is not None and wanted:
        lines.append(_begun(draft, wanted, year))
    if not any(service.slug in school_services(rules_of(town)) for service in wanted):
        lines += _school(enrolments, required, child, year, town)
    lines += _things(required, services, enrolments, child, year, town)
    for enrolment in enrolments:
        lines.append(_enrolment(enrolment, town=town))
        if (later := _days(enrolment, begun=enrolment.pk in begun)) is not None:
            lines.append(later)
    if not enrolments and not wanted:
        lines.append(
            Line(
                tone=ME,
                title=_("Choisir des services"),
                text=_("Cantine, accueil, centre de loisirs : l’inscription ouvre le droit de réserver."),
                icon="clipboard-list",
                url=f"{reverse('portal:enrol')}?annee={year.label}",
                action=_("Inscrire"),
            )
        )
    ordered = sorted(lines, key=lambda line: _ORDER.index(line.tone))
    return Dossier(child=child, year=year, lines=tuple(ordered))


def _wanted(draft: EnrolmentDraft | None, child: HouseholdChild, town: Municipality) -> list[Service]:
    offered = offer_of(town).activities
    found: dict[int, Service] = {}
    for key in Content.of(draft).wanted:
        who, _dot, activity = key.partition(".")
        if who == str(child.id) and activity.isdecimal() and int(activity) in offered:
            found[int(activity)] = offered[int(activity)].service
    return list(found.values())


def _begun(draft: EnrolmentDraft, wanted: Sequence[Service], year: SchoolYear) -> Line:
    url = reverse("portal:enrol_step", args=[draft.step]) if draft.step else reverse("portal:enrol")
    return Line(
        tone=ME,
        title=_("Inscription commencée : %(services)s")
        % {"services": list_words(midsentence(service.short_name) for service in wanted)},
        text=_("Elle n’est pas encore envoyée."),
        icon="pencil",
        url=f"{url}?annee={year.label}",
        action=_("Reprendre"),
    )


def _school(
    enrolments: Sequence[Enrolment],
    required: Prerequisites,
    child: HouseholdChild,
    year: SchoolYear,
    town: Municipality,
) -> list[Line]:
    """The place at school, where the town asks for one and this home has not asked yet."""
    at_school = school_services(rules_of(town))
    if not at_school or any(e.activity.service.slug in at_school for e in enrolments):
        return []
    if required.known[child.id].dossier is State.MET:
        return [
            Line(
                tone=DONE,
                title=_("Inscription à l’école"),
                text=child.child.school.name if child.child.school else "",
                icon="school",
                look=ENROLMENT_LOOKS[EnrolmentState.ACCEPTED],
            )
        ]
    return [
        Line(
            tone=ME,
            title=_("Inscription à l’école"),
            text=_("Elle vient d’abord : les activités se demandent une fois qu’elle est acceptée."),
            icon="school",
            url=f"{reverse('portal:enrol')}?annee={year.label}",
            action=_("Inscrire à l’école"),
        )
    ]


def _things(
    required: Prerequisites,
    services: dict[str, Service],
    enrolments: Sequence[Enrolment],
    child: HouseholdChild,
    year: SchoolYear,
    town: Municipality,
) -> list[Line]:
    """The health file, the papers and the regulations that the services require, each once."""
    due = {e.activity.service.slug: e.papers_due for e in enrolments if e.papers_due is not None}
    rules = rules_of(town)
    found: dict[tuple[Kind, str], Item] = {}
    for slug in services:
        if not needs_of(rules, slug).any:
            continue
        for item in required.items(child=child.id, service=slug, wait_until=due.get(slug)):
            key = (item.kind, item.subject)
            before = found.get(key)
            sooner = before is not None and before.waits_until and item.waits_until
            if before is None or (sooner and item.waits_until < before.waits_until) or item.waits_until is None:  # type: ignore[operator]
                found[key] = item
    lines = []
    for item in found.values():
        if item.kind is Kind.HEALTH:
            lines.append(_health(item, child))
        elif item.kind is Kind.PAPER:
            lines.append(_paper(item, required, child, year, town))
        elif item.kind is Kind.TERMS and item.is_met:
            name = name_of(item, town)
            lines.append(Line(tone=DONE, title=name, icon="scale", look=Look(_("Accepté"), "circle-check", "ok")))
    return lines


def _health(item: Item, child: HouseholdChild) -> Line:
    title = _("Fiche santé")
    if item.is_met:
        return Line(
            tone=DONE, title=title, text=_("À jour pour cette année scolaire."), icon="heart-pulse",
            url=health_url(child.child), look=Look(_("À jour"), "circle-check", "ok"),
        )  # fmt: skip
    if item.state is State.OUTDATED:
        text, action = _("Relisez-la et confirmez-la pour cette année scolaire."), _("Confirmer")
    else:
        text, action = _("Sans elle, aucune demande ne peut partir."), _("Remplir")
    return Line(tone=ME, title=title, text=text, icon="heart-pulse", url=health_url(child.child), action=action)


def _paper(item: Item, required: Prerequisites, child: HouseholdChild, year: SchoolYear, town: Municipality) -> Line:
    title = name_of(item, town, year=year.label)
    give = reverse("portal:documents")
    standings = [required.papers[subject] for subject in subjects_of(item.subject, child.id, required.papers)]
    match item.state:
        case State.MET:
            ends = [one.valid_until for one in standings if one.valid_until is not None]
            text = _("Valable jusqu’au %(day)s.") % {"day": day_words(min(ends), year=True)} if ends else ""
            return Line(tone=DONE, title=title, text=text, look=Look(_("Accepté"), "circle-check", "ok"))
        case State.WAITING:
            return Line(tone=THEM, title=title, text=_("Reçu. Un agent le vérifie."), icon="file-text")
        case State.REFUSED:
            reason = next((one.reason for one in standings if one.state is PaperState.REFUSED), "")
            text = _("Refusé : %(reason)s") % {"reason": reason} if reason else _("Refusé.")
            return Line(tone=AGAIN, title=title, text=text, icon="file-x", url=give, action=_("Remplacer"))
        case State.EXPIRED:
            return Line(
                tone=AGAIN,
                title=title,
                text=_("Il n’est plus valable."),
                icon="file-x",
                url=give,
                action=_("Remplacer"),
            )
        case _:
            text = ""
            if item.waits_until is not None:
                text = _("Vous ne l’avez pas encore ? Il peut attendre la fin du %(day)s.") % {
                    "day": day_words(item.waits_until)
                }
            return Line(
                tone=ME, title=title, text=text, icon="file-up", url=give, action=_("Ajouter"), until=item.waits_until
            )


def _enrolment(enrolment: Enrolment, *, town: Municipality) -> Line:
    service, request = enrolment.activity.service, enrolment.line.request
    title = _("%(service)s, %(site)s") % {"service": service.name, "site": enrolment.activity.site.name}
    url = reverse("portal:request", args=[request.number])
    number = _("Demande n° %(number)s.") % {"number": request.number}
    match enrolment.state:
        case EnrolmentState.ACCEPTED:
            return Line(
                tone=DONE, title=title, text=number, icon=service.icon,
                url=reverse("portal:enrolment", args=[enrolment.pk]), look=ENROLMENT_LOOKS[EnrolmentState.ACCEPTED],
            )  # fmt: skip
        case EnrolmentState.INCOMPLETE:
            return Line(
                tone=AGAIN, title=title, text=enrolment.reason, icon=service.icon,
                url=reverse("portal:complete", args=[request.number]), action=_("Compléter"),
            )  # fmt: skip
        case EnrolmentState.REFUSED:
            again = f"{reverse('portal:enrol')}?annee={enrolment.school_year.label}#s-{service.slug}"
            text = _("Refusée : %(reason)s") % {"reason": enrolment.reason}
            return Line(tone=AGAIN, title=title, text=text, icon=service.icon, url=again, action=_("Redemander"))
    promised = answer_day(request, town=town)
    text = number
    if promised is not None:
        text += " " + _("Réponse avant la fin du %(day)s.") % {"day": day_words(promised)}
    return Line(tone=THEM, title=title, text=text, icon=service.icon, url=url)


def _days(enrolment: Enrolment, *, begun: bool) -> Line | None:
    service = enrolment.activity.service
    if service.booking_mode != BookingMode.DAYS or begun or enrolment.state == EnrolmentState.REFUSED:
        return None
    title = _("Réserver les jours : %(service)s") % {"service": midsentence(service.short_name)}
    if enrolment.state == EnrolmentState.ACCEPTED:
        return Line(
            tone=ME, title=title, text=_("Le planning est ouvert."), icon="calendar-days",
            url=reverse("portal:planning", args=[service.slug]), action=_("Réserver"),
        )  # fmt: skip
    return Line(
        tone=LATER, title=title, text=_("Le planning s’ouvre quand l’inscription est acceptée."), icon="calendar-days"
    )
