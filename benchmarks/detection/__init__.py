"""How well the contract tests detect: a conforming deployment, its innocent variants and its planted defects.

The deployment shares no code with the mock server. That a set written by the authors of the checks is caught
shows that no clause is vacuous, and no more.
"""
