"""The arrays of each kind of result file and their axes, so that one edited by hand is noticed when it is read."""

import re

# By what the path ends in: the axes of each array, an axis of one name being as long throughout the file. Arrays that
# are not named here may have any shape, and those that are may be missing: whoever needs one asks for it.
LAYOUTS = {
    r"examples\.npz": {
        **{f"{split}_images": f"{split} pixels" for split in ("train", "valid", "test")},
        **{f"{split}_labels": split for split in ("train", "valid", "test")},
    },
    r"statistics/\w+\.npz": {
        **dict.fromkeys(("mean", "eigenvalues"), "pixels"),
        **dict.fromkeys(("covariance", "eigenvectors", "whitening", "unwhitening"), "pixels pixels"),
        **dict.fromkeys(("mean_norm", "regularization"), ""),
    },
    r"layer\d+\.npz": {"weights": "hidden visible", "hidden_bias": "hidden", "visible_bias": "visible", "metadata": ""},
    r"classifier\.npz": {
        "bias_out": "classes",
        "weights_out": "classes top",
        "errors": "epochs kinds",
        **dict.fromkeys(("test_error", "metadata"), ""),
    },
    r"activation_maximization\.npz": {
        "units": "units",
        "inputs": "units restarts pixels",
        **dict.fromkeys(("activations", "steps", "converged"), "units restarts"),
        "norm": "",
    },
    r"sampling\.npz": {"units": "units", "samples": "units samples pixels", "mean": "units pixels", "chain": "samples"},
    r"linear_combination\.npz": {"units": "units", "filters": "units pixels", "kept": ""},
    r"invariance\.npz": {
        "units": "units",
        "epsilons": "epsilons",
        "activations": "units trials epsilons",
        "optimum": "units pixels",
        "norm": "",
        "shown_units": "shown",
        "inputs": "shown trials epsilons pixels",
        **dict.fromkeys(("steps", "converged"), "units trials epsilons"),
    },
}
TEXTS = ("metadata",)
WHOLE = ("units", "shown_units", "steps", "chain", "kept", "train_labels", "valid_labels", "test_labels")


def layout_of(path):
    """Return the axes of the arrays of the result file `path`, by name; empty if its name says nothing."""
    return next((axes for end, axes in LAYOUTS.items() if re.search(rf"(^|/){end}$", str(path))), {})


def axis_length(path, arrays, axis):
    """Return how long an axis is in the `arrays` of the result file `path`; None if none of them has it."""
    for name, axes in layout_of(path).items():
        if axis in axes.split() and name in arrays:
            return arrays[name].shape[axes.split().index(axis)]
    return None


def misfit(path, arrays):
    """Return what does not fit in the `arrays`, by name, of the result file `path`, a phrase; None if all does."""
    layout = layout_of(path)
    lengths = {}
    for name in layout.keys() & arrays.keys():
        axes, array = layout[name].split(), arrays[name]
        kinds = "U" if name in TEXTS else "iu" if name in WHOLE else "biuf"
        if array.dtype.kind not in kinds:
            return f"holds {array.dtype} in its array {name}"
        if array.ndim != len(axes):
            return f"holds its array {name} in the shape {array.shape}, where ({', '.join(axes)}) is expected"
        for axis, length in zip(axes, array.shape, strict=True):
            other, known = lengths.setdefault(axis, (name, length))
            if length != known:
                return f"holds {length} {axis} in its array {name} and {known} in {other}"
    return None
