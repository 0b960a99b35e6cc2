"""The denoising auto-encoder of Vincent et al. (2008), trained as section 3 describes."""

import numpy as np

from deepunits.backend import array_module, matmul, times_slope
from deepunits.checks import check_choice, check_numbers
from deepunits.models import on_gpu
from deepunits.models.layer import GradientStep, TiedLayer
from deepunits.randomness import uniform

MASKS_AN_EPOCH = 5000  # masks drawn afresh each epoch; a minibatch takes its own at random from among them


class DenoisingAutoencoder(TiedLayer):
    """Encoder sigmoid(W x + b) and decoder f(W' h + c), with f and the inputs as `visible` says."""


def random_subsets(rng, rows, size, chosen, xp):
    """Return a boolean array (rows, size) with exactly `chosen` entries set in each row, at random."""
    order = xp.argpartition(uniform(rng, xp.empty((rows, size), xp.float32)), chosen - 1, axis=1)
    subsets = xp.zeros((rows, size), bool)
    subsets[xp.arange(rows)[:, None], order[:, :chosen]] = True
    return subsets


class Denoising:
    """Stochastic gradient descent on the error of reconstructing an input from a corrupted copy.

    Parameters
    ----------
    autoencoder : DenoisingAutoencoder
        Trained in place.
    batch : int
        Examples in a minibatch.
    corruption : {'zero_mask', 'salt_and_pepper'}
        What a corrupted component becomes: 0, or Bernoulli(0.5), less 1/2 if the inputs are centred.
    corrupted : float
        Share of the components that are corrupted: a random subset of fixed size, drawn for each example.
    momentum, weight_decay : float
    """

    def __init__(self, autoencoder, batch, *, corruption="zero_mask", corrupted=0.25, momentum=0.0, weight_decay=0.0):
        check_choice("corruption", corruption, ("zero_mask", "salt_and_pepper"))
        check_numbers(batch=(batch, "count"), corrupted=(corrupted, "share"))
        xp = array_module(autoencoder.weights)
        hidden, visible = autoencoder.weights.shape
        self.autoencoder, self.batch, self.corruption = autoencoder, batch, corruption
        self.chosen, self.masks, self.unseen = round(corrupted * visible), None, True
        self.gradient = GradientStep(autoencoder, momentum, weight_decay)
        # The two paths that the error takes to a tied weight, one above the other: through the decoder, the encoder.
        self.hidden_factors = xp.empty((2 * batch, hidden), xp.float32)
        self.visible_factors = xp.empty((2 * batch, visible), xp.float32)
        self.slope = xp.empty((batch, hidden), xp.float32)
        # Of these factors the biases follow the errors brought back and the errors: on a GPU, one launch sums both.
        self.shares = xp.repeat(xp.asarray([0, 1], xp.float32), batch), xp.repeat(xp.asarray([1, 0], xp.float32), batch)

    @property
    def state(self):
        """The arrays besides the parameters that the next step depends on, by name."""
        return {f"velocity_{name}": v for name, v in self.gradient.velocity.items()}

    def begin_epoch(self, rng):
        """Draw the epoch's masks: 1 where a component is kept, 0 where it is corrupted; look at the next examples."""
        self.unseen = True
        xp = array_module(self.autoencoder.weights)
        visible = self.autoencoder.weights.shape[1]
        if self.chosen == 0:
            self.masks = xp.ones((1, visible), xp.float32)
        else:
            self.masks = (~random_subsets(rng, MASKS_AN_EPOCH, visible, self.chosen, xp)).astype(xp.float32)

    def corrupt(self, examples, rng, out):
        """Write a corrupted copy of `examples` (batch, visible) into `out` and return it."""
        xp = array_module(examples)
        salted, low = self.corruption == "salt_and_pepper", -0.5 if self.autoencoder.visible == "centred" else 0.0
        if xp is not np:
            key = rng.key()
            return on_gpu.corrupt(examples, self.masks, key, out, low=low if salted else 0.0, noise=float(salted))
        masks = self.masks[rng.integers(0, len(self.masks), len(examples))]
        xp.multiply(examples, masks, out=out)
        if salted:
            out += (1 - masks) * ((uniform(rng, xp.empty_like(out)) < 0.5) + np.float32(low))
        return out

    def step(self, examples, learning_rate, rng):
        """Change the parameters by one step on `examples` (batch, visible), float32 in [0, 1]."""
        if self.masks is None:
            self.begin_epoch(rng)
        # Once an epoch: to look at all would take time.
        if self.unseen or examples.shape != (self.batch, self.visible_factors.shape[1]):
            self.autoencoder.check_examples(examples, self.batch)
            self.unseen = False
        corrupted = self.corrupt(examples, rng, out=self.visible_factors[self.batch :])
        factors = self.hidden_factors, self.visible_factors
        if not self.gradient.on_gpu:
            self.gradient.apply(*factors, *self.descent_direction(examples, corrupted), learning_rate, self.batch)
            return
        if self.batch <= on_gpu.FEW and self.autoencoder.visible != "gaussian":
            on_gpu.denoise_few(self.autoencoder, examples, *factors)
        else:
            self.bring_errors_back(examples, corrupted)
        self.gradient.apply_summed(*factors, self.shares, learning_rate, self.batch)

    def descent_direction(self, examples, corrupted):
        """Compute minus the gradient of the summed error, given the corrupted copy of the examples.

        Parameters
        ----------
        examples, corrupted : array (batch, visible)
            `corrupted` is the lower half of `visible_factors`.

        Returns
        -------
        hidden_gradient : array (hidden,)
        visible_gradient : array (visible,)
            For the biases; for the weights it is ``hidden_factors.T @ visible_factors``.
        """
        back, error = self.bring_errors_back(examples, corrupted)
        return back.sum(axis=0), error.sum(axis=0)

    def bring_errors_back(self, examples, corrupted):
        """Fill the factors; return their halves that are errors: at the hidden units, and at the visible."""
        xp, model, n = array_module(examples), self.autoencoder, self.batch
        hidden = model.mean_hidden(corrupted, out=self.hidden_factors[:n])
        error = model.mean_visible(hidden, out=self.visible_factors[:n])
        xp.subtract(examples, error, out=error)
        back = matmul(error, model.weights.T, out=self.hidden_factors[n:])
        times_slope(back, hidden, scratch=self.slope)
        return back, error
