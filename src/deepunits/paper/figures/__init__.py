"""The paper's figures, one module each, drawn from result files alone.

Every ``figure<n>.draw`` takes the paths of result files and returns the figure with the numbers that it shows;
:func:`deepunits.drawing.sheet.save` writes both. Nothing is computed here: grey values are scaled and the best of the
restarts is picked, no more.
"""
