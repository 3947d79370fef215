"""DICOM on the server's side: what a file says, and its pictures for eyes without a viewer."""

from .names import ideographic, person_name
from .read import DicomMeta, read_meta
from .render import to_mp4, to_png

__all__ = ["DicomMeta", "ideographic", "person_name", "read_meta", "to_mp4", "to_png"]
