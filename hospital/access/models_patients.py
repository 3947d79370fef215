"""Patients' accounts and the one-time codes that open them."""

from __future__ import annotations

from django.db import models

from hospital.common.clock import now
from hospital.common.crypto import EncryptedTextField
from hospital.common.ids import uuid7


class PatientAccount(models.Model):
    """A phone that signed in. It opens no record by itself; see people.AccountPatient."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone = EncryptedTextField()
    phone_index = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(default=now)
    last_sign_in_at = models.DateTimeField(null=True)


class LoginCode(models.Model):
    """A one-time code for a phone: hashed, 5 minutes, 5 tries, used once."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone_index = models.BinaryField(max_length=32, db_index=True)
    address = models.CharField(max_length=45, db_index=True)
    code_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)


class CodeTry(models.Model):
    """One try at a one-time code, right or wrong: what the limits per account and per address count."""

    id = models.UUIDField(primary_key=True, default=uuid7)
    phone_index = models.BinaryField(max_length=32, db_index=True)
    address = models.CharField(max_length=45, db_index=True)
    at = models.DateTimeField(default=now, db_index=True)
