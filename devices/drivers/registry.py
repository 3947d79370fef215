"""Names to driver classes. A driver's own imports happen only when it is asked for.

A driver from elsewhere is named ``package.module:Class``.
"""

from __future__ import annotations

from importlib import import_module

from devices.drivers.base import Arm, ImageSource

# name -> (module, class, what to install when its import fails)
ARMS: dict[str, tuple[str, str, str]] = {
    "sim": ("devices.drivers.sim.arm", "SimArm", "the extra 'sim' (mujoco)"),
}
IMAGE_SOURCES: dict[str, tuple[str, str, str]] = {
    "phantom": ("devices.drivers.images.source", "PhantomSource", "numpy"),
    "dicom-loop": ("devices.drivers.images.dicom_loop", "DicomLoopSource", "the extra 'dicom' (pydicom)"),
}


class UnknownDriver(LookupError):
    """No driver of that name, or its libraries are missing; the text says which names exist."""


def arm_class(name: str) -> type[Arm]:
    """The arm driver called ``name``. Raises UnknownDriver."""
    found = _load(name, ARMS, "arm driver")
    if not issubclass(found, Arm):
        raise UnknownDriver(f"{found.__qualname__} is not an arm driver")
    return found


def image_source_class(name: str) -> type[ImageSource]:
    """The image source called ``name``. Raises UnknownDriver."""
    found = _load(name, IMAGE_SOURCES, "image source")
    if not issubclass(found, ImageSource):
        raise UnknownDriver(f"{found.__qualname__} is not an image source")
    return found


def _load(name: str, table: dict[str, tuple[str, str, str]], kind: str) -> type[object]:
    if ":" in name:
        module, attribute = name.split(":", 1)
        needs = "its package"
    elif name in table:
        module, attribute, needs = table[name]
    else:
        raise UnknownDriver(f"no {kind} is called {name!r}; known: {', '.join(sorted(table))}")
    try:
        found: type[object] = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownDriver(f"{kind} {name!r} needs {needs}: {error}") from error
    return found
