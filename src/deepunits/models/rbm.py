"""The restricted Boltzmann machine and its training by (persistent) contrastive divergence."""

from deepunits.backend import array_module, weighted_sum
from deepunits.checks import check_numbers
from deepunits.models.layer import GradientStep, TiedLayer
from deepunits.randomness import normal, sample_layer


class RBM(TiedLayer):
    """A restricted Boltzmann machine with binary hidden units.

    With W `weights`, b `hidden_bias` and c `visible_bias`, the energy is -c'v - b'h - h'Wv for binary visible units,
    where grey pixels are taken as probabilities, and |v - c|^2 / (2 visible_variance) - b'h - h'Wv for Gaussian ones.
    """

    def free_energy(self, visible):
        """Return F(v) = -log sum_h exp(-E(v, h)), shape (n,), of `visible` (n, visible)."""
        xp = array_module(visible)
        hidden_part = xp.logaddexp(0, visible @ self.weights.T + self.hidden_bias).sum(axis=1)
        if self.visible == "gaussian":
            return ((visible - self.visible_bias) ** 2).sum(axis=1) / (2 * self.visible_variance) - hidden_part
        return -(visible @ self.visible_bias) - hidden_part

    def sample_visible(self, rng, hidden, noise, out):
        """Draw visible states given `hidden` (n, hidden) into `out` (n, visible); `noise` is scratch of that shape."""
        if self.visible == "gaussian":
            self.mean_visible(hidden, out=out)
            normal(rng, noise)
            noise *= self.visible_variance**0.5
            out += noise
            return out
        return sample_layer(rng, hidden, self.weights, self.visible_bias, states=out, scratch=noise)


class ContrastiveDivergence:
    """CD-k and persistent CD, one minibatch at a time (Hinton 2002; Tieleman 2008).

    Parameters
    ----------
    rbm : RBM
        Trained in place.
    batch : int
        Examples in a minibatch, and number of persistent chains.
    gibbs_steps : int
        Steps of block Gibbs sampling before the negative statistics are taken: the k of CD-k.
    persistent : bool
        Continue the chains of the last minibatch instead of starting from its examples.
    momentum, weight_decay : float
    sparsity_target, sparsity_cost : float
        Each hidden bias is also drawn towards a mean activity of `sparsity_target`, `sparsity_cost` times as strongly
        as the deviation from it (Lee, Ekanadham and Ng 2008).
    """

    def __init__(
        self,
        rbm,
        batch,
        *,
        gibbs_steps=1,
        persistent=False,
        momentum=0.0,
        weight_decay=0.0,
        sparsity_target=0.0,
        sparsity_cost=0.0,
    ):
        check_numbers(
            batch=(batch, "count"),
            gibbs_steps=(gibbs_steps, "count"),
            sparsity_target=(sparsity_target, "share"),
            sparsity_cost=(sparsity_cost, "not negative"),
        )
        xp = array_module(rbm.weights)
        hidden, visible = rbm.weights.shape
        self.unseen = True
        self.rbm, self.batch, self.gibbs_steps, self.persistent = rbm, batch, gibbs_steps, persistent
        self.gradient = GradientStep(rbm, momentum, weight_decay)
        self.sparsity_target, self.sparsity_cost = sparsity_target, sparsity_cost
        # Data above, model below: the difference of the two phases is one product of these stacks.
        self.hidden_means = xp.empty((2 * batch, hidden), xp.float32)
        self.visibles = xp.empty((2 * batch, visible), xp.float32)
        self.signs = xp.repeat(xp.asarray([1, -1], xp.float32), batch)
        # With the model's hidden means negated, as for the weights, on a GPU one launch sums both biases' directions.
        self.shares = xp.repeat(xp.asarray([1 - sparsity_cost, 1], xp.float32), batch), self.signs
        self.hidden = xp.zeros((batch, hidden), xp.float32)
        self.hidden_scratch = xp.empty((batch, hidden), xp.float32)
        self.visible_noise = xp.empty((batch, visible), xp.float32)

    @property
    def state(self):
        """The arrays besides the parameters that the next step depends on, by name."""
        return {"chains": self.hidden, **{f"velocity_{name}": v for name, v in self.gradient.velocity.items()}}

    def begin_epoch(self, rng):
        """Look at the next examples; nothing is drawn once an epoch."""
        self.unseen = True

    def step(self, examples, learning_rate, rng):
        """Change the parameters by one step on `examples` (batch, visible), float32 in [0, 1]."""
        n, rbm = self.batch, self.rbm
        if self.unseen or examples.shape != self.visible_noise.shape:  # once an epoch: to look at all would take time
            rbm.check_examples(examples, n)
            self.unseen = False
        self.visibles[:n] = examples
        data, data_hidden = self.visibles[:n], self.hidden_means[:n]
        if self.persistent:
            rbm.mean_hidden(data, out=data_hidden)
        else:
            rbm.sample_hidden(rng, data, states=self.hidden, means=data_hidden, scratch=self.hidden_scratch)
        model_hidden = self.sample_chain(rng)
        if self.gradient.on_gpu:
            model_hidden *= -1.0
            shift = self.sparsity_cost * n * self.sparsity_target
            self.gradient.apply_summed(self.hidden_means, self.visibles, self.shares, learning_rate, n, shift)
            return
        hidden_gradient, visible_gradient = (weighted_sum(self.signs, f) for f in (self.hidden_means, self.visibles))
        if self.sparsity_cost:
            hidden_gradient += self.sparsity_cost * (n * self.sparsity_target - data_hidden.sum(axis=0))
        model_hidden *= -1.0
        self.gradient.apply(self.hidden_means, self.visibles, hidden_gradient, visible_gradient, learning_rate, n)

    def sample_chain(self, rng):
        """Run the chains from the states `hidden`; return the hidden means (batch, hidden) that they end with."""
        visible, means = self.visibles[self.batch :], self.hidden_means[self.batch :]
        for remaining in reversed(range(self.gibbs_steps)):
            self.rbm.sample_visible(rng, self.hidden, self.visible_noise, out=visible)
            if remaining or self.persistent:
                self.rbm.sample_hidden(rng, visible, states=self.hidden, means=means, scratch=self.hidden_scratch)
            else:
                self.rbm.mean_hidden(visible, out=means)
        return means
