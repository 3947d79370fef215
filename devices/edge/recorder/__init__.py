"""A drive recorder for developers: everything the safety process was told and did, and its replay."""
