"""Endless streams of training examples, each a function of its number alone."""

import numpy as np

from deepunits.randomness import generator


class ExampleStream:
    """A fixed set of examples, passed over again and again, each time in another order.

    Parameters
    ----------
    examples : array (n, P), float32
    seed : int
        The order within each pass is drawn from the seed and the number of the pass.
    labels : array (n,), optional
    xp : module
        ``numpy`` or ``cupy``: where the examples, their labels and their order are kept.
    """

    def __init__(self, examples, seed, labels=None, xp=np):
        self.xp = xp
        self.examples = xp.asarray(examples, dtype=xp.float32)
        self.labels = None if labels is None else xp.asarray(labels, dtype=xp.int64)
        self.seed = seed
        self._orders = {}

    @property
    def pixels(self):
        """Number of components of an example."""
        return self.examples.shape[1]

    def batch(self, start, size):
        """Return examples number `start` to ``start + size - 1``, shape (size, P), float32."""
        return self.examples[self._rows(start, size)]

    def through(self, encode, block=1000):
        """Return the stream, in the same orders, of what `encode` makes of the examples, computed once for each.

        Parameters
        ----------
        encode : callable
            Takes examples (n, P), returns (n, Q).
        block : int
            Examples encoded at a time.

        Returns
        -------
        ExampleStream
            With the same labels.
        """
        parts = [encode(self.examples[start : start + block]) for start in range(0, len(self.examples), block)]
        return ExampleStream(self.xp.concatenate(parts), self.seed, self.labels, xp=self.xp)

    def batch_labels(self, start, size):
        """Return the labels of the examples that :meth:`batch` returns, shape (size,)."""
        return self.labels[self._rows(start, size)]

    def _rows(self, start, size):
        """Return which row of the set each of these examples is, shape (size,)."""
        n, stop = len(self.examples), start + size
        passes = range(start // n, (stop - 1) // n + 1)
        return self.xp.concatenate([self._order(p)[max(start - p * n, 0) : stop - p * n] for p in passes])

    def _order(self, number):
        """Return the order of pass `number`, remembering the last two."""
        if number not in self._orders:
            self._orders = {p: order for p, order in self._orders.items() if p == number - 1}
            order = generator(self.seed, "order", number).permutation(len(self.examples))
            self._orders[number] = self.xp.asarray(order)
        return self._orders[number]
