"""Image sources: the phantom at the probe's true pose, and a real loop from a DICOM file."""
