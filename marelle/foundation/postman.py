"""Sending what waits in the outbox.

One e-mail at a time: `claim` it with a conditional update (whoever changes the row has it, on either database),
`deliver` it outside any transaction, `settle` what came of it. No machine sends twice on purpose: when the portal
cannot know whether the mail server took a message, or when a worker died holding one, the e-mail becomes `uncertain`
and waits for a person.

All instants are the real clock's, given as `now` by the caller: the demo's clock moves pages, never the mail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import formataddr, parseaddr
from importlib import import_module
from importlib.util import find_spec
from logging import getLogger
from smtplib import SMTPNotSupportedError, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.template import Context
from django.template.loader import get_template
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from marelle.foundation.audit import Actor, record
from marelle.foundation.letterhead import letterhead
from marelle.foundation.models import MailState, OutboxMail
from marelle.foundation.theme import theme

logger = getLogger(__name__)

BACK_OFF = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
)
# Longer than any conversation with a mail server, whose every step ends after EMAIL_TIMEOUT seconds.
LEASE = timedelta(minutes=10)

Builder = Callable[[OutboxMail], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one attempt: SENT, FAILED (no use trying again), UNCERTAIN, or WAITING (not sent, try again)."""

    state: MailState
    subject: str = ""
    error: str = ""


def claim(*, now: datetime) -> OutboxMail | None:
    """Take the e-mail that has been due longest, for the caller alone; None when nothing is due."""
    due = OutboxMail.objects.filter(state=MailState.WAITING, due_at__lte=now)
    while candidates := list(due.order_by("due_at", "id").values_list("id", flat=True)[:20]):
        for mail_id in candidates:
            mine = due.filter(id=mail_id).update(state=MailState.SENDING, claimed_at=now, attempts=F("attempts") + 1)
            if mine:
                return OutboxMail.objects.get(id=mail_id)
    return None


def deliver(mail: OutboxMail) -> Outcome:
    """Render one claimed e-mail and hand it to the mail server. Writes nothing and never raises."""
    try:
        message = compose(mail)
    except Exception as error:
        logger.exception("e-mail %s (%s) cannot be composed", mail.id, mail.kind)
        return Outcome(
            state=MailState.WAITING,
            error=_("Le message ne peut pas être composé (%(error)s).") % {"error": type(error).__name__},
        )
    subject = str(message.subject)
    connection = get_connection()
    try:
        connection.open()
    except Exception as error:
        return Outcome(
            state=MailState.WAITING,
            subject=subject,
            error=_("Le serveur d’e-mail ne répond pas (%(error)s).") % {"error": error},
        )
    try:
        taken = connection.send_messages([message])
    except SMTPRecipientsRefused as error:
        answers = [f"{code} {said(text)}" for code, text in error.recipients.values()]
        lasting = all(code >= 500 for code, _text in error.recipients.values())
        return Outcome(
            state=MailState.FAILED if lasting else MailState.WAITING,
            subject=subject,
            error=_("Le serveur d’e-mail refuse cette adresse (%(error)s).") % {"error": ", ".join(answers)},
        )
    except SMTPResponseException as error:
        return Outcome(
            state=MailState.WAITING,
            subject=subject,
            error=_("Le serveur d’e-mail refuse ce message (%(code)s %(error)s).")
            % {"code": error.smtp_code, "error": said(error.smtp_error)},
        )
    except SMTPNotSupportedError as error:
        return Outcome(
            state=MailState.FAILED,
            subject=subject,
            error=_("Le serveur d’e-mail ne sait pas écrire à cette adresse (%(error)s).") % {"error": error},
        )
    except Exception as error:
        logger.warning("e-mail %s: cut off while sending (%s)", mail.id, error)
        return Outcome(
            state=MailState.UNCERTAIN,
            subject=subject,
            error=_("La connexion s’est coupée pendant l’envoi : le message est peut-être parti."),
        )
    finally:
        hang_up(connection)
    if not taken:
        return Outcome(state=MailState.FAILED, subject=subject, error=_("Le message n’a pas de destinataire."))
    return Outcome(state=MailState.SENT, subject=subject)


def settle(mail: OutboxMail, outcome: Outcome, *, now: datetime) -> MailState | None:
    """Write what came of a claimed e-mail, and give its state; None when the claim was lost meanwhile."""
    state, due_at = outcome.state, mail.due_at
    if state == MailState.WAITING:
        if mail.attempts > len(BACK_OFF):
            state = MailState.FAILED
        else:
            due_at = now + BACK_OFF[mail.attempts - 1]
    held = OutboxMail.objects.filter(id=mail.id, state=MailState.SENDING, claimed_at=mail.claimed_at)
    kept = held.update(
        state=state,
        due_at=due_at,
        sent_at=now if state == MailState.SENT else None,
        subject=outcome.subject[:200] or mail.subject,
        error=outcome.error[:500],
        claimed_at=None,
    )
    return state if kept else None


def set_aside(*, now: datetime) -> int:
    """Mark as uncertain what a worker claimed and never settled: it died, and the message may have left before."""
    abandoned = OutboxMail.objects.filter(state=MailState.SENDING, claimed_at__lt=now - LEASE)
    return abandoned.update(
        state=MailState.UNCERTAIN,
        claimed_at=None,
        error=_("L’envoi a été interrompu : le message est peut-être parti."),
    )


