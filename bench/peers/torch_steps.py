#!/usr/bin/env python3
"""Times PyTorch on the CPU on the work that bench/ gives Athanor: the reference to beat.

Usage: torch_steps.py [matmul] [mlp] [simplecnn]      (threads: OMP_NUM_THREADS, 2 unless set)

Prints one JSON object a line: {"peer", "case", "ms"}; a matmul's time is the best of its runs, a training step's the median (dropout in
training mode, random inputs; loss, zero_grad, backward, optimizer step and reading the loss included).
"""
import json
import os
import statistics
import sys
import time

import torch
import torch.nn as nn

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))


def blas():
    """Which library does PyTorch's matrix products: Debian's own fallback is thirty times slower than OpenBLAS, and no peer at all."""
    try:
        with open("/proc/self/maps") as maps:
            text = maps.read()
    except OSError:
        return "BLAS unknown"
    return next((name for part, name in (("openblas", "OpenBLAS"), ("libmkl", "MKL"), ("libblis", "BLIS")) if part in text), "reference BLAS")


PEER = f"PyTorch {torch.__version__}, {blas()}"


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


def simplecnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


# name: (model, batch, optimizer, counted steps)
STEPS = {
    "mlp": (mlp, 200, lambda parameters: torch.optim.SGD(parameters, lr=0.01), 50),
    "simplecnn": (simplecnn, 64, lambda parameters: torch.optim.Adam(parameters, lr=1e-3), 30),
}


def report(case, ms):
    print(json.dumps({"peer": PEER, "case": case, "ms": round(ms, 4)}), flush=True)


def timed(work, warmup, runs):
    times = []
    for i in range(warmup + runs):
        start = time.perf_counter()
        work()
        if i >= warmup:
            times.append((time.perf_counter() - start) * 1e3)
    return times


def time_step(name):
    build, batch, make_optimizer, runs = STEPS[name]
    model, criterion = build(), nn.CrossEntropyLoss()
    optimizer = make_optimizer(model.parameters())
    images, labels = torch.randn(batch, 1, 28, 28), torch.randint(0, 10, (batch,))

    def step():
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()

    report(name, statistics.median(timed(step, 3, runs)))


def time_matmul(n):
    a, b = torch.randn(n, n), torch.randn(n, n)
    report(f"matmul {n}", min(timed(lambda: a @ b, 3, 20)))


for case in sys.argv[1:] or ["matmul", *STEPS]:
    if case == "matmul":
        time_matmul(1024)
    else:
        time_step(case)
