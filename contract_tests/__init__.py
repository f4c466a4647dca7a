"""Tests that hold a deployment to the contract, clause by clause.

`agent-contract verify URL` runs them; so does `pytest --pyargs contract_tests --contract-url URL`. They know the
deployment by its replies alone: it may have any agent, model and text, and the content of answers is never judged.
"""
