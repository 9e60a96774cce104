"""Rooms, messages and bans: what outlives a restart."""

from django.db import models


class Room(models.Model):
    """A room, made when the first person enters it. `last_seq` numbers its messages."""

    key = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=64)
    listed = models.BooleanField(default=True)
    host = models.CharField(max_length=32, blank=True, help_text="The browser that made the room.")
    capacity = models.PositiveIntegerField(
        null=True, blank=True, help_text="People at most; empty: the server's setting."
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_seq = models.PositiveBigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """What a participant said. `seq` counts 1, 2, 3 … in its room, with no gap."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="messages")
    seq = models.PositiveBigIntegerField()
    participant = models.CharField(max_length=12)
    nickname = models.CharField(max_length=64)
    text = models.TextField()
    sent_at = models.DateTimeField(db_index=True)
    client_id = models.UUIDField()

    class Meta:
        ordering = ("room", "seq")
        constraints = (
            models.UniqueConstraint(fields=("room", "seq"), name="message_number"),
            models.UniqueConstraint(fields=("room", "client_id"), name="message_sent_once"),
        )

    def __str__(self) -> str:
        return f"{self.nickname}: {self.text[:50]}"


class Ban(models.Model):
    """A browser that was removed from a room: it stays out until it is let back in."""

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="bans")
    browser = models.CharField(max_length=32)
    nickname = models.CharField(max_length=64, help_text="As it was called when it was removed.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("room", "browser"), name="banned_once"),)

    def __str__(self) -> str:
        return self.nickname
