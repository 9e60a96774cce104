"""Database models of rooms, messages, deletions, bans and chores."""

import secrets

from django.db import models
from django.utils.translation import gettext_lazy as _


def new_epoch() -> str:
    """Make the name of one life of a room.

    A room that is deleted and made again has another epoch.
    """
    return secrets.token_hex(8)


class Room(models.Model):
    """A room, made by the first person who enters it.

    `last_seq` is the last number of its journal, which holds messages and deletions.
    """

    key = models.CharField(_("address"), max_length=80, unique=True)
    name = models.CharField(_("name"), max_length=64)
    listed = models.BooleanField(_("listed"), default=True)
    host = models.CharField(
        _("host"), max_length=32, blank=True, help_text=_("The browser that made the room.")
    )
    capacity = models.PositiveIntegerField(
        _("capacity"),
        null=True,
        blank=True,
        help_text=_("People at most; empty: the server's setting."),
    )
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    last_seq = models.PositiveBigIntegerField(_("last number"), default=0, editable=False)
    # The default in the database is for processes of an older version, which know no epoch.
    epoch = models.CharField(max_length=16, default=new_epoch, db_default="", editable=False)
    # From then on the room takes no writes; its row is deleted after its last message.
    deleted_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created_at",)
        verbose_name, verbose_name_plural = _("room"), _("rooms")

    def __str__(self) -> str:
        return self.name


class Message(models.Model):
    """A message of a room.

    `seq` numbers the messages and deletions of the room together: 1, 2, 3 …
    """

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="messages", verbose_name=_("room")
    )
    seq = models.PositiveBigIntegerField(_("number"))
    participant = models.CharField(_("participant"), max_length=12)
    # For the export and erasure of a person's messages. Clients never receive it.
    browser = models.CharField(max_length=32, db_default="", editable=False)
    nickname = models.CharField(_("nickname"), max_length=64)
    text = models.TextField(_("text"))
    sent_at = models.DateTimeField(_("sent at"), db_index=True)
    client_id = models.UUIDField(_("name from its page"))

    class Meta:
        ordering = ("room", "seq")
        verbose_name, verbose_name_plural = _("message"), _("messages")
        constraints = (
            models.UniqueConstraint(fields=("room", "seq"), name="message_number"),
            models.UniqueConstraint(fields=("room", "client_id"), name="message_sent_once"),
        )

    def __str__(self) -> str:
        return f"{self.nickname}: {self.text[:50]}"


class Deletion(models.Model):
    """An entry of the journal that names deleted messages.

    Pages replay it like a message. `spans` are pairs of the first and the last deleted number.
    """

    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="deletions")
    seq = models.PositiveBigIntegerField()
    spans = models.JSONField()

    class Meta:
        verbose_name, verbose_name_plural = _("deletion"), _("deletions")
        ordering = ("room", "seq")
        constraints = (models.UniqueConstraint(fields=("room", "seq"), name="deletion_number"),)

    def __str__(self) -> str:
        return f"{self.seq}: {self.spans}"


class Ban(models.Model):
    """A browser that may not enter a room until an admin lets it back in."""

    room = models.ForeignKey(
        Room, on_delete=models.CASCADE, related_name="bans", verbose_name=_("room")
    )
    browser = models.CharField(_("browser"), max_length=32)
    nickname = models.CharField(
        _("nickname"), max_length=64, help_text=_("Their name when they were removed.")
    )
    created_at = models.DateTimeField(_("removed at"), auto_now_add=True)

    class Meta:
        ordering = ("-created_at",)
        verbose_name, verbose_name_plural = _("removed person"), _("removed people")
        constraints = (models.UniqueConstraint(fields=("room", "browser"), name="banned_once"),)

    def __str__(self) -> str:
        return self.nickname


class Chore(models.Model):
    """Work of the whole site, and the time at which a process last began it."""

    name = models.CharField(max_length=32, unique=True)
    begun_at = models.DateTimeField()

    class Meta:
        verbose_name = _("chore")
        verbose_name_plural = _("chores")

    def __str__(self) -> str:
        return self.name
