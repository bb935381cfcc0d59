#!/usr/bin/env python3
"""Times PyTorch on CUDA, float32 without TF32, on the cases of bench/device/cases.ts and bench/steps.ts: their names, one a line, on standard input.

Prints a line that says what it is, then one JSON object a line: {"case", "ms"}. Kernels are timed as rounds of many with one synchronisation,
a training step as a loop that reads every loss.
"""
import json
import re
import statistics
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

if not torch.cuda.is_available():
    sys.exit("PyTorch has no CUDA device")
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.benchmark = True
cuda = torch.device("cuda")
LARGE = 64 * 1024 * 1024


def rand(*shape):
    return torch.rand(*shape, device=cuda) * 2 - 1


def product(m, k, n, form="NN"):
    a = rand(m, k) if form[0] == "N" else rand(k, m).t()
    b = rand(k, n) if form[1] == "N" else rand(n, k).t()
    return lambda: a @ b


def convolution(inputs, outputs, size, kernel, stride, batch, direction):
    padding = (kernel - 1) // 2
    x, w = rand(batch, inputs, size, size), rand(outputs, inputs, kernel, kernel)
    if direction == "forward":
        return lambda: F.conv2d(x, w, None, stride, padding)
    grad = torch.rand_like(F.conv2d(x, w, None, stride, padding))
    masks = [direction == "input gradient", direction == "weight gradient", False]
    arguments = (None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, masks)
    return lambda: torch.ops.aten.convolution_backward(grad, x, w, *arguments)


def cross_entropy(rows, classes):
    x = rand(rows, classes).requires_grad_()
    labels = torch.arange(rows, device=cuda) * 7 % classes

    def run():
        x.grad = None
        F.cross_entropy(x, labels).backward()
    return run


def batch_norm(backward):
    x, w, b = rand(64, 64, 56, 56), rand(64), rand(64)
    if not backward:
        return lambda: F.batch_norm(x, None, None, w, b, True)
    y, mean, inv = torch.ops.aten.native_batch_norm(x, w, b, None, None, True, 0.1, 1e-5)
    grad = torch.rand_like(y)
    return lambda: torch.ops.aten.native_batch_norm_backward(grad, x, w, None, None, mean, inv, True, 1e-5, [True, True, True])


def adam():
    parameters = [rand(262144).requires_grad_() for _ in range(64)]
    for p in parameters:
        p.grad = torch.rand_like(p)
    optimizer = torch.optim.Adam(parameters, fused=True)
    return optimizer.step


def embedding_gradient():
    out, src = rand(50257, 768), rand(8192, 768)
    index = torch.arange(8192, device=cuda) * 7 % 50257
    return lambda: out.index_add_(0, index, src)


def kernel(name):
    """What to run for a kernel's name, or None."""
    if match := re.fullmatch(r"matmul (\d+)(?: (..))?", name):
        n = int(match[1])
        return product(n, n, n, match[2] or "NN")
    if name.startswith("linear 64×3136"):
        return product(64, 3136, 128, "NT")
    if name.startswith("linear weight gradient"):
        return product(128, 64, 3136, "TN")
    if name.startswith("linear 12·64"):
        return product(768, 384, 1536, "NT")
    if match := re.fullmatch(r"\w+ (\d+)→(\d+) (\d+)² (\d)×\d(?: /(\d))?, (.*)", name):
        inputs, outputs, size, window = (int(match[i]) for i in range(1, 5))
        return convolution(inputs, outputs, size, window, int(match[5] or 1), 64, match[6])
    x = rand(LARGE)
    square = x.view(8192, 8192)
    cases = {
        "copy 64 M": lambda: (lambda out: lambda: out.copy_(x))(torch.empty_like(x)),
        "transpose 8192²": lambda: (lambda out: lambda: out.copy_(square.t()))(torch.empty_like(square)),
        "sum 64 M": lambda: lambda: x.sum(),
        "sum of rows 8192²": lambda: lambda: square.sum(1),
        "sum of columns 8192²": lambda: lambda: square.sum(0),
        "dropout 64 M": lambda: lambda: F.dropout(x, 0.5, True),
        "softmax 1024×50257": lambda: (lambda y: lambda: y.softmax(1))(rand(1024, 50257)),
        "cross-entropy 1024×50257, both ways": lambda: cross_entropy(1024, 50257),
        "batchNorm 64×64×56²": lambda: batch_norm(False),
        "batchNorm backward 64×64×56²": lambda: batch_norm(True),
        "maxPool 3×3 /2 64×64×112²": lambda: (lambda y: lambda: F.max_pool2d(y, 3, 2, 1, return_indices=True))(rand(64, 64, 112, 112)),
        "adam 64 tensors of 256 K": adam,
        "embedding gradient 50257×768, 8192 indices": embedding_gradient,
    }
    return cases[name]() if name in cases else None


def simplecnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10))


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 200), nn.ReLU(), nn.Linear(200, 200), nn.ReLU(), nn.Linear(200, 10))


def food11():
    def block(i, o):
        return [nn.Conv2d(i, o, 3, 1, 1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2, 2, 0)]
    return nn.Sequential(
        *block(3, 64), *block(64, 128), *block(128, 256), *block(256, 512), *block(512, 512), nn.Flatten(),
        nn.Linear(512 * 4 * 4, 1024), nn.ReLU(), nn.Linear(1024, 512), nn.ReLU(), nn.Linear(512, 11))


def resnet18():
    from torchvision.models import resnet18 as build
    return build()


STEPS = {
    "mlp": (mlp, (200, 1, 28, 28), 10, lambda p: torch.optim.SGD(p, lr=0.01)),
    "simplecnn": (simplecnn, (64, 1, 28, 28), 10, lambda p: torch.optim.Adam(p, lr=1e-3)),
    "food11": (food11, (64, 3, 128, 128), 11, lambda p: torch.optim.Adam(p, lr=3e-4)),
    "resnet18": (resnet18, (64, 3, 224, 224), 1000, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
}


def report(case, ms):
    print(json.dumps({"case": case, "ms": round(ms, 5)}, ensure_ascii=False), flush=True)


def time_kernel(name, run):
    def round_of(count):
        start = time.perf_counter()
        for _ in range(count):
            run()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) * 1e3
    for _ in range(3):
        round_of(1)
    count = max(1, min(400, int(60 / max(round_of(1), 0.01))))
    report(name, statistics.median(round_of(count) / count for _ in range(3)))


def time_step(name):
    build, shape, classes, make_optimizer = STEPS[name]
    model, criterion = build().to(cuda), nn.CrossEntropyLoss()
    optimizer = make_optimizer(model.parameters())
    images, labels = rand(*shape), torch.randint(0, classes, (shape[0],), device=cuda)
    times = []
    for i in range(40):
        start = time.perf_counter()
        loss = criterion(model(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
        if i >= 10:
            times.append((time.perf_counter() - start) * 1e3)
    report(name, statistics.median(times))


print(f"PyTorch {torch.__version__}, CUDA {torch.version.cuda}, {torch.cuda.get_device_name()}, float32 without TF32", flush=True)
for case in filter(None, sys.stdin.read().split("\n")):
    try:
        if case in STEPS:
            time_step(case)
        elif run := kernel(case):
            time_kernel(case, run)
    except Exception as error:  # one case that cannot run must not end the others
        print(f"{case}: {error}", file=sys.stderr)
    torch.cuda.empty_cache()
