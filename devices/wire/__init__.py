"""Messages, units and limits that robot, browser tests and server share. Standard library only."""
