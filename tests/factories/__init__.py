"""A small world for tests: two hospitals that work together, a third that does not, people, robot, patient."""

from .world import World, make_world

__all__ = ["World", "make_world"]
