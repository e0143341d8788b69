"""How results are shown: words, tables, pictures, reports, progress."""
