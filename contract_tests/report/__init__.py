"""What a run of the contract tests leaves behind: a report as a page, as JSON, as Markdown, and what is made of it."""
