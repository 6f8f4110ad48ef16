"""Output of commands: words, tables and progress, within the terminal's width."""
