"""QR codes as a page draws them."""

from __future__ import annotations

import segno


def qr_rows(text: str) -> list[str]:
    """The QR code's modules, row by row: 1 is dark. The quiet zone of four modules is the page's."""
    return ["".join("01"[bit & 1] for bit in row) for row in segno.make(text, micro=False, error="m").matrix]
