"""Understanding representations learned in deep architectures (Erhan, Courville and Bengio, 2010), reproduced."""

__version__ = "0.1.0"
