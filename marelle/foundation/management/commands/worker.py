import signal
import threading
from datetime import UTC, datetime
from logging import getLogger
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseError
from django.db import connections
from django.utils.module_loading import import_string

from marelle.foundation import postman
from marelle.foundation.clock import now
from marelle.foundation.models import OutboxMail

logger = getLogger(__name__)

IDLE = 1.5  # seconds between two looks at an empty outbox
AWAY = (1, 2, 5, 10, 30)  # seconds between attempts to reach a database that is away


class Command(BaseCommand):
    """Runs beside the web server, for ever: does what time makes due (`settings.TICKS`) and sends what waits in the
    outbox. Several may run at once.

    A signal lets the e-mail in hand finish and be recorded; a database that is away is waited for.
    """

    help = "Does what is due and sends the e-mails that wait in the outbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="send what is due now, then end")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        if not settings.PUBLIC_URL:
            raise CommandError("Links in e-mails need the portal's address: MARELLE_PUBLIC_URL (docs/hosting.md).")
        self.stop = threading.Event()
        if once:
            self.do_due()
            self.send_due()
            return
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self.finish)
        absences = 0
        while not self.stop.is_set():
            try:
                self.do_due()
                self.send_due()
                absences = 0
                self.stop.wait(IDLE)
            except DatabaseError as error:
                logger.warning("the database is away: %s", error)
                connections.close_all()
                self.stop.wait(AWAY[min(absences, len(AWAY) - 1)])
                absences += 1

    def finish(self, number: int, frame: FrameType | None) -> None:
        self.stop.set()

    def do_due(self) -> None:
        """One turn of every room's periodic act. An act that fails is logged and tried again at the next turn: it keeps
        neither the others nor the e-mails waiting."""
        for path in settings.TICKS:
            if self.stop.is_set():
                return
            try:
                done = import_string(path)(at=now())
            except DatabaseError:
                raise
            except Exception:
                logger.exception("%s failed", path)
            else:
                if done:
                    logger.info("%s: %d done", path, done)

    def send_due(self) -> None:
        aside = postman.set_aside(now=clock())
        if aside:
            logger.warning("%d e-mail(s) set aside: their sending was interrupted", aside)
        while not self.stop.is_set():
            mail = postman.claim(now=clock())
            if mail is None:
                return
            self.settle(mail, postman.deliver(mail))

    def settle(self, mail: OutboxMail, outcome: postman.Outcome) -> None:
        """Record what came of a sending, waiting for the database if it left meanwhile: what is sent must be known."""
        for pause in AWAY:
            try:
                state = postman.settle(mail, outcome, now=clock())
            except DatabaseError as error:
                logger.warning("e-mail %s: %s, not recorded yet (%s)", mail.id, outcome.state, error)
                connections.close_all()
                self.stop.wait(pause)
            else:
                logger.info("e-mail %s (%s): %s %s", mail.id, mail.kind, state, outcome.error)
                return
        logger.error("e-mail %s: %s, and never recorded; it will be set aside", mail.id, outcome.state)


def clock() -> datetime:
    return datetime.now(UTC)
