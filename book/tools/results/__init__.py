"""The page of results, written from receipts: ``python -m book.tools.results [FOLDER]``.

Every number and every verdict on the page is computed here; where a receipt is missing, the page says so.
"""
