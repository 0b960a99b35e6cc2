"""Whitening against its definition and against NumPy's own estimates."""

import numpy as np
import pytest

from deepunits.errors import UserError
from deepunits.invariance import whitening


@pytest.fixture
def examples():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(701, 11)) @ rng.normal(size=(11, 11)) + 3).astype(np.float32)


def test_moments_agree_with_numpy(examples, monkeypatch):
    monkeypatch.setattr(whitening, "BLOCK", 97)
    found = whitening.estimate(examples, regularization=0.1)
    wide = examples.astype(np.float64)
    np.testing.assert_allclose(found["mean"], wide.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["covariance"], np.cov(wide.T), rtol=1e-10)
    np.testing.assert_allclose(found["mean_norm"], np.sqrt((wide**2).sum(axis=1)).mean(), rtol=1e-12)
    np.testing.assert_allclose(found["eigenvalues"].sum(), np.trace(found["covariance"]), rtol=1e-10)
    np.testing.assert_allclose(found["regularization"], 0.1 * found["eigenvalues"].mean(), rtol=1e-12)


def test_whitened_data_have_unit_covariance(examples):
    found = whitening.estimate(examples, regularization=0.0)
    y = examples.astype(np.float64) @ found["whitening"].T
    np.testing.assert_allclose(np.cov(y.T), np.eye(11), atol=1e-8)


@pytest.mark.parametrize("regularization", [0.0, 0.01, 1.0])
def test_whitening_is_symmetric_and_undone_by_its_inverse(examples, regularization):
    found = whitening.estimate(examples, regularization=regularization)
    w, back = found["whitening"], found["unwhitening"]
    np.testing.assert_allclose(w, w.T, atol=1e-12)
    np.testing.assert_allclose(w @ back, np.eye(11), atol=1e-10)
    regularized = found["covariance"] + found["regularization"] * np.eye(11)
    np.testing.assert_allclose(w @ regularized @ w, np.eye(11), atol=1e-10)


def test_constant_pixels_need_regularization(examples):
    examples[:, 4] = 0
    with pytest.raises(UserError, match="singular.*raise regularization above 0"):
        whitening.estimate(examples, regularization=0.0)
    w = whitening.estimate(examples, regularization=0.01)["whitening"]
    assert np.isfinite(w).all()


@pytest.mark.parametrize("ridge", [0.0, 0.3])
def test_preconditioner_is_the_root_of_the_covariance_scaled_to_one(examples, ridge):
    found = whitening.estimate(examples, regularization=0.0)
    root = whitening.preconditioner(found["covariance"], ridge)
    regularized = found["covariance"] + ridge * np.eye(11)
    np.testing.assert_allclose(root, root.T, atol=1e-12)
    np.testing.assert_allclose(root @ root, regularized / np.linalg.norm(regularized, 2), atol=1e-10)
    assert np.linalg.eigvalsh(root)[0] > 0
    same = whitening.scaled_root(found["eigenvalues"], found["eigenvectors"], ridge)
    np.testing.assert_allclose(same, root, atol=1e-10)


def test_preconditioner_of_constant_pixels_needs_a_ridge(examples):
    examples[:, 4] = 0
    with pytest.raises(UserError, match="singular"):
        whitening.preconditioner(np.cov(examples.T), 0.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(examples, bad):
    examples[300, 2] = bad
    with pytest.raises(UserError, match="NaN or infinity"):
        whitening.estimate(examples, regularization=0.1)


def test_too_few_examples_and_a_negative_ridge_are_refused(examples):
    with pytest.raises(UserError, match="at least 2"):
        whitening.estimate(examples[:1], regularization=0.1)
    with pytest.raises(UserError, match="0 or more"):
        whitening.estimate(examples, regularization=-0.1)
