"""The tables follow the house: keys point downwards, times know their zone."""

from __future__ import annotations

import tomllib

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Field, Model

from .files import ROOT

Layers = dict[str, int]


def _layers() -> Layers:
    """Package -> height of its layer (0 is the lowest), from the import rule."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(c for c in contracts if c["name"] == "The house points one way")["layers"]
    return {
        name.strip(): height for height, layer in enumerate(reversed(layers)) for name in layer.split("|")
    }


def _upward(model: type[Model], field: Field[object, object], layers: Layers) -> str | None:
    """What is wrong with one foreign key, or None. Django's own tables lie below everything."""
    target = field.related_model
    assert isinstance(target, type)
    here, there = (m._meta.app_config.name for m in (model, target))
    if here == there or here not in layers or there not in layers:
        return None
    return None if layers[there] < layers[here] else f"{model.__name__}.{field.name} points at {there}"


def test_every_foreign_key_points_downwards() -> None:
    layers = _layers()
    keys = [
        (model, field)
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.is_relation and field.related_model
    ]
    assert len(keys) > 10
    assert [problem for model, field in keys if (problem := _upward(model, field, layers))] == []


def test_an_upward_key_would_be_seen() -> None:
    layers = _layers()
    robot = apps.get_model("fleet", "Robot")
    key = next(f for f in robot._meta.get_fields() if f.name == "resource" and isinstance(f, Field))
    assert _upward(robot, key, layers) is None
    turned = layers | {"hospital.scheduling": 99}
    assert _upward(robot, key, turned) == "Robot.resource points at hospital.scheduling"


@pytest.mark.django_db
def test_every_time_in_the_database_has_a_zone() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('timestamp without time zone', 'time without time zone')"
        )
        assert cursor.fetchall() == []


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    from django.core.management import call_command

    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
