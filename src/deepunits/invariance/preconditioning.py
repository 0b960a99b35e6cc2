"""Activation maximization with a preconditioned gradient: an extension of the paper, supplementary to Figure 6."""

from deepunits.models.network import Network


class Preconditioned(Network):
    """A network whose gradients with respect to the input come multiplied by a matrix.

    Given to :func:`deepunits.visualize.activation_maximization.maximize_activation` with C, the (regularized)
    covariance of the data, it makes of the ascent along g the ascent along C g, the step of Algorithm 1 without its
    second constraint. The ascent then ends where C g, not g, is parallel to x: at no maximum of the activation on the
    sphere, but at a point drawn towards the directions in which the data vary.

    Parameters
    ----------
    network : Network
    matrix : array (P, P)
        Symmetric; on the network's device.
    """

    def __init__(self, network, matrix):
        super().__init__(network.weights, network.biases)
        self._filters = network.weights[0] @ matrix

    @property
    def filters(self):
        """What the input moves along: the first layer's weights times the matrix, (units of layer 1, P)."""
        return self._filters
