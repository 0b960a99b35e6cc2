"""Steps of training on a GPU, in as few launches as may be: a launch takes longer than most of what is launched."""

from deepunits.backend import accumulate_product
from deepunits.kernels import launch

FEW = 32  # examples up to which our own kernels do the products, too; of more, those of the library are faster


def corrupt(examples, masks, key, out, *, low, noise):
    """Write into `out` the `examples` (n, visible), corrupted where a mask drawn from `masks` (m, visible) is 0.

    A corrupted component becomes `low` or, if `noise` is not 0, one of `low` and ``low + noise``, at random.
    """
    sizes = len(masks), *examples.shape
    launch("corrupt", examples.size, examples, masks, out, key, float(low), float(noise), *sizes)
    return out


def denoise_few(layer, examples, hidden_factors, visible_factors):
    """Compute what ``Denoising.descent_direction`` does, in three launches, for a layer with sigmoids on both sides.

    Parameters
    ----------
    layer : TiedLayer
    examples : array (n, visible)
    hidden_factors : array (2 n, hidden)
        Written into: the hidden means, and below them the errors brought back.
    visible_factors : array (2 n, visible)
        Written into: the errors of the reconstructions; the lower half are the corrupted examples.
    """
    n, weights = len(examples), layer.weights
    hidden, back, error, corrupted = hidden_factors[:n], hidden_factors[n:], visible_factors[:n], visible_factors[n:]
    sizes, centre = (n, *weights.shape), 0.5 if layer.visible == "centred" else 0.0
    launch("encode_few", hidden.size, corrupted, weights, layer.hidden_bias, hidden, *sizes)
    launch("errors_of_few", error.size, examples, hidden, weights, layer.visible_bias, error, centre, *sizes)
    launch("bring_back_few", back.size, error, weights, hidden, back, *sizes)


def descend(layer, hidden_factors, visible_factors, shares, *, rate, decay, shift=0.0):
    """Move the parameters of a tied layer, without momentum.

    Parameters
    ----------
    layer : TiedLayer
    hidden_factors : array (n, hidden)
    visible_factors : array (n, visible)
        The direction for the weights is ``hidden_factors.T @ visible_factors``.
    shares : pair of arrays (n,)
        The directions for the biases are the sums of the rows of the factors, each row times its share.
    rate : float
        Times which the directions are taken.
    decay : float
        What the weights are multiplied by.
    shift : float
        Added to the direction of each hidden bias.
    """
    factors, biases = (hidden_factors, visible_factors), (layer.hidden_bias, layer.visible_bias)
    sizes, rates = (len(hidden_factors), *layer.weights.shape), (float(rate), float(decay), float(shift))
    units = sum(layer.weights.shape)
    if len(hidden_factors) <= 2 * FEW:
        size = layer.weights.size + units
        launch("descend_by_few", size, *factors, *shares, layer.weights, *biases, *rates, *sizes)
        return
    accumulate_product(layer.weights, *factors, alpha=rate, beta=decay)
    launch("descend_biases", units, *factors, *shares, *biases, rates[0], rates[2], *sizes)


def softmax_errors(outputs, bias, labels, mistakes):
    """Turn the products (n, classes) of an output layer into errors; count those mistaken in `mistakes` (n,), int64."""
    launch("softmax_errors", len(outputs), outputs, bias, labels, mistakes, *outputs.shape)


def add_rows(rows, total, scale):
    """Add to `total` (units,) the sum of the `rows` (n, units) times `scale`, in place."""
    launch("add_rows", len(total), rows, total, float(scale), *rows.shape)
