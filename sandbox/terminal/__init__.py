"""What commands print: words, tables and progress, within the terminal's width."""
