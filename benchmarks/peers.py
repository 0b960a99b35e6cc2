"""What the stages are timed beside: which of it is installed and works here, and why the rest is left out."""

import importlib
from functools import partial

import numpy as np
from kernels import held_to_avx2


class Peers:
    """PyTorch, its compiler, JAX and scikit-learn, as far as they can take part.

    Parameters
    ----------
    xp : module
        NumPy or CuPy. On a GPU only PyTorch takes part, not compiled.
    threads : int

    Attributes
    ----------
    torch, jax, sklearn : module or None
    compile : callable or None
        ``torch.compile``.
    left_out : dict of str to str
        Why a peer does not take part, by its name.
    """

    def __init__(self, xp=np, threads=1):
        self.left_out, self.on_cpu = {}, xp is np
        self.torch = self._found("PyTorch", "torch")
        if self.torch is not None:
            self.torch.set_num_threads(threads)
            if not self.on_cpu and not self.torch.cuda.is_available():
                self.left_out["PyTorch"], self.torch = "it finds no GPU", None
        self.compile = self._compiler()
        self.jax = self._found("JAX", "jax", only_on_cpu=True)
        if self.jax is not None and held_to_avx2():
            self.left_out["JAX"], self.jax = "its products cannot be held to AVX2", None
        if self.jax is not None:
            self.jax.config.update("jax_platforms", "cpu")
            # The counter-based generator of the two that JAX has is many times faster than its default on a CPU.
            self.jax.config.update("jax_default_prng_impl", "rbg")
        self.sklearn = self._found("scikit-learn", "sklearn.neural_network", only_on_cpu=True)

    def _found(self, name, module, only_on_cpu=False):
        if only_on_cpu and not self.on_cpu:
            self.left_out[name] = "it is compared on the CPU only"
            return None
        try:
            return importlib.import_module(module)
        except ImportError as reason:
            self.left_out[name] = f"it is not installed ({reason})"
        return None

    def _compiler(self):
        """Return ``torch.compile``, for one shape at a time, or None where it does not work."""
        if self.torch is None:
            self.left_out["torch.compile"] = self.left_out["PyTorch"]
            return None
        if not self.on_cpu:  # it would take longer than all the rest of a benchmark there
            self.left_out["torch.compile"] = "it is compared on the CPU only"
            return None
        if held_to_avx2():  # the compiler asks the processor, not PyTorch: with the one's vectors the other errs
            importlib.import_module("torch._inductor.config").cpp.simdlen = 256
        through = partial(self.torch.compile, dynamic=False)
        try:
            through(lambda x: x.sin() + 1)(self.torch.zeros(8))
        except Exception as reason:  # no C++ compiler, or one that it cannot use
            first = (str(reason).strip() or type(reason).__name__).splitlines()[0]
            self.left_out["torch.compile"] = f"it does not work here ({first})"
            return None
        return through

    def rates(self, size, rate):
        """Return the operations a second of products of `size`³ by each peer, as `rate` measures a function."""
        square, found = np.random.default_rng(0).random((size, size), np.float32), {}
        if self.torch is not None:
            ours = self.torch.tensor(square, device="cpu" if self.on_cpu else "cuda")
            out = self.torch.empty_like(ours)
            found["PyTorch"] = rate(lambda: self.torch.mm(ours, ours, out=out))
        if self.jax is not None:
            theirs, product = self.jax.numpy.asarray(square), self.jax.jit(lambda a: a @ a)
            found["JAX"] = rate(lambda: product(theirs).block_until_ready())
        return found

    def instructions(self):
        """Return the widest instructions that PyTorch's own loops use, by name."""
        if self.torch is None or not self.on_cpu:
            return {}
        return {"PyTorch": self.torch.backends.cpu.get_cpu_capability()}
