"""`python -m agent_contract` is the command `agent-contract`."""

from agent_contract.cli import main

main(prog_name="agent-contract")
