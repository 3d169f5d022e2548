"""The families' tables, by what they are about."""

from marelle.families.models.circle import AuthorisedPerson, EmergencyContact, ForbiddenPerson, PermissionAnswer
from marelle.families.models.doubles import DistinctHouseholds, HouseholdMerge
from marelle.families.models.health import HealthFile, HealthReading, ReadingReason
from marelle.families.models.homes import Child, FamilyQuotient, Guardian, Guardianship, Household, Residence
from marelle.families.models.imports import ColumnMatch, ImportRun, ImportState
from marelle.families.models.joining import AdultInvitation, InvitationGuest, InvitationRound, RoundState

__all__ = [
    "AdultInvitation",
    "AuthorisedPerson",
    "Child",
    "ColumnMatch",
    "DistinctHouseholds",
    "EmergencyContact",
    "FamilyQuotient",
    "ForbiddenPerson",
    "Guardian",
    "Guardianship",
    "HealthFile",
    "HealthReading",
    "Household",
    "HouseholdMerge",
    "ImportRun",
    "ImportState",
    "InvitationGuest",
    "InvitationRound",
    "PermissionAnswer",
    "ReadingReason",
    "Residence",
    "RoundState",
]
