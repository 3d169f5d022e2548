"""What an agent decides on a request's page, read from the form and given back as typed when something is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from marelle.foundation.typed import typed
from marelle.office.examination import Examination, LineRow
from marelle.office.refusals import reason_from
from marelle.requests.services import Verdict

LONG = 8
ACCEPT, REFUSE, LATER = "accepter", "refuser", "plus-tard"
#: Characters, as many as a line keeps.
LONGEST_REASON = 500


@dataclass(slots=True, kw_only=True)
class Choice:
    """One line and what is chosen for it. `own`: a reason of its own, over the common one; `details`: what its kind
    asks beside."""

    row: LineRow
    choice: str
    own: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""

    @property
    def name(self) -> str:
        return f"ligne-{self.row.line.id}"

    @property
    def own_name(self) -> str:
        return f"motif-{self.row.line.id}"


@dataclass(slots=True, kw_only=True)
class AnswerForm:
    """The choices, the common reason and what is wrong with them. `problems`: {text, href}, for the error summary.
    `breaks`: what the answer would leave alone, told once; `anyway`: the agent has read it and answers so."""

    kind: str
    choices: list[Choice]
    model: str = ""
    words: str = ""
    reason_error: str = ""
    more: str = ""
    more_error: str = ""
    problems: list[dict[str, str]] = field(default_factory=list)
    breaks: bool = False
    anyway: bool = False

    @classmethod
    def blank(cls, examination: Examination) -> "AnswerForm":
        """Every line accepted, but those that the rules speak against: left for later until the agent says."""
        return cls(
            kind=examination.request.kind,
            choices=[
                Choice(row=row, choice=ACCEPT if row.fact is not None and row.fact.is_sound else LATER)
                for row in examination.pending
            ],
        )

    @classmethod
    def sent(cls, data: QueryDict, examination: Examination) -> "AnswerForm":
        form = cls.blank(examination)
        for choice in form.choices:
            asked = data.get(choice.name, "")
            choice.choice = asked if asked in (ACCEPT, REFUSE, LATER) else choice.choice
            choice.own = typed(data, choice.own_name, most=LONGEST_REASON)
            if examination.kind is not None:
                choice.details = examination.kind.details(data, choice.row.line)
        form.model = data.get("modele", "")
        form.anyway = data.get("malgre", "") == "oui"
        form.words = typed(data, "motif", most=LONGEST_REASON)
        return form

    @property
    def is_long(self) -> bool:
        """So many lines that they are folded until the agent wants them one by one."""
        return len(self.choices) > LONG

    @property
    def common_reason(self) -> str:
        return reason_from(kind=self.kind, slug=self.model, words=self.words)

    def accept_all(self) -> Mapping[int, Verdict]:
        return {choice.row.line.id: Verdict(accept=True, details=choice.details) for choice in self.choices}

    def hold_back(self, left_alone: Sequence[str]) -> None:
        """Say what the answer would leave, if anything, and ask."""
        self.breaks = bool(left_alone)
        self.problems = [{"text": text, "href": "#malgre"} for text in left_alone]

    def refuse_all(self) -> None:
        for choice in self.choices:
            choice.choice = REFUSE

    def verdicts(self) -> Mapping[int, Verdict]:
        """The verdicts, empty when something is missing: `problems` says what."""
        found: dict[int, Verdict] = {}
        for choice in self.choices:
            if choice.choice == LATER:
                continue
            reason = choice.own or self.common_reason
            if choice.choice == REFUSE and not reason:
                choice.error = _("Indiquez le motif du refus.")
                continue
            accept = choice.choice == ACCEPT
            found[choice.row.line.id] = Verdict(
                accept=accept, reason="" if accept else reason, details=choice.details if accept else {}
            )
        unreasoned = [choice for choice in self.choices if choice.error]
        if unreasoned:
            self.reason_error = _("Indiquez le motif du refus : la famille le lit.")
            self.problems = [{"text": self.reason_error, "href": "#motif"}]
            return {}
        if not found:
            self.problems = [
                {"text": _("Choisissez « Accepter » ou « Refuser » pour une ligne au moins."), "href": "#lignes"}
            ]
        return found
