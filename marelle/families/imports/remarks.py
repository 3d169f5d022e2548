"""What may be said of a line of a file: why it is left out, or what was not taken from it. Pure; words in `labels`."""

from dataclasses import dataclass, field
from enum import StrEnum


class Why(StrEnum):
    NO_NAME = "no_name"
    BAD_DATE = "bad_date"
    AGE = "age"
    BAD_INE = "bad_ine"
    SAME_INE = "same_ine"
    SAME_CHILD = "same_child"
    EXCESS = "excess"
    NO_SCHOOL = "no_school"
    UNKNOWN_SCHOOL = "unknown_school"
    LEVEL_NOT_HERE = "level_not_here"
    NO_GUARDIAN = "no_guardian"
    GUARDIAN_NO_NAME = "guardian_no_name"
    CHILD_NOT_IN_FILE = "child_not_in_file"
    NAMESAKES = "namesakes"
    NO_CHILD = "no_child"
    # The line is taken, this of it is not:
    BAD_EMAIL = "bad_email"
    SHARED_EMAIL = "shared_email"
    EMAIL_IN_USE = "email_in_use"
    OPEN_ACCOUNT = "open_account"
    OTHER_HOME_TOO = "other_home_too"
    OTHER_INE = "other_ine"

    @property
    def refuses(self) -> bool:
        return self not in TAKEN


TAKEN = {
    Why.BAD_EMAIL,
    Why.SHARED_EMAIL,
    Why.EMAIL_IN_USE,
    Why.OPEN_ACCOUNT,
    Why.OTHER_HOME_TOO,
    Why.OTHER_INE,
}


@dataclass(frozen=True, slots=True)
class Remark:
    """`source`: which file (0: the only one or the pupils', 1: the guardians'); `who`: whom the line tells of, as it
    says; `facts`: text for the sentence."""

    source: int
    line: int
    who: str
    why: Why
    facts: dict[str, str] = field(default_factory=dict)