def send_next(*, now: datetime) -> OutboxMail | None:
    """Claim, deliver and settle one e-mail. Gives it with the state it now has, or None when nothing is due."""
    mail = claim(now=now)
    if mail is None:
        return None
    settle(mail, deliver(mail), now=now)
    mail.refresh_from_db()
    return mail


# ── composing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def builder_of(kind: str) -> Builder | None:
    """What completes a mail's context: `builders[name]` in `marelle.<room>.notifications`, if there is one."""
    room, name = kind.split("/")
    module = f"marelle.{room}.notifications"
    if find_spec(module) is None:
        return None
    builders: dict[str, Builder] = getattr(import_module(module), "builders", {})
    return builders.get(name)


def compose(mail: OutboxMail) -> EmailMultiAlternatives:
    """The message as it leaves: templates `<room>/mail/<name>_subject.txt`, `.txt` and `.html` of kind "room/name",
    filled with the row's context, what the room's builder adds, `town` (Letterhead), `brand` and `portal_url`."""
    room, name = mail.kind.split("/")
    town = letterhead()
    with translation.override(settings.LANGUAGE_CODE), timezone.override(town.tz):
        builder = builder_of(mail.kind)
        context = {
            "mail": mail,
            "town": town,
            "brand": brand(town.colour),
            "portal_url": settings.PUBLIC_URL,
            **mail.context,
            **(builder(mail) if builder else {}),
        }
        subject = one_line(plain(f"{room}/mail/{name}_subject.txt", context))
        text = plain(f"{room}/mail/{name}.txt", context).strip() + "\n"
        html = get_template(f"{room}/mail/{name}.html").render(context)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    message = EmailMultiAlternatives(
        subject=subject,
        body=text,
        from_email=formataddr((one_line(town.name), sender)),
        to=[formataddr((one_line(mail.to_name), mail.to_address)) if mail.to_name else mail.to_address],
        reply_to=[town.email] if town.email else None,
        headers={
            # The same at every attempt: a mail server that already has it can tell.
            "Message-ID": f"<{mail.id}@{sender.rpartition('@')[2]}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        },
    )
    message.attach_alternative(html, "text/html")
    message.message()  # an impossible header or address shows here, before anything is said to a server
    return message


def brand(colour: str) -> dict[str, str]:
    """The town's colour made readable, for both grounds, under names that a template can say."""
    tokens = theme(colour)
    return {
        "light": tokens.light["brand"],
        "on_light": tokens.light["on-brand"],
        "dark": tokens.dark["brand"],
        "on_dark": tokens.dark["on-brand"],
    }


def plain(template_name: str, context: dict[str, Any]) -> str:
    """A text template, rendered without HTML's escapes."""
    template: Any = get_template(template_name)
    rendered: str = template.template.render(Context(context, autoescape=False))
    return rendered


def one_line(text: str) -> str:
    return " ".join(text.split())


def said(text: bytes | str) -> str:
    return one_line(text.decode("utf-8", "replace") if isinstance(text, bytes) else text)


def hang_up(connection: Any) -> None:
    """What the server says to our goodbye changes nothing to what it took."""
    try:
        connection.close()
    except Exception as error:
        logger.info("the mail server did not take our goodbye: %s", error)


# ── what a person decides ───────────────────────────────────────────────────────────────────────────────────────────

NOT_SENT = (MailState.FAILED, MailState.UNCERTAIN)


def troubled(among: "QuerySet[OutboxMail] | None" = None) -> "QuerySet[OutboxMail]":
    """What a person should look at: not sent, perhaps sent, or tried in vain and waiting for the next attempt."""
    mails = OutboxMail.objects.all() if among is None else among
    return mails.filter(Q(state__in=NOT_SENT) | Q(state=MailState.WAITING, attempts__gt=0))


def not_sent_count(among: "QuerySet[OutboxMail] | None" = None) -> int:
    """How many e-mails (among these) will not leave unless somebody decides."""
    return troubled(among).filter(state__in=NOT_SENT).count()


@transaction.atomic
def send_again(*, mail: OutboxMail, by: Actor, at: datetime, now: datetime) -> bool:
    """Let a troubled e-mail leave now, with all its attempts before it. False when it is not troubled any more."""
    if not troubled().filter(id=mail.id).update(state=MailState.WAITING, attempts=0, due_at=now, claimed_at=None):
        return False
    record(
        at=at,
        by=by,
        action="mail.sent_again",
        subject=mail,
        household_id=mail.household_id,
        text=_("E-mail renvoyé à %(address)s : %(subject)s") % told(mail),
    )
    return True


@transaction.atomic
def drop(*, mail: OutboxMail, by: Actor, at: datetime) -> bool:
    """Give up a troubled e-mail. False when it is not troubled any more."""
    if not troubled().filter(id=mail.id).update(state=MailState.DROPPED, claimed_at=None):
        return False
    record(
        at=at,
        by=by,
        action="mail.dropped",
        subject=mail,
        household_id=mail.household_id,
        text=_("E-mail abandonné, à %(address)s : %(subject)s") % told(mail),
    )
    return True


def told(mail: OutboxMail) -> dict[str, str]:
    return {"address": mail.to_address, "subject": mail.subject or mail.kind}
