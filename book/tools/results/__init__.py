"""The page of results, written from records: ``python -m book.tools.results [FOLDER]``.

The modules ask the records and return plain rows, ``templates/`` holds every sentence, and ``comparisons.yml`` says
what is held against what. Every number and every verdict on the page is computed; what was not run is named.
"""
