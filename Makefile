# Everything sets itself up: `make demo` and `make test` need Python 3.11 (or later) and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test lint browser faults living scale clean

demo: $(STAMP)
	$(BIN)/lema run lab

test: $(STAMP)
	$(BIN)/ruff check src tests bench
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses 2

browser:
	.ci/browser

faults: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/kill_anywhere.py --kills 60
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/pay_once.py --requests 5000 --kills 10
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/thirty_percent.py --requests 10000
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/batch_killed.py
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/sampling_killed.py
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/endpoint_killed.py --requests 2000 --kills 10
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/vllm_killed.py --kills 3
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/clocks.py --runs 10
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/power_loss.py --cuts 400
	OMP_NUM_THREADS=1 $(BIN)/python tests/faults/damaged_files.py --trials 300

living: $(STAMP)
	$(BIN)/python tests/faults/repeat.py --times 50

# Two Ray nodes on this machine, and whoever of a run is killed; what of it needs root (a mount of its own) says so.
scale: $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[ray,cloud]" "moto[s3,server]>=5,<6" kubernetes-validate
	LEMA_SCALE=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/scale

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[train,test]"
	touch $(STAMP)

clean:
	rm -rf $(VENV) runs
