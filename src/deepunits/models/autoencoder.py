"""The denoising auto-encoder of Vincent et al. (2008), trained as section 3 describes."""

import numpy as np

from deepunits.backend import array_module, matmul, times_slope
from deepunits.checks import check_choice, check_numbers
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
        masks = self.masks[rng.integers(0, len(self.masks), len(examples))]
        xp.multiply(examples, masks, out=out)
        if self.corruption == "salt_and_pepper":
            pepper = -0.5 if self.autoencoder.visible == "centred" else 0.0
            out += (1 - masks) * ((uniform(rng, xp.empty_like(out)) < 0.5) + np.float32(pepper))
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
        hidden_gradient, visible_gradient = self.descent_direction(examples, corrupted)
        self.gradient.apply(
            self.hidden_factors, self.visible_factors, hidden_gradient, visible_gradient, learning_rate, self.batch
        )

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
        xp, model, n = array_module(examples), self.autoencoder, self.batch
        hidden = model.mean_hidden(corrupted, out=self.hidden_factors[:n])
        error = model.mean_visible(hidden, out=self.visible_factors[:n])
        xp.subtract(examples, error, out=error)
        back = matmul(error, model.weights.T, out=self.hidden_factors[n:])
        times_slope(back, hidden, scratch=self.slope)
        return back.sum(axis=0), error.sum(axis=0)
