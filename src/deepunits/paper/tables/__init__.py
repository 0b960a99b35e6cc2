"""The tables of a run, a module each.

``tabulate`` takes the paths of result files and returns what each output of the rule is to hold: a data frame for a
``.csv`` file, a dict of arrays for an ``.npz`` file.
"""
