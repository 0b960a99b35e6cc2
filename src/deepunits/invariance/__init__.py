"""Section 5: whitening, invariance manifolds and their measures."""
