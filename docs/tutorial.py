# %% [markdown]
# # What does this unit respond to, and what does it ignore?
#
# Two networks learn to read digits: one by scikit-learn, one, convolutional, by PyTorch. Of both we ask which input
# excites a unit most (activation maximization) and how far that input can change while the unit stays excited (its
# invariance manifold). Run this file, `python docs/tutorial.py`, or open it as a notebook (`jupytext --to ipynb`). It
# takes half a minute and leaves its pictures in the folder where it runs.

# %%
import numpy as np
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

import deepunits

# %% [markdown]
# ## The data
#
# scikit-learn's digits, enlarged and framed to 28 x 28 pixels. The searches need to know two things about the data:
# the norm ρ of a typical image, for they look at images of that norm alone, and the covariance, so that they prefer
# changes that occur among the data.

# %%
digits, labels = load_digits(return_X_y=True)
images = zoom(digits.reshape(-1, 8, 8) / 16, (1, 2.5, 2.5), order=1, grid_mode=True, mode="nearest")
images = np.pad(images, ((0, 0), (4, 4), (4, 4))).reshape(-1, 784).astype(np.float32)
train, test = slice(0, 1500), slice(1500, None)

statistics = deepunits.estimate_statistics(images[train], regularization=0.1)
norm = float(statistics["mean_norm"])
unwhitening = deepunits.preconditioner(statistics["covariance"], float(statistics["regularization"]))

# %% [markdown]
# ## A network from scikit-learn
#
# Layers are numbered from 1; the last has the output units, before the softmax. Arrays that were trained elsewhere make
# a network as well: `deepunits.Network([w1, w2], [b1, b2], "relu")`.

# %%
classifier = MLPClassifier((100, 50), activation="tanh", alpha=1.0, tol=1e-2, random_state=0)
classifier.fit(images[train], labels[train])
accuracy = classifier.score(images[test], labels[test])
print(f"scikit-learn reads {accuracy:.1%} of the digits that it has not seen.")
network = deepunits.from_sklearn(classifier)

# %% [markdown]
# **Maximise.** All ten output units, from nine starts each, climb together. Whether the starts agree, and whether the
# ascents have come to rest, is in the result.

# %%
maxima = deepunits.maximize_activation(network, layer=3, units=range(10), norm=norm)
print(f"{maxima.converged.mean():.0%} of the ascents converged, after {np.median(maxima.steps):.0f} steps.")
deepunits.draw_maxima(maxima, columns=10).savefig("maxima.png", dpi=150)

# %% [markdown]
# **Trace.** From each optimum the search goes outwards over the sphere of norm ρ. At every distance ε ρ it looks for
# the point that excites the unit most. A row of the picture is one unit.

# %%
manifold = deepunits.trace_manifold(
    network, 3, range(10), maxima.best, unwhitening=unwhitening, step="tangent", shown=range(4), max_steps=100
)
deepunits.draw_manifolds(manifold).savefig("manifold.png", dpi=150)

# %% [markdown]
# **Read the curve.** Activations are scaled to 1 at the optimum and 0 opposite it. A unit that is linear in its input
# has 1 - ε²/4, whatever its weights: an area of 4/3. What a curve has above that is invariance, found by the layers.

# %%
hidden = deepunits.maximize_activation(network, layer=1, units=range(10), norm=norm)
first = deepunits.trace_manifold(network, 1, range(10), hidden.best, unwhitening=unwhitening, step="tangent")
deepunits.draw_curves({"layer 1": first, "output": manifold}).savefig("curves.png", dpi=150)


def mean_area(manifold):
    """Return the mean area under the curves of the units of a manifold."""
    curves = deepunits.normalized(manifold.activations.max(axis=1), manifold.epsilons)
    return deepunits.area(curves, manifold.epsilons).mean()


print(f"area under the curves: {mean_area(first):.3f} in layer 1, {mean_area(manifold):.3f} of the outputs.")

# %% [markdown]
# ## A convolutional network from PyTorch
#
# `TorchView` sees any module. We name the submodules that are looked at, and what counts as a unit: here a channel, by
# the mean of its map.

# %%
try:
    import torch
except ImportError:
    print('PyTorch is not installed, so the tutorial ends here; pip install "deepunits[torch]" for its second part.')
    raise SystemExit(0) from None

torch.manual_seed(0)
torch.set_num_threads(1)
module = torch.nn.Sequential(
    torch.nn.Conv2d(1, 8, 5, stride=2),
    torch.nn.Softplus(beta=5),  # a ReLU without its corner, at which gradients jump
    torch.nn.Conv2d(8, 16, 5, stride=2),
    torch.nn.Softplus(beta=5),
    torch.nn.Flatten(),
    torch.nn.Linear(256, 10),
)
x, y = torch.tensor(images).reshape(-1, 1, 28, 28), torch.tensor(labels)
optimizer = torch.optim.AdamW(module.parameters(), lr=3e-3, weight_decay=0.1)
for _ in range(12):
    for batch in torch.randperm(1500).split(50):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x[batch]), y[batch]).backward()
        optimizer.step()
with torch.no_grad():
    convolutional_accuracy = float((module(x[test]).argmax(1) == y[test]).float().mean())
print(f"PyTorch reads {convolutional_accuracy:.1%} of the digits that it has not seen.")

# %% [markdown]
# Where the ascents oscillate, a smaller `learning_rate` lets them come to rest.

# %%
view = deepunits.TorchView(module, ["0", "2", "5"], shape=(1, 28, 28), units="channel")
outputs = deepunits.maximize_activation(view, 3, range(10), norm=norm, restarts=3, learning_rate=0.1, max_steps=300)
channels = deepunits.maximize_activation(view, 2, range(16), norm=norm, restarts=3, learning_rate=1.0, max_steps=300)
deepunits.draw_maxima(outputs, columns=10).savefig("maxima_outputs.png", dpi=150)
deepunits.draw_maxima(channels, columns=8).savefig("maxima_channels.png", dpi=150)

# %%
traced = deepunits.trace_manifold(
    view, 3, range(10), outputs.best, unwhitening=unwhitening, step="tangent", max_steps=100, shown=range(4)
)
deepunits.draw_manifolds(traced).savefig("manifold_convolutional.png", dpi=150)
deepunits.draw_curves({"scikit-learn": manifold, "convolutional": traced}).savefig("curves_both.png", dpi=150)
print(f"area under the curves of the outputs: {mean_area(traced):.3f}, and any linear unit has 1.333.")
