#!/usr/bin/env python3
"""Trains the raw-tensor classifier of MNIST in PyTorch, and keeps where it began: its weights and the order of the images.

Usage: torch_raw_tensors.py IDX_FOLDER SEED EPOCHS BEGINNING.pt

784-200-200-10 from leaf tensors, kaiming_normal_, ReLU after each layer (the last too), SGD at 0.01, batches of 200. Prints one JSON object:
{"seed", "testAccuracy": percent after each epoch}.
"""
import json
import os
import sys

import numpy
import torch
import torch.nn.functional as F

torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
folder, seed, epochs, beginning = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]


def images(name):
    pixels = numpy.fromfile(os.path.join(folder, name), dtype=numpy.uint8, offset=16)
    return (torch.from_numpy(pixels).float().view(-1, 784) / 255 - 0.1307) / 0.3081


def labels(name):
    return torch.from_numpy(numpy.fromfile(os.path.join(folder, name), dtype=numpy.uint8, offset=8)).long()


x, y = images("train-images-idx3-ubyte"), labels("train-labels-idx1-ubyte")
x_test, y_test = images("t10k-images-idx3-ubyte"), labels("t10k-labels-idx1-ubyte")

torch.manual_seed(seed)
w1, b1 = torch.randn(200, 784, requires_grad=True), torch.zeros(200, requires_grad=True)
w2, b2 = torch.randn(200, 200, requires_grad=True), torch.zeros(200, requires_grad=True)
w3, b3 = torch.randn(10, 200, requires_grad=True), torch.zeros(10, requires_grad=True)
for w in (w1, w2, w3):
    torch.nn.init.kaiming_normal_(w)
order = torch.stack([torch.randperm(len(x)) for _ in range(epochs)])
torch.save({"w1": w1.detach(), "w2": w2.detach(), "w3": w3.detach(), "order": order.int()}, beginning)


def forward(x):
    x = F.relu(x @ w1.t() + b1)
    x = F.relu(x @ w2.t() + b2)
    return F.relu(x @ w3.t() + b3)


optimizer = torch.optim.SGD([w1, b1, w2, b2, w3, b3], lr=0.01)
accuracy = []
for epoch in range(epochs):
    for batch in order[epoch].split(200):
        loss = F.cross_entropy(forward(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        answers = forward(x_test).argmax(1)
    accuracy.append(round(100 * (answers == y_test).float().mean().item(), 2))
print(json.dumps({"seed": seed, "testAccuracy": accuracy}))
