"""Repairs the documents of others: a faulty part is read as it was meant or left out, by a rule that has a name.

`rule` has the types, `schema_rules` and `api_rules` the tables, and `mender` applies them to a document.
"""
