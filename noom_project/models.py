"""What processes of one site tell each other through their database."""

from django.db import models
from django.db.models.functions import Now


class Asset(models.Model):
    """A file of the pages, under a name that holds a hash of its content."""

    name = models.CharField(max_length=200, primary_key=True)
    packed = models.BinaryField()  # by zlib
    seen_at = models.DateTimeField(db_default=Now())  # when a process that has it last said so

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Process(models.Model):
    """A server process, which says again and again that it lives."""

    run = models.CharField(max_length=32, primary_key=True)  # random: hosts and pids come again
    name = models.CharField(max_length=300)
    alone = models.BooleanField()  # it has no Redis, in which it would meet others
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
