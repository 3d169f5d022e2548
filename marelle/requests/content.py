"""What stands sealed in a request's form: its answers, then what the family adds in its own words."""

import json
from dataclasses import dataclass

from marelle.townfile.town import QuestionKind

Value = str | bool | int | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAnswer:
    """The answer to one question. `label` and `kind` are the question's as it was asked; `value`: the text, the choice,
    several choices, yes or no, the date as "2026-11-10", the number."""

    question: str
    label: str
    kind: QuestionKind
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class FormContent:
    answers: tuple[FieldAnswer, ...] = ()
    words: str = ""

    def to_bytes(self) -> bytes:
        answers = [
            {"question": one.question, "label": one.label, "kind": one.kind.value, "value": one.value}
            for one in self.answers
        ]
        return json.dumps({"answers": answers, "words": self.words}, ensure_ascii=False).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "FormContent":
        plain = json.loads(data)
        return cls(
            answers=tuple(
                FieldAnswer(
                    question=one["question"],
                    label=one["label"],
                    kind=QuestionKind(one["kind"]),
                    value=tuple(one["value"]) if isinstance(one["value"], list) else one["value"],
                )
                for one in plain["answers"]
            ),
            words=plain["words"],
        )
