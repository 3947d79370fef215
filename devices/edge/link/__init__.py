"""The process that talks to the network: sockets and packets only, no safety decision."""
