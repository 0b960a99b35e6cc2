# From a bare machine to the paper: `make reproduce`. Needs make and Python 3.11 or newer; everything else is installed
# into .venv, each file checked against the hash in requirements/.
#
#   PYTHON=python3.12   the interpreter that .venv is made from
#   GPU=0               leave CuPy out; by default it is installed where a CUDA driver answers (GPU=1: in any case)
#   ARGS="-n figure1"   more arguments for the command that the target runs (snakemake, pytest, ...)

PYTHON ?= python3
ifndef GPU
GPU := $(shell nvidia-smi -L >/dev/null 2>&1 && echo 1 || echo 0)
endif

VENV := .venv
LOCK := requirements/$(if $(filter 0,$(GPU)),cpu,gpu).txt
INSTALLED := $(VENV)/installed-$(basename $(notdir $(LOCK)))
PIP := $(VENV)/bin/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install --quiet --no-deps --no-build-isolation
fail = { echo "error: $(1)" >&2; exit 1; }

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help setup reproduce quick check test test-kernels torture bench report docs style lint lock
.DELETE_ON_ERROR:

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(INSTALLED)  ## make .venv and install the locked dependencies

reproduce: setup  ## the whole paper, into results/
	snakemake --cores all $(ARGS)

quick: setup  ## the same figures from the same data at reduced size, into runs/quick/
	snakemake --cores all --configfile config/quick.yaml --directory runs/quick $(ARGS)

check: setup style  ## style, and the library's tests: the fast loop, in a minute
	pytest --quiet --ignore tests/test_workflow.py --ignore tests/test_configuration.py $(ARGS)

test: setup  ## the test-suite, on two cores
	pytest --numprocesses 2 --dist worksteal $(ARGS)

# OpenBLAS picks its kernels by the processor, and each rounds in its own way.
KERNELS := Nehalem Sandybridge Haswell Zen SkylakeX
NUMERICAL := $(addprefix tests/test_,rbm.py autoencoder.py classifier.py network.py visualize.py manifold.py hessian.py \
	search.py alternatives.py transformations.py whitening.py backend.py guards.py)
test-kernels: setup  ## the numerical tests on other kernels of the linear-algebra library
	@for kernels in $(KERNELS); do \
		used=$$(OPENBLAS_CORETYPE=$$kernels python tests/kernels_in_use.py 2>/dev/null); \
		case "$$used" in \
		"$$kernels") echo "== $$kernels"; OPENBLAS_CORETYPE=$$kernels pytest --quiet $(NUMERICAL) $(ARGS) || exit 1 ;; \
		*) echo "== $$kernels: left out, this processor has $${used:-others} in their place" ;; \
		esac; \
	done

torture: setup  ## kills, other orders, a cluster: what is promised, tried for hours (ARGS=--help says more)
	python tests/torture/run.py $(ARGS)
	python tests/hostile.py --inputs 12000

# Which build of PyTorch fits depends on the machine and it is only a peer to time against, so it is not in the lock.
# What torch-lucent asks for has test tools in it, so it comes without.
bench: setup  ## the benchmark; PEERS=1 installs what it is compared with (some 5 GB)
	$(if $(filter 1,$(PEERS)),$(PIP) install --quiet --no-build-isolation --editable ".[bench]" && \
		$(PIP) install --quiet --no-deps "kornia==0.4.1" torch-lucent)
	python benchmarks/run.py $(ARGS)

# The last run is the folder whose figures are newest; runs/<size> was configured by config/<size>.yaml.
# Snakemake's own report, of every job, takes a run that is complete.
report: setup  ## the report of the last run: what was run, what was found, what is missing
	@newest=$$(ls -t results/figures/*.png runs/*/results/figures/*.png 2>/dev/null | head -n 1); \
	case "$$newest" in \
	"") $(call fail,no run to report on: make a figure first with make quick or make reproduce.) ;; \
	runs/*) run=$${newest%/results/*}; set -- --configfile "config/$${run##*/}.yaml" --directory "$$run" ;; \
	*) run=.; set -- ;; \
	esac; \
	snakemake --quiet all --report results/workflow.html "$$@" $(ARGS) >/dev/null 2>&1 || \
		{ rm -f "$$run/results/workflow.html"; \
		echo "Snakemake's report of every job is left out: the run is not complete."; }; \
	snakemake --quiet all --cores 1 --forcerun write_report "$$@" $(ARGS) -- write_report && \
		echo "The report is $$run/results/report.html"

docs: export NO_MKDOCS_2_WARNING := 1
docs: setup  ## the documentation as a site, in runs/site/
	mkdocs build --strict --quiet $(ARGS) && echo "The site is runs/site/index.html"

style: setup  ## check the style of the code and of the rules
	ruff check
	ruff format --check
	snakefmt --check Snakefile workflow/rules

lint: setup style  ## the style, and Snakemake's own advice on the workflow
	snakemake --lint

# Rewrites the lock files from pyproject.toml; `make lock ARGS=--upgrade` takes the newest releases.
COMPILE = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url --no-header --no-annotate $(ARGS)
EXTRAS := --extra workflow --extra slurm --extra dev --extra docs
lock: setup  ## pin the dependencies of pyproject.toml anew in requirements/
	$(PIP) install --quiet uv
	$(COMPILE) --group build --output-file requirements/build.txt
	$(COMPILE) $(EXTRAS) --output-file requirements/cpu.txt pyproject.toml
	$(COMPILE) $(EXTRAS) --extra gpu --constraint requirements/cpu.txt \
		--output-file requirements/gpu.txt pyproject.toml

# pip must not build anything in isolation: that would download unpinned build tools.
$(INSTALLED): $(LOCK) requirements/build.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || \
		$(call fail,$(PYTHON) is not on the PATH: install Python 3.11 or newer or name it with make PYTHON=...)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		$(call fail,$(PYTHON) cannot be used because it is not Python 3.11 or newer: name one with make PYTHON=python3.12)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		$(call fail,$(PYTHON) cannot make virtual environments: install its venv module (Debian: apt install python3-venv))
	@echo "Installing the dependencies of $(LOCK) into $(VENV) ..."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(INSTALL) --require-hashes --requirement requirements/build.txt
	@$(INSTALL) --require-hashes --use-pep517 --requirement $(LOCK)
	@$(INSTALL) --editable .
	@touch $@
