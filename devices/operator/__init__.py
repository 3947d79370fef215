"""A headless remote operator (or bedside page) on aiortc, for checks, benchmarks and tests."""

from devices.operator.client import Operator, OperatorError

__all__ = ["Operator", "OperatorError"]
