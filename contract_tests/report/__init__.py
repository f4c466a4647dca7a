"""The report of a run of the contract tests as HTML, JSON, Markdown and in the terminal, and its comparison."""
