"""Rows that the processes of one site share through their database."""

from django.db import models
from django.db.models.functions import Now


class Asset(models.Model):
    """A script or style of a page, under a name with a hash of its content."""

    name = models.CharField(max_length=200, primary_key=True)
    packed = models.BinaryField()  # by zlib
    seen_at = models.DateTimeField(db_default=Now())  # the last renewal by a process that has it

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Process(models.Model):
    """A server process, which renews its sign of life."""

    run = models.CharField(max_length=32, primary_key=True)  # random, because hosts and pids repeat
    name = models.CharField(max_length=300)
    alone = models.BooleanField()  # it has no Redis to share rooms through
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
