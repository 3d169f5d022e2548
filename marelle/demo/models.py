from django.db import models


class DeliveredMail(models.Model):
    """An e-mail that would have left, kept in the demo's own mailbox."""

    message_id = models.CharField(max_length=200)
    from_address = models.CharField(max_length=320)
    to_address = models.EmailField()
    subject = models.CharField(max_length=300)
    text = models.TextField()
    html = models.TextField(blank=True)
    delivered_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["to_address", "-id"], name="mailbox_address")]

    def __str__(self) -> str:
        return f"{self.to_address}: {self.subject}"
