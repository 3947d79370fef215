"""Whether the picture is frozen: what the pictures themselves say, and what was asked for and does not show yet.

Two memories of one fact part sooner or later: the operator who changed or reloaded the page in a freeze would press on
behind a picture that stands still and says it does not. So imaging alone knows, each picture carries it, and the wish
only bridges the time until the first frozen picture.
"""

from __future__ import annotations


class Freeze:
    """``on`` forbids motion and is what every page shows."""

    def __init__(self) -> None:
        self._asked = self._shown = False

    @property
    def on(self) -> bool:
        """Frozen, or about to be."""
        return self._asked or self._shown

    def ask(self, on: bool) -> bool:
        """The operator's wish; whether it changes anything. A freeze ends with the first live picture, not before."""
        news = on != self.on
        self._asked = on and not self._shown
        return news

    def forget(self) -> None:
        """The wish is void: imaging refused, or its operator is gone. A picture that stands still goes on to say so."""
        self._asked = False

    def picture(self, frozen: bool) -> bool:
        """One picture went to the pages. True when it stands still and nobody had asked for that."""
        surprise = frozen and not self.on
        self._shown = frozen
        if frozen:
            self._asked = False
        return surprise
