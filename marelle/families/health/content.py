"""What a health file holds, in the clear: only between its sealed row and the page of who may read it."""

import json
from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum

from django.views.decorators.debug import sensitive_variables


class Vaccination(StrEnum):
    """Whether the vaccinations that the law asks for are up to date, as the family says."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthContent:
    """An empty text means nothing to report. `plan` says what the PAI is for, `protocol` what to do, `kit` where its
    kit is. Never shown by `repr`: it may end in an error report."""

    allergies: str = field(default="", repr=False)
    treatments: str = field(default="", repr=False)
    recommendations: str = field(default="", repr=False)
    plan: str = field(default="", repr=False)
    protocol: str = field(default="", repr=False)
    kit: str = field(default="", repr=False)
    doctor_name: str = field(default="", repr=False)
    doctor_phone: str = field(default="", repr=False)
    vaccination: Vaccination = field(default=Vaccination.UNKNOWN, repr=False)
    vaccinated_on: date | None = field(default=None, repr=False)

    @sensitive_variables()
    def to_bytes(self) -> bytes:
        """What is sealed."""
        plain = asdict(self) | {"vaccinated_on": self.vaccinated_on and self.vaccinated_on.isoformat()}
        return json.dumps(plain, ensure_ascii=False).encode()

    @classmethod
    @sensitive_variables()
    def from_bytes(cls, plain: bytes) -> "HealthContent":
        """Keys of another version are left aside, missing ones have their default."""
        said = json.loads(plain)
        known = {name: said[name] for name in cls.__slots__ if name in said}
        known["vaccination"] = Vaccination(known.get("vaccination", Vaccination.UNKNOWN))
        if day := known.get("vaccinated_on"):
            known["vaccinated_on"] = date.fromisoformat(day)
        return cls(**known)
