"""Runs a client's own command against what the contract permits a server to do, and names what it can't take."""
