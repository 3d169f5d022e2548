"""Issuing an attestation: what the portal knows, in sentences, as a PDF that is kept."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from marelle.accounts.models import User
from marelle.activities.models import Municipality
from marelle.attestations.models import Attestation, AttestationKind
from marelle.bookings.models import Booking, Enrolment
from marelle.families.models import Household
from marelle.foundation import audit, pdf
from marelle.foundation.files.store import keep, path_of
from marelle.foundation.files.verdicts import FileKind, Judged
from marelle.foundation.french import NBSP, of_name
from marelle.foundation.models import StoredFile
from marelle.foundation.sentences import midsentence
from marelle.rules.lifecycles import BookingState, EnrolmentState

SOURCE = Path(__file__).parent / "typst" / "attestation.typ"
#: Neither 0 and O, nor 1 and I: a code is read aloud on the telephone. Twelve of them are sixty bits.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


class NotEnrolled(Exception):
    """The household has no accepted enrolment of this id."""


class NothingToAttest(ValueError):
    """No day went by in this span."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attested:
    """What an attestation says: `sentences`, then a table (`head`, `rows`) when days are counted, and what is counted
    in `note`."""

    sentences: Sequence[str]
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    note: str = ""


def attest_enrolment(
    *, town: Municipality, household: Household, enrolment_id: int, by: User, at: datetime
) -> Attestation:
    """That a child is enrolled in a service, where, for which school year, and since when. Raises NotEnrolled."""
    enrolment = _enrolment(household, enrolment_id)
    year = enrolment.school_year
    facts = _of(enrolment)
    said = Attested(
        sentences=[
            _("%(town)s atteste l’inscription %(of_child)s, naissance le %(born)s.") % {**facts, "town": town.name},
            _("Service : %(service)s, %(site)s.") % facts,
            _("Année scolaire : %(year)s. Inscription acceptée le %(since)s.")
            % {"year": year.label, "since": _day(enrolment.changed_at.astimezone(town.tz).date())},
        ]
    )
    return _issue(
        AttestationKind.ENROLMENT,
        enrolment=enrolment,
        said=said,
        first=year.first_day,
        last=year.last_day,
        town=town,
        by=by,
        at=at,
    )


def attest_attendance(
    *,
    town: Municipality,
    household: Household,
    enrolment_id: int,
    first: date,
    last: date,
    by: User,
    at: datetime,
) -> Attestation:
    """On how many days of the span a child was expected in a service, by unit: days booked by this household that went
    by, without those cancelled, closed, or announced absent. Today does not count yet. Raises NotEnrolled and
    NothingToAttest."""
    enrolment = _enrolment(household, enrolment_id)
    today = at.astimezone(town.tz).date()
    counted = (
        Booking.objects.filter(
            child=enrolment.child,
            household=household,
            unit__service=enrolment.activity.service,
            state=BookingState.BOOKED,
            absence=None,
            date__gte=first,
            date__lte=last,
            date__lt=today,
        )
        .order_by("unit__position", "unit_id")
        .values_list("unit__name")
        .annotate(n=Count("id"))
    )
    rows = [[name, ngettext("%(n)d jour", "%(n)d jours", n) % {"n": n}] for name, n in counted]
    if not rows:
        raise NothingToAttest
    facts = _of(enrolment)
    said = Attested(
        sentences=[
            _("%(town)s atteste l’accueil %(of_child)s, naissance le %(born)s.") % {**facts, "town": town.name},
            _("Service : %(service)s, %(site)s.") % facts,
            _("Du %(first)s au %(last)s :") % {"first": _day(first), "last": _day(last)},
        ],
        head=[_("Accueil"), _("Jours")],
        rows=rows,
        note=_(
            "Sont comptés les jours réservés et passés, sans les jours annulés, fermés, ni ceux où l’absence a été "
            "signalée. Ce n’est pas un relevé de pointage."
        ),
    )
    return _issue(
        AttestationKind.ATTENDANCE, enrolment=enrolment, said=said, first=first, last=last, town=town, by=by, at=at
    )


