"""DICOM objects from lossless pictures: US Image (still) and US Multi-frame Image (loop).

Uncompressed, Explicit VR Little Endian, one grey byte per pixel; names in UTF-8 (ISO_IR 192). The only
place in the edge that knows DICOM. Rules DCM-04..08, 13 and 17 of the standards page; tags of PS3.3
C.8.5.5 (region calibration), C.7.6.5 (cine), C.7.6.6 (multi-frame). What is burnt in is read from the tags.
"""

from devices.edge.dicom.burnt import marks_of
from devices.edge.dicom.names import person_name
from devices.edge.dicom.worklist import View, Worklist, WorklistIncomplete
from devices.edge.dicom.write import Shot, Written, new_uid, png, write_loop, write_still

__all__ = [
    "Shot",
    "View",
    "Worklist",
    "WorklistIncomplete",
    "Written",
    "marks_of",
    "new_uid",
    "person_name",
    "png",
    "write_loop",
    "write_still",
]
