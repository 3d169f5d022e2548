"""What agents said of families that look alike."""

from django.db import models

from marelle.families.models.homes import Household


class HouseholdMerge(models.Model):
    """That a household, registered twice, was merged into `kept`. Its number stays, for the audit trail that names
    it."""

    kept = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="merges")
    gone_id = models.BigIntegerField(unique=True)
    gone_name = models.CharField(max_length=120)
    merged_at = models.DateTimeField()
    merged_by = models.CharField(max_length=150)

    def __str__(self) -> str:
        return f"{self.gone_id} into {self.kept_id}"


class DistinctHouseholds(models.Model):
    """That two households which look alike are not the same, as an agent said: `one` has the smaller id."""

    one = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    other = models.ForeignKey(Household, on_delete=models.CASCADE, related_name="+")
    said_at = models.DateTimeField()
    said_by = models.CharField(max_length=150)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["one", "other"], name="one_distinction")]

    def __str__(self) -> str:
        return f"{self.one_id} is not {self.other_id}"
