"""The demo's mail server: it keeps what it is given, on a page of the portal (/boite-aux-lettres/)."""

from collections.abc import Sequence
from email.utils import parseaddr

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from marelle.demo.models import DeliveredMail
from marelle.foundation import clock


class MailboxBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep each message once per recipient, dated by the demo's clock, and say how many there were."""
        at = clock.now()
        for message in email_messages:
            html = next(
                (part.content for part in getattr(message, "alternatives", []) if part.mimetype == "text/html"), ""
            )
            DeliveredMail.objects.bulk_create(
                DeliveredMail(
                    message_id=message.extra_headers.get("Message-ID", ""),
                    from_address=message.from_email,
                    to_address=parseaddr(recipient)[1],
                    subject=str(message.subject),
                    text=str(message.body),
                    html=html,
                    delivered_at=at,
                )
                for recipient in message.recipients()
            )
        return len(email_messages)
