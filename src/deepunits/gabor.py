"""How much a filter is like a Gabor function: a wave under a Gaussian (section 4.4 finds them on natural images)."""

from dataclasses import dataclass

import numpy as np

from deepunits.errors import UserError

LEAST_WIDTH = 1.0  # pixels, standard deviation of the Gaussian; a narrower one would take a single pixel for a Gabor
WIDTHS = (1.0, 0.5)  # first widths that are tried, as shares of the filter's own extent
PADDED = 4  # times the side: how finely the spectrum is searched for its peak
STEPS = 60  # of Levenberg-Marquardt, at most
LEAST_GAIN = 1e-6  # of R² in a step, under which a fit has ended
BLOCK = 250  # filters fitted at a time, to bound the memory


@dataclass(frozen=True)
class GaborFit:
    """Gabor functions fitted to N filters.

    Attributes
    ----------
    r_squared : array (N,)
        Share of the filter's variance over its pixels that the function accounts for.
    fitted : array (N, P)
        The functions, their means taken off.
    centre : array (N, 2)
        Of the Gaussian: row and column, in pixels.
    wave : array (N, 2)
        Cycles a pixel, downwards and to the right.
    widths : array (N, 2)
        Standard deviations of the Gaussian along the wave and across it, in pixels.
    """

    r_squared: np.ndarray
    fitted: np.ndarray
    centre: np.ndarray
    wave: np.ndarray
    widths: np.ndarray


def fit_gabors(filters, widths=WIDTHS):
    """Fit a Gabor function and a constant to each filter by least squares, from several starts; keep the best.

    Centre, wave and widths are searched by Levenberg-Marquardt, all filters at once. Amplitude and phase are linear, so
    each step solves for them exactly (variable projection, Golub and Pereyra 1973, with Kaufman's Jacobian, 1975).

    Parameters
    ----------
    filters : array (N, P)
        Square images.
    widths : sequence of float
        A start for each: its first width, as a share of the filter's own extent. Time is proportional to their number.

    Returns
    -------
    GaborFit

    Raises
    ------
    UserError
        If a filter is constant, as those of dead units may be: there is nothing to fit.
    """
    filters = np.asarray(filters, dtype=np.float64)
    centred = filters - filters.mean(axis=1, keepdims=True)
    size = np.linalg.norm(centred, axis=1, keepdims=True)
    constant = np.flatnonzero(np.ptp(filters, axis=1) == 0)
    if len(constant):
        raise UserError(f"filter {constant[0]} is constant, so no Gabor fits it; leave dead units out.")
    blocks = [slice(start, start + BLOCK) for start in range(0, len(filters), BLOCK)]
    parameters, residuals = (
        np.concatenate(parts) for parts in zip(*(_best_fits(centred[b] / size[b], widths) for b in blocks), strict=True)
    )
    return GaborFit(
        r_squared=1 - (residuals**2).sum(axis=1),
        fitted=centred - size * residuals,
        centre=parameters[:, :2],
        wave=parameters[:, 2:4],
        widths=parameters[:, 4:],
    )


def gabor_pairs(parameters, grid):
    """Return Gabor functions with a cosine and with a sine for their wave.

    Parameters
    ----------
    parameters : array (n, 6)
        Centre (row, column), wave (cycles a pixel downwards and to the right), widths along the wave and across it.
    grid : array (2, P)
        Row and column of each pixel, as from :func:`pixel_grid`.

    Returns
    -------
    array (n, P, 2)
    """
    offset, along, across = _coordinates(parameters, grid)
    a, b = parameters[:, 4:5], parameters[:, 5:6]
    envelope = np.exp(-0.5 * ((along / a) ** 2 + (across / b) ** 2))
    phase = 2 * np.pi * (parameters[:, 2:3] * offset[0] + parameters[:, 3:4] * offset[1])
    return np.stack([envelope * np.cos(phase), envelope * np.sin(phase)], axis=2)


def _coordinates(parameters, grid):
    """Return each pixel's offset (2, n, P) from the centre, and its parts (n, P) along the wave and across it."""
    offset = grid[:, None] - parameters[:, :2].T[:, :, None]
    frequency = np.maximum(np.hypot(parameters[:, 2], parameters[:, 3]), 1e-9)
    down, right = (parameters[:, 2:4] / frequency[:, None]).T[:, :, None]
    return offset, down * offset[0] + right * offset[1], down * offset[1] - right * offset[0]


def _best_fits(filters, widths):
    """Return the parameters (n, 6) and residuals (n, P) of the best fits to filters (n, P) of mean 0 and norm 1."""
    grid = pixel_grid(filters.shape[1])
    fits = [_fit(filters, start, grid) for start in _starts(filters, grid, widths)]
    parameters, residuals = (np.stack(parts) for parts in zip(*fits, strict=True))
    best = (residuals**2).sum(axis=2).argmin(axis=0), np.arange(len(filters))
    return parameters[best], residuals[best]


def pixel_grid(pixels):
    """Return the row and the column of each pixel of a square image, (2, P)."""
    side = round(pixels**0.5)
    return np.mgrid[:side, :side].reshape(2, -1).astype(float)


