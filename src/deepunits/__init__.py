"""What units of a network respond to, and to what they are invariant (Erhan, Courville and Bengio, 2010).

Everything that is named here is imported when it is first used.
"""

from importlib import import_module

__version__ = "0.1.0"

# Where each name is at home; `__init__.pyi` tells type checkers the same.
_HOMES = {
    "drawing.overview": {"draw_overview": "draw"},
    "drawing.units": ["draw_curves", "draw_manifolds", "draw_maxima"],
    "errors": ["UserError"],
    "invariance.firing": ["firing_invariance"],
    "invariance.hessian": ["principal_curvatures"],
    "invariance.manifold": ["trace_manifold"],
    "invariance.measures": ["area", "log_sigmoid", "normalized"],
    "invariance.transformations": ["transformation_matrices"],
    "invariance.transformed_optima": ["transformed_optima"],
    "invariance.whitening": {"estimate_statistics": "estimate", "preconditioner": "preconditioner"},
    "models.network": ["Network"],
    "models.rbm": ["RBM"],
    "models.sklearn_view": ["from_sklearn"],
    "models.torch_view": ["TorchView"],
    "models.view": ["QuadraticForms", "View", "energy_units"],
    "randomness": ["generator"],
    "visualize.activation_maximization": ["maximize_activation"],
    "visualize.linear_combination": ["combine_filters"],
    "visualize.sampling": ["sample_clamped_units"],
    "visualize.strongest": ["strongest_examples"],
}
_FOUND = {
    name: (f"{__name__}.{module}", names[name] if isinstance(names, dict) else name)
    for module, names in _HOMES.items()
    for name in names
}
__all__ = sorted(_FOUND.keys() - {"TorchView"})  # a star is not to ask for PyTorch


def __getattr__(name):
    if name not in _FOUND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, original = _FOUND[name]
    value = globals()[name] = getattr(import_module(module), original)
    return value


def __dir__():
    return sorted({*globals(), *_FOUND})
