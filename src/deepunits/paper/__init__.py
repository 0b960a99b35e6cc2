"""The paper, played on the instrument: its figures, its tables, its claims and the numbers published beside it.

Everything here may use the rest of the library, and nothing of the rest knows that it exists.
"""
