"""What a home does with its documents, and what agents answer. Another room calls `hand_in` and `accept_terms`."""

from marelle.documents.services.claiming import ask_papers
from marelle.documents.services.handing_in import NotAsked, hand_in
from marelle.documents.services.terms import accept_terms
from marelle.documents.services.undoing import TooLate, take_back_answers
from marelle.documents.services.withdrawing import NotWaiting, withdraw

__all__ = [
    "NotAsked",
    "NotWaiting",
    "TooLate",
    "accept_terms",
    "ask_papers",
    "hand_in",
    "take_back_answers",
    "withdraw",
]
