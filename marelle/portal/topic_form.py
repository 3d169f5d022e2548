"""The form of a request type: the child it is about, the town's questions, a few words."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from marelle.families.models import Child
from marelle.portal.children import HouseholdChild
from marelle.requests.content import FieldAnswer, Value
from marelle.townfile.town import Question, QuestionKind, RequestSubject, RequestType

WORDS_MOST = 2_000
ANSWER_MOST = 500
_YES, _NO = "oui", "non"


class TopicForm(forms.Form):
    """Made for one request type and one household; `answers()`, `child()` and `words()` once it is valid."""

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        topic: RequestType,
        questions: Sequence[Question],
        children: Sequence[HouseholdChild],
        chosen: str = "",
    ) -> None:
        super().__init__(data)
        self.topic, self.questions = topic, questions
        self.children: dict[str, Child] = {}
        if topic.about is RequestSubject.CHILD:
            self.children = {str(one.id): one.child for one in children}
            only = next(iter(self.children)) if len(self.children) == 1 else ""
            self.fields["enfant"] = forms.ChoiceField(
                label=_("Pour quel enfant ?"),
                choices=[(key, child.first_name) for key, child in self.children.items()],
                widget=forms.RadioSelect,
                initial=chosen if chosen in self.children else only,
                error_messages={
                    "required": _("Choisissez l’enfant concerné."),
                    "invalid_choice": _("Choisissez l’un de vos enfants."),
                },
            )
        for question in questions:
            self.fields[_name(question)] = _field(question)
        needed = not questions and not topic.papers
        self.fields["mots"] = forms.CharField(
            label=_("Votre message") if needed else _("Précisions"),
            required=needed,
            max_length=WORDS_MOST,
            widget=forms.Textarea(attrs={"rows": 5 if needed else 3}),
            error_messages={
                "required": _("Écrivez votre message."),
                "max_length": _("Le message est trop long : %(most)d caractères au plus.") % {"most": WORDS_MOST},
            },
        )

    def child(self) -> Child | None:
        return self.children.get(self.cleaned_data.get("enfant", ""))

    def words(self) -> str:
        said: str = self.cleaned_data["mots"]
        return said

    def answers(self) -> list[FieldAnswer]:
        """What was answered, in the order of the questions; those left empty are left out."""
        found = []
        for question in self.questions:
            value = _value(question, self.cleaned_data.get(_name(question)))
            if value is not None:
                found.append(FieldAnswer(question=question.slug, label=question.label, kind=question.kind, value=value))
        return found


def _name(question: Question) -> str:
    return f"q-{question.slug}"


def _value(question: Question, said: Any) -> Value | None:
    if said in (None, "", []):
        return None
    if question.kind is QuestionKind.YES_NO:
        return bool(said == _YES)
    if isinstance(said, date):
        return said.isoformat()
    if isinstance(said, list):
        return tuple(said)
    return said if isinstance(said, int) else str(said)


def _field(question: Question) -> forms.Field:
    common: dict[str, Any] = {"label": question.label, "required": question.required, "help_text": question.help}
    choose = {"required": _("Choisissez une réponse."), "invalid_choice": _("Choisissez une des réponses proposées.")}
    match question.kind:
        case QuestionKind.TEXT:
            return forms.CharField(
                max_length=ANSWER_MOST, error_messages={"required": _("Écrivez votre réponse.")}, **common
            )
        case QuestionKind.CHOICE:
            return forms.ChoiceField(
                choices=[(choice, choice) for choice in question.choices],
                widget=forms.RadioSelect,
                error_messages=choose,
                **common,
            )
        case QuestionKind.SEVERAL:
            return forms.MultipleChoiceField(
                choices=[(choice, choice) for choice in question.choices],
                widget=forms.CheckboxSelectMultiple,
                error_messages=choose | {"required": _("Choisissez une réponse au moins.")},
                **common,
            )
        case QuestionKind.YES_NO:
            return forms.ChoiceField(
                choices=[(_YES, _("Oui")), (_NO, _("Non"))], widget=forms.RadioSelect, error_messages=choose, **common
            )
        case QuestionKind.DATE:
            return forms.DateField(
                input_formats=["%Y-%m-%d", "%d/%m/%Y", "%d %m %Y"],
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
                error_messages={
                    "required": _("Indiquez la date."),
                    "invalid": _("La date doit exister, par exemple 16/11/2026."),
                },
                **common,
            )
        case QuestionKind.NUMBER:
            return forms.IntegerField(
                min_value=0,
                max_value=100_000,
                widget=forms.TextInput(attrs={"inputmode": "numeric"}),
                error_messages={
                    "required": _("Indiquez un nombre."),
                    "invalid": _("Indiquez un nombre entier, par exemple 3."),
                    "min_value": _("Le nombre ne peut pas être négatif."),
                    "max_value": _("Ce nombre est trop grand."),
                },
                **common,
            )
