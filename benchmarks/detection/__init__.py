"""Mutation testing of the contract tests: a reference server, its mutants, and variants that conform as well.

The reference server shares no code with the mock. Its mutants were written by the authors of the checks: killing all
of them shows that every clause is checked, and no more.
"""
