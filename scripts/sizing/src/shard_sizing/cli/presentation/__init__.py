"""How answers are shown: words, tables, pictures, reports, progress."""