def _starts(filters, grid, widths):
    """Yield first parameters (n, 6): the centre of the energy, the peak of the spectrum, widths as the extent."""
    energy = filters**2
    centre = energy @ grid.T
    distance = ((grid - centre[:, :, None]) ** 2).sum(axis=1)
    # A Gaussian of standard deviation w has an energy of variance w² / 2 in each direction.
    extent = np.sqrt((distance * energy).sum(axis=1))[:, None]
    for share in widths:
        first = np.repeat(np.maximum(share * extent, LEAST_WIDTH), 2, axis=1)
        yield np.concatenate([centre, _spectral_peaks(filters), first], axis=1)


def _spectral_peaks(filters):
    """Return the wave (n, 2), in cycles a pixel, of largest amplitude in each of the filters (n, P)."""
    side = round(filters.shape[1] ** 0.5)
    size = PADDED * side
    amplitude = np.abs(np.fft.rfft2(filters.reshape(-1, side, side), (size, size)))
    rows, columns = np.divmod(amplitude.reshape(len(filters), -1).argmax(axis=1), amplitude.shape[2])
    return np.stack([np.fft.fftfreq(size)[rows], np.fft.rfftfreq(size)[columns]], axis=1)


def _fit(filters, parameters, grid):
    """Return parameters (n, 6) that are better than those given, and the residuals (n, P)."""
    side = grid.max() + 1
    low, high = [0, 0, -0.5, -0.5, LEAST_WIDTH, LEAST_WIDTH], [side - 1, side - 1, 0.5, 0.5, side, side]
    parameters, (residual, jacobian) = parameters.copy(), _projected(filters, parameters, grid)
    size, damping = (residual**2).sum(axis=1), np.full(len(filters), 0.01)
    going = np.arange(len(filters))
    for _ in range(STEPS):
        slopes = jacobian[going]
        normal = slopes @ slopes.transpose(0, 2, 1)
        diagonal = np.einsum("njj->nj", normal)
        diagonal += damping[going, None] * diagonal + 1e-12  # a view: this changes `normal`
        step = np.linalg.solve(normal, slopes @ residual[going, :, None])[:, :, 0]
        trial = np.clip(parameters[going] - step, low, high)
        trial_residual, trial_jacobian = _projected(filters[going], trial, grid)
        gain = size[going] - (trial_residual**2).sum(axis=1)
        better = gain > 0
        rows = going[better]
        parameters[rows], residual[rows], jacobian[rows] = trial[better], trial_residual[better], trial_jacobian[better]
        size[rows] -= gain[better]
        damping[going] *= np.where(better, 1 / 3, 5)
        going = going[~better | (gain > LEAST_GAIN)]
        if not len(going):
            break
    return parameters, residual


def _projected(filters, parameters, grid):
    """Return what the best Gabor functions of these parameters leave of the filters, and how this changes with them.

    Returns
    -------
    residual : array (n, P)
    jacobian : array (n, 6, P)
    """
    raw = gabor_pairs(parameters, grid)
    pairs = raw - raw.mean(axis=1, keepdims=True)
    across = pairs.transpose(0, 2, 1)
    normal = across @ pairs
    normal += 1e-9 * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(2) + 1e-15 * np.eye(2)
    inverse = np.linalg.inv(normal)
    amplitudes = inverse @ (across @ filters[:, :, None])
    residual = filters - (pairs @ amplitudes)[:, :, 0]
    jacobian = -_slopes(parameters, grid, raw, amplitudes)
    jacobian -= jacobian.mean(axis=2, keepdims=True)
    jacobian -= (jacobian @ pairs) @ inverse @ across
    return residual, jacobian


def _slopes(parameters, grid, pairs, amplitudes):
    """Return the derivatives of mixtures of the `pairs` (n, P, 2) with respect to the six parameters, (n, 6, P).

    Parameters
    ----------
    amplitudes : array (n, 2, 1)
        Shares of the two in the mixture.
    """
    offset, along, across = _coordinates(parameters, grid)
    wave, (a, b) = parameters[:, 2:4], parameters[:, 4:].T[:, :, None]
    frequency = np.maximum(np.hypot(*wave.T), 1e-9)[:, None]
    down, right = wave.T[:, :, None] / frequency
    mixture = (pairs @ amplitudes)[:, :, 0]
    turned = 2 * np.pi * (pairs[:, :, 0] * amplitudes[:, 1] - pairs[:, :, 1] * amplitudes[:, 0])  # by the phase
    # Of the logarithm of the envelope, -(along / a)² / 2 - (across / b)² / 2, and of the phase.
    turn = mixture * along * across * (1 / b**2 - 1 / a**2) / frequency
    pull_along, pull_across = mixture * along / a**2, mixture * across / b**2
    return np.stack(
        [
            down * pull_along - right * pull_across - wave[:, :1] * turned,
            right * pull_along + down * pull_across - wave[:, 1:] * turned,
            offset[0] * turned - right * turn,
            offset[1] * turned + down * turn,
            pull_along * along / a,
            pull_across * across / b,
        ],
        axis=1,
    )
