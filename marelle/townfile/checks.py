"""What one key alone cannot show: whether a town's file holds together. Faults refuse the file, warnings do not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import pairwise

from marelle.rules import limits as grammar
from marelle.rules.calendars import BeyondCalendar
from marelle.rules.eligibility import Audience
from marelle.rules.faults import Fault
from marelle.rules.faults import Words as _
from marelle.rules.lateness import LateMode
from marelle.rules.papers import REMIND_DAYS
from marelle.rules.prerequisites import WAIT_DAYS
from marelle.townfile.kinds import Path, Reading
from marelle.townfile.town import (
    Booking,
    CombinationKind,
    Late,
    LimitPair,
    Opens,
    Paper,
    PaperSubject,
    PeriodSource,
    QuestionKind,
    RequestSubject,
    RequestTo,
    RequestType,
    Service,
    ServiceKind,
    SiteKind,
    SurchargeRule,
    Town,
)

#: A diet named so would write down a child's religion.
FAITHS = re.compile(r"hal+[aâ]l|[ck]as?c?her|cach[eè]re|kosher|musulman|juif|juive|isra[ée]lite|religi|carême", re.I)


def check_service(service: Service, reading: Reading) -> None:
    """Faults of one service that need nothing of the rest of the file."""
    here: Path = ("services", service.slug)
    if service.booking is Booking.DAYS:
        for unit in service.units:
            if service.limits_of(unit) is None:
                expected = _("une limite : ici, ou dans limits du service")
                reading.fault((*here, "limits", "book"), _("rien"), expected, is_text=True)
                break
    by_slug = {unit.slug: unit for unit in service.units}
    for unit in service.units:
        place = (*here, "units", unit.slug)
        if unit.starts_at and unit.ends_at and unit.ends_at <= unit.starts_at:
            reading.fault((*place, "ends_at"), unit.ends_at.strftime("%H:%M"), _("une heure après starts_at"))
        for n, part in enumerate(unit.parts):
            known = by_slug.get(part)
            if part == unit.slug or (known is not None and known.parts):
                reading.fault((*place, "parts", str(n)), part, _("une unité simple, qui n’a pas de parts"))
    for group in service.groups:
        place = (*here, "groups", group.slug)
        _check_ages(group.who.min_age, group.who.max_age, (*place, "who"), reading)
        for n, site in enumerate(group.sites):
            if site not in service.sites:
                reading.fault((*place, "sites", str(n)), site, _("un des sites du service"))
        for unit_slug, _capacity in group.by_unit:
            if unit_slug in by_slug and by_slug[unit_slug].parts:
                expected = _("une unité simple : une unité composée prend les places de ses parts")
                reading.fault((*place, "by_unit", unit_slug), unit_slug, expected)
        for n, change in enumerate(group.changes):
            _check_order(change.first_day, change.last_day, (*place, "changes", str(n), "last_day"), reading)
    _check_ages(service.who.min_age, service.who.max_age, (*here, "who"), reading)
    _check_combinations(service, here, reading)
    for name, late in (("book", service.late.book), ("cancel", service.late.cancel)):
        _check_late(late, (*here, "late", name), reading)
    _check_surcharge(service.late.unbooked, (*here, "late", "unbooked"), reading)
    for n, cause in enumerate(service.absences.causes):
        place = (*here, "absences", "causes", str(n))
        for m, proof in enumerate(cause.proofs):
            if (proof.within_hours is None) == (proof.within_days is None):
                reading.fault((*place, "proofs", str(m)), proof_words(proof), _("within_hours ou bien within_days"))
    if service.open.holidays and service.open.on is not Opens.HOLIDAYS:
        reading.fault((*here, "open", "holidays"), list(service.open.holidays), _('on = "holidays" à côté'))
    for n, closed in enumerate(service.open.closed):
        _check_order(closed.first_day, closed.end, (*here, "open", "closed", str(n), "last_day"), reading)
    if service.periods.by is PeriodSource.OWN and not service.periods.own:
        reading.fault((*here, "periods", "own"), _("rien"), _("au moins une période du service"), is_text=True)
    if service.periods.own and service.periods.by is not PeriodSource.OWN:
        reading.fault((*here, "periods", "by"), service.periods.by.value, _('"own", puisque des périodes sont données'))
    for period in service.periods.own:
        _check_order(period.first_day, period.last_day, (*here, "periods", "own", period.slug, "last_day"), reading)
    spans = sorted((period.first_day, period.last_day, period.slug) for period in service.periods.own)
    for (_a, before, _b), (after, _c, slug) in pairwise(spans):
        if after <= before:
            expected = _("un jour après le %(day)s : deux périodes ne se recouvrent pas", day=before)
            reading.fault((*here, "periods", "own", slug, "first_day"), after, expected)


def proof_words(proof: object) -> str:
    hours, days = getattr(proof, "within_hours", None), getattr(proof, "within_days", None)
    return _("aucun des deux") if hours is None and days is None else _("les deux")


def check_town(town: Town, reading: Reading) -> None:
    """Faults that need several sections."""
    _check_calendar(town, reading)
    for question in town.questions:
        with_choices = question.kind in (QuestionKind.CHOICE, QuestionKind.SEVERAL)
        if with_choices != bool(question.choices):
            expected = _("des réponses possibles") if with_choices else _('kind = "choice" ou "several"')
            answer = _("rien") if with_choices else question.choices[0]
            reading.fault(("questions", question.slug, "choices"), answer, expected, is_text=with_choices)
    for paper in town.papers:
        _check_paper(paper, ("papers", paper.slug), reading)
    about = {paper.slug: paper.about for paper in town.papers}
    for asked in town.requests:
        _check_request_type(asked, about, reading)
    for key in ("address_paper", "quotient_paper"):
        proof = getattr(town.corrections, key)
        if proof is not None and about.get(proof) is not PaperSubject.HOUSEHOLD:
            reading.fault(("corrections", key), proof, _('une pièce du foyer (about = "household")'))
    for site in town.sites:
        for n, school_class in enumerate(site.classes):
            for m, level in enumerate(school_class.levels):
                if site.levels and level not in site.levels:
                    expected = _("un niveau de levels : %(levels)s", levels=", ".join(site.levels))
                    reading.fault(("sites", site.slug, "classes", str(n), "levels", str(m)), level, expected)
    slugs = {term.slug for term in town.calendar.terms}
    try:
        slugs |= {period.slug for period in town.school_calendar().holidays.periods}
    except ValueError:
        return
    slugs |= {year.slug for year in town.years}
    kinds = {slug.rsplit("-", 1)[0] for slug in slugs}
    for service in town.services:
        here: Path = ("services", service.slug)
        own = slugs | {period.slug for period in service.periods.own}
        for place, limit in _limits(service):
            for inside, dated in _by_period(limit):
                if dated not in own:
                    expected = _("une période de l’année scolaire, comme toussaint-2026, ou une période de la commune")
                    reading.fault((*here, *place, *inside, dated), dated, expected)
        for n, kind in enumerate(service.open.holidays):
            if kind not in kinds:
                expected = _("des vacances : toussaint, noel, hiver, printemps ou ete")
                reading.fault((*here, "open", "holidays", str(n)), kind, expected)
        if service.periods.by is PeriodSource.TERMS and not town.calendar.terms:
            expected = _("des trimestres dans [calendar.terms.…]")
            reading.fault((*here, "periods", "by"), "terms", expected)
        _check_requirements(town, service, (*here, "requires"), reading)
        for m, school in enumerate(service.who.schools):
            if town.site(school).kind is not SiteKind.SCHOOL:
                reading.fault((*here, "who", "schools", str(m)), school, _("une école"))


def _check_paper(paper: Paper, here: Path, reading: Reading) -> None:
    """A paper has one end at most, and what is said of its end needs one."""
    rule = paper.rule()
    if paper.valid_months is not None and paper.own_end:
        reading.fault((*here, "valid_months"), paper.valid_months, _("own_end ou bien valid_months"))
    if paper.each_year and (paper.valid_months is not None or paper.own_end):
        expected = _("each_year, own_end ou valid_months : une seule durée")
        reading.fault((*here, "each_year"), paper.each_year, expected)
    if paper.valid_months is not None and (paper.max_age_months or 0) > paper.valid_months:
        expected = _(
            "au plus valid_months, %(months)d : plus vieille, elle arriverait périmée", months=paper.valid_months
        )
        reading.fault((*here, "max_age_months"), paper.max_age_months, expected)
    if paper.remind_days != REMIND_DAYS and not rule.has_own_end:
        expected = _("own_end ou valid_months à côté : cette pièce n’a pas de fin à elle")
        reading.fault((*here, "remind_days"), paper.remind_days, expected)
    if paper.health and paper.about is not PaperSubject.CHILD:
        reading.fault((*here, "health"), paper.health, _('about = "child" à côté'))


def _check_request_type(kind: RequestType, about: Mapping[str, PaperSubject], reading: Reading) -> None:
    here: Path = ("requests", kind.slug)
    of_a_child = kind.about is RequestSubject.CHILD
    if kind.to is RequestTo.SITE and not of_a_child:
        reading.fault((*here, "to"), kind.to.value, _('about = "child" à côté : c’est l’école de l’enfant qui répond'))
    if kind.health and not of_a_child:
        reading.fault((*here, "health"), kind.health, _('about = "child" à côté : la santé est celle d’un enfant'))
    for n, paper in enumerate(kind.papers):
        if about.get(paper) is PaperSubject.GUARDIAN:
            reading.fault((*here, "papers", str(n)), paper, _("une pièce du foyer ou de l’enfant"))
        elif about.get(paper) is PaperSubject.CHILD and not of_a_child:
            reading.fault((*here, "papers", str(n)), paper, _('une pièce du foyer, ou about = "child" à côté'))
    if kind.page is not None and (kind.fields or kind.papers):
        expected = _("ni fields ni papers à côté : la demande mène à une page qui existe")
        reading.fault((*here, "page"), kind.page.value, expected)


def _check_requirements(town: Town, service: Service, here: Path, reading: Reading) -> None:
    said = service.requires
    for n, paper in enumerate(said.papers_may_wait):
        if paper not in said.papers:
            reading.fault((*here, "papers_may_wait", str(n)), paper, _("une pièce de papers, à côté"))
    if said.papers_wait_days != WAIT_DAYS and not said.papers_may_wait:
        expected = _("papers_may_wait à côté : aucune pièce ne peut attendre")
        reading.fault((*here, "papers_wait_days"), said.papers_wait_days, expected)
    if said.school_dossier:
        if service.kind is ServiceKind.SCHOOL:
            expected = _("false : ce service est le dossier scolaire")
            reading.fault((*here, "school_dossier"), said.school_dossier, expected)
        elif not any(other.kind is ServiceKind.SCHOOL for other in town.services):
            expected = _('un service kind = "school", où le dossier se demande')
            reading.fault((*here, "school_dossier"), said.school_dossier, expected)


def _check_calendar(town: Town, reading: Reading) -> None:
    calendar = town.school_calendar()
    labels = [year.label for year in calendar.school_years()]
    for year in town.years:
        if year.slug not in labels:
            expected = _(
                "une année scolaire que le calendrier couvre (jusqu’au %(day)s) : %(years)s",
                day=calendar.covered_until.isoformat(),
                years=", ".join(labels[-4:]),
            )
            reading.fault(("years", year.slug), year.slug, expected)
    for n, closed in enumerate(town.calendar.closures):
        _check_order(closed.first_day, closed.end, ("calendar", "closures", str(n), "last_day"), reading)
    for term in town.calendar.terms:
        place = ("calendar", "terms", term.slug)
        _check_order(term.first_day, term.last_day, (*place, "last_day"), reading)
        for key, day in (("first_day", term.first_day), ("last_day", term.last_day)):
            try:
                calendar.check(day)
            except BeyondCalendar:
                until = calendar.covered_until.isoformat()
                reading.fault((*place, key), day, _("un jour couvert par le calendrier, jusqu’au %(day)s", day=until))
    spans = sorted((term.first_day, term.last_day, term.slug) for term in town.calendar.terms)
    for (_a, before, _b), (after, _c, slug) in pairwise(spans):
        if after <= before:
            expected = _("un jour après le %(day)s : deux périodes ne se recouvrent pas", day=before)
            reading.fault(("calendar", "terms", slug, "first_day"), after, expected)


def _check_order(first: date, last: date, place: Path, reading: Reading) -> None:
    if last < first:
        reading.fault(place, last, _("un jour à partir du %(day)s", day=first.isoformat()))
    elif (last - first).days > 1_000:
        reading.fault(place, last, _("moins de trois ans après le %(day)s", day=first.isoformat()))


def _check_ages(least: int | None, most: int | None, place: Path, reading: Reading) -> None:
    if least is not None and most is not None and most < least:
        reading.fault((*place, "max_age"), most, _("au moins min_age, %(age)d", age=least))


def _check_late(late: Late, place: Path, reading: Reading) -> None:
    if late.until is not None and late.mode is not LateMode.ALLOWED:
        reading.fault((*place, "until"), late.mode.value, _('mode = "allowed" à côté'))
    for key, rule in (("surcharge", late.surcharge), *((f"by_unit.{unit}", rule) for unit, rule in late.by_unit)):
        _check_surcharge(rule, (*place, *key.split(".")), reading)


def _check_surcharge(rule: SurchargeRule | None, place: Path, reading: Reading) -> None:
    if rule is None:
        return
    given = (rule.add_cents, rule.add_percent, rule.times_hundredths, rule.price_cents)
    if sum(value is not None for value in given) != 1:
        expected = _("une seule clé parmi add_cents, add_percent, times_hundredths, price_cents")
        found = _("aucune") if all(value is None for value in given) else _("plusieurs clés")
        reading.fault(place, found, expected, is_text=True)


def _check_combinations(service: Service, here: Path, reading: Reading) -> None:
    for n, rule in enumerate(service.combinations):
        place = (*here, "combinations", str(n))
        needed: dict[CombinationKind, tuple[str, bool]] = {
            CombinationKind.CONSECUTIVE: ("days", rule.days is not None),
            CombinationKind.DAYS: ("least", rule.least is not None or rule.most is not None),
            CombinationKind.TOGETHER: ("needs", bool(rule.needs)),
            CombinationKind.APART: ("units", len(rule.units) > 1),
        }
        key, given = needed.get(rule.rule, ("", True))
        if not given:
            expected = {
                "days": _("days, le nombre de jours qui se suivent"),
                "least": _("least, most ou les deux"),
                "needs": _("needs, les unités dont une est nécessaire"),
                "units": _("au moins deux unités"),
            }[key]
            reading.fault((*place, key), _("rien") if key != "units" else rule.units[0], expected, is_text=True)
        if rule.least is not None and rule.most is not None and rule.most < rule.least:
            reading.fault((*place, "most"), rule.most, _("au moins least, %(n)d", n=rule.least))


def _limits(service: Service) -> Iterator[tuple[Path, grammar.Limit]]:
    pairs: list[tuple[Path, LimitPair]] = [(("limits",), service.limits)]
    pairs += [(("units", unit.slug, "limits"), unit.limits) for unit in service.units]
    for place, pair in pairs:
        if pair.book is not None:
            yield (*place, "book"), pair.book
        if pair.cancel is not None:
            yield (*place, "cancel"), pair.cancel
    if service.periods.opens is not None:
        yield ("periods", "opens"), service.periods.opens
    for n, early in enumerate(service.periods.early):
        yield ("periods", "early", str(n), "opens"), early.opens


def _by_period(limit: grammar.Limit) -> Iterator[tuple[Path, str]]:
    """Every period that the limit names, with where in its plain form."""
    match limit:
        case grammar.ByPeriod():
            for slug, _day in limit.dates:
                yield ("by_period",), slug
        case grammar.Window():
            for key in ("opens", "closes", "reopens", "then"):
                part = getattr(limit, key)
                if part is not None:
                    for place, slug in _by_period(part):
                        yield (key, *place), slug
        case grammar.Adapted():
            yield from _by_period(limit.limit)
            for weekday, part in limit.holiday_week:
                name = "any" if weekday == grammar.ANY_WEEKDAY else grammar.WEEKDAYS[weekday]
                for place, slug in _by_period(part):
                    yield ("holiday_week", name, *place), slug
            if limit.return_day is not None:
                for place, slug in _by_period(limit.return_day):
                    yield ("return_day", *place), slug
        case grammar.ByWeekday():
            for weekday, part in limit.limits:
                for place, slug in _by_period(part):
                    yield ("by_weekday", grammar.WEEKDAYS[weekday], *place), slug


def warnings(town: Town) -> list[Fault]:
    """What the file may say but should not without thought: the law's fences. `expected` is the advice."""
    found = [
        Fault(
            path=("diets", diet.slug, "name"),
            found=diet.name,
            expected=_("ce que l’enfant mange, jamais pourquoi : « Sans porc », « Sans viande »"),
        )
        for diet in town.diets
        if FAITHS.search(diet.name)
    ]
    for service in town.services:
        if service.kind is not ServiceKind.CANTEEN:
            continue
        for n, early in enumerate(service.periods.early):
            if early.who is Audience.WORKING_PARENTS:
                found.append(
                    Fault(
                        path=("services", service.slug, "periods", "early", str(n), "who"),
                        found=early.who.value,
                        expected=_("la loi ouvre la cantine à tous les enfants, que leurs parents travaillent ou non"),
                    )
                )
    return found
