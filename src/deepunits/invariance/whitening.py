"""Second-order statistics of a dataset, and the whitening matrix of section 5.1."""

import numpy as np

from deepunits.checks import check_finite, check_numbers, check_symmetric, float_array
from deepunits.errors import UserError

BLOCK = 5000  # examples made float64 at a time


def estimate(examples: np.ndarray, *, regularization: float = 0.01) -> dict[str, np.ndarray]:
    """Estimate mean norm, mean, covariance and zero-phase (ZCA) whitening of a dataset.

    The whitening matrix is (C + r I)^(-1/2), symmetric, with C the covariance of the examples and r the share
    `regularization` of C's mean eigenvalue (Bell and Sejnowski, 1997). It is estimated in float64 with an explicit
    regularization, because directions without variance would otherwise be scaled by rounding errors.

    Parameters
    ----------
    examples : array (n, P), float32
    regularization : float
        0 or more.

    Returns
    -------
    dict of arrays, float64
        ``mean_norm`` (): ρ, the mean Euclidean norm of the examples. ``mean`` (P,). ``covariance`` (P, P): C, without
        regularization. ``whitening``, ``unwhitening`` (P, P): (C + r I) to the powers -1/2 and 1/2.
        ``eigenvalues`` (P,), ``eigenvectors`` (P, P): of C, ascending, and in columns. ``regularization`` (): r.

    Raises
    ------
    UserError
        If the examples hold NaN or an infinity, there are fewer than two, r is below 0, or C + r I is singular.

    Examples
    --------
    >>> import numpy as np
    >>> from deepunits import estimate_statistics
    >>> examples = np.random.default_rng(0).normal(size=(1000, 3)) @ np.diag([1.0, 2.0, 3.0])
    >>> statistics = estimate_statistics(examples, regularization=0.0)
    >>> np.cov((examples @ statistics["whitening"]).T).round(6) + 0.0
    array([[1., 0., 0.],
           [0., 1., 0.],
           [0., 0., 1.]])
    """
    examples = float_array("the examples", examples, "n", "pixels")
    if len(examples) < 2 or not examples.shape[1]:
        raise UserError(f"a covariance needs at least 2 examples, of a pixel; these have shape {examples.shape}.")
    check_numbers(regularization=(regularization, "not negative"))
    blocks = [slice(start, start + BLOCK) for start in range(0, len(examples), BLOCK)]
    mean = sum(examples[block].sum(axis=0, dtype=np.float64) for block in blocks) / len(examples)
    if not np.isfinite(mean).all():
        raise UserError("the examples hold NaN or infinity; mend the data file before estimating its statistics.")
    norms = [np.linalg.norm(examples[block].astype(np.float64), axis=1) for block in blocks]
    covariance = np.zeros((len(mean), len(mean)))
    for block in blocks:
        centred = examples[block] - mean
        covariance += centred.T @ centred
    covariance /= len(examples) - 1

    eigenvalues, eigenvectors = np.linalg.eigh(covariance)
    ridge = regularization * eigenvalues.mean()
    regularized = eigenvalues + ridge
    if _singular(regularized):
        raise UserError(
            "the covariance of the examples is singular, so it cannot be whitened; "
            f"raise regularization above {regularization}."
        )
    return {
        "mean_norm": np.concatenate(norms).mean(),
        "mean": mean,
        "covariance": covariance,
        "whitening": (eigenvectors / np.sqrt(regularized)) @ eigenvectors.T,
        "unwhitening": (eigenvectors * np.sqrt(regularized)) @ eigenvectors.T,
        "eigenvalues": eigenvalues,
        "eigenvectors": eigenvectors,
        "regularization": ridge,
    }


def preconditioner(covariance: np.ndarray, ridge: float) -> np.ndarray:
    """Return the square root of C + r I, scaled so that its largest eigenvalue is 1.

    Its square scales the steps of a whitened search. So scaled, one learning rate, in units of the gradient, suits the
    search with and without whitening, whatever the variance of the data: no direction is given more than a plain step.

    Parameters
    ----------
    covariance : array (P, P), float64
        C.
    ridge : float
        r, as :func:`estimate` stores it.

    Returns
    -------
    array (P, P), float64
        Symmetric.

    Raises
    ------
    UserError
        If C + r I is singular, C is not symmetric or r is below 0.
    """
    covariance = float_array("the numbers of the covariance", covariance, "pixels", "pixels")
    check_finite("the numbers of the covariance", covariance)
    check_symmetric("the numbers of the covariance", covariance)
    check_numbers(ridge=(ridge, "not negative"))
    return scaled_root(*np.linalg.eigh(covariance), ridge)


def scaled_root(eigenvalues, eigenvectors, ridge):
    """Return what :func:`preconditioner` does, from the eigenvalues (P,) and eigenvectors (P, P) of C."""
    regularized = eigenvalues + ridge
    if _singular(regularized):
        raise UserError("the covariance of the examples is singular; raise its regularization.")
    return (eigenvectors * np.sqrt(regularized / regularized[-1])) @ eigenvectors.T


def _singular(eigenvalues):
    """Return whether a matrix of these `eigenvalues`, ascending, has no inverse for all practical purposes."""
    return eigenvalues[0] <= 1e-12 * eigenvalues[-1]
