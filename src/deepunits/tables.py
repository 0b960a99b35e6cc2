"""Reading tables of results, and refusing those that are none."""

import pandas as pd

from deepunits.archives import Damaged, decoding
from deepunits.errors import UserError


def read_table(path, columns=()):
    """Return the ``.csv`` file `path` as a data frame.

    Raises
    ------
    UserError
        If it cannot be read, is no table, or lacks one of the `columns`.
    """
    try:
        with open(path, encoding="utf-8") as file, decoding("table"):
            table = pd.read_csv(file)
    except OSError as reason:
        raise UserError(f"{path} cannot be read ({reason.strerror or reason}); run the rule that makes it.") from reason
    except Damaged as reason:
        raise UserError(f"{path} is damaged or no .csv file ({reason}); delete it and run again.") from reason
    missing = [name for name in columns if name not in table]
    if missing:
        raise UserError(f"{path} holds no column {missing[0]}; delete it and run again.")
    return table