def _enrolment(household: Household, enrolment_id: int) -> Enrolment:
    found = (
        Enrolment.objects.filter(household=household, pk=enrolment_id)
        .filter(state__in=(EnrolmentState.ACCEPTED, EnrolmentState.ENDED))
        .select_related("child", "activity__service", "activity__site", "school_year")
        .first()
    )
    if found is None:
        raise NotEnrolled
    return found


def _of(enrolment: Enrolment) -> dict[str, str]:
    return {
        "of_child": of_name(str(enrolment.child)),
        "born": _day(enrolment.child.birth_date),
        "service": enrolment.activity.service.name,
        "site": enrolment.activity.site.name,
    }


def _day(day: date) -> str:
    """ "1er septembre 2026": a birth date has no weekday, and a record needs none."""
    number = pgettext("premier jour du mois", "1er") if day.day == 1 else str(day.day)
    return f"{number}{NBSP}{date_format(day, 'F Y')}"


def _issue(
    kind: AttestationKind,
    *,
    enrolment: Enrolment,
    said: Attested,
    first: date,
    last: date,
    town: Municipality,
    by: User,
    at: datetime,
) -> Attestation:
    """The one that already says so today, else a new one. Whatever fails, no file stays."""
    kept: list[StoredFile] = []
    try:
        with transaction.atomic():
            Household.objects.select_for_update(no_key=True).only("id").get(pk=enrolment.household_id)
            today = at.astimezone(town.tz).date()
            facts = {"sentences": list(said.sentences), "rows": [list(row) for row in said.rows], "note": said.note}
            same = Attestation.objects.filter(
                household=enrolment.household_id,
                child=enrolment.child_id,
                service=enrolment.activity.service_id,
                kind=kind,
                issued_on=today,
                first_day=first,
                last_day=last,
            )
            for known in same:
                if known.facts == facts:
                    return known
            code = _new_code()
            document = pdf.written(SOURCE, _page(kind, said, code=code, town=town, today=today), at=at)
            kept.append(keep(Judged(FileKind.PDF, document), name=f"{kind.label} {enrolment.child.first_name}", at=at))
            attestation = Attestation.objects.create(
                code=code,
                kind=kind,
                household_id=enrolment.household_id,
                child_id=enrolment.child_id,
                service_id=enrolment.activity.service_id,
                first_day=first,
                last_day=last,
                facts=facts,
                file=kept[0],
                issued_at=at,
                issued_on=today,
                issued_by=by,
                issued_by_label=str(by),
            )
            audit.record(
                at=at,
                by=by.actor(),
                action="attestation.issued",
                subject=attestation,
                household_id=enrolment.household_id,
                text=_("%(kind)s délivrée pour %(child)s : %(service)s (%(code)s).")
                % {
                    "kind": str(kind.label),
                    "child": enrolment.child.first_name,
                    "service": midsentence(enrolment.activity.service.name),
                    "code": code,
                },
            )
            return attestation
    except BaseException:
        for stored in kept:
            path_of(stored.id).unlink(missing_ok=True)
        raise


def _new_code() -> str:
    drawn = "".join(secrets.choice(ALPHABET) for _n in range(12))
    return f"{drawn[:4]}-{drawn[4:8]}-{drawn[8:]}"


def _page(kind: AttestationKind, said: Attested, *, code: str, town: Municipality, today: date) -> Mapping[str, Any]:
    lines = [town.department_name, *town.address.splitlines(), town.phone, town.email]
    return {
        "title": str(kind.label),
        "town": {"name": town.name, "lines": [line for line in lines if line]},
        "sentences": list(said.sentences),
        "head": list(said.head),
        "rows": [list(row) for row in said.rows],
        "note": said.note,
        "made": _("Délivrée le %(day)s par le portail famille, pour servir et valoir ce que de droit.")
        % {"day": _day(today)},
        "check": {
            "sentence": _("Pour vérifier cette attestation, saisissez ce code :"),
            "code": code,
            "url": settings.PUBLIC_URL + reverse("attestations:verify", args=[code]),
        },
        "footer": _("%(kind)s %(code)s") % {"kind": str(kind.label), "code": code},
    }
