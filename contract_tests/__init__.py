"""Tests that hold a deployment to the contract, clause by clause.

`agent-contract verify URL` runs them; so does `pytest --pyargs contract_tests --contract-url URL`. They know the
deployment by its answers alone: its agent, model and texts may be any, and what a model says is never judged.
"""
