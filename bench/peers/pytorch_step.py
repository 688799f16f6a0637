"""PyTorch's side of the benchmark: training, evaluation and generation of the same model shapes.

Reads one JSON object from the command line (see bench/workload.ts) and prints one JSON line a mode:
{"mode", "tokensPerSecond", "peakBytes"}. Needs torch and numpy.
"""
import json
import resource
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

MODES = ("float32", "bf16-products", "bf16-autocast")


def locked(x, p):
    """One mask for all time steps."""
    if p == 0:
        return x
    keep = torch.empty(1, x.size(1), x.size(2)).bernoulli_(1 - p)
    return x * keep / (1 - p)


class Net(nn.Module):
    def __init__(self, w):
        super().__init__()
        self.w = w
        sizes = [w["embeddingSize"], *w["hiddenSizes"]]
        self.embed = nn.Embedding(w["vocabularySize"], sizes[0])
        self.same = len(set(sizes[1:])) == 1 and not w["awd"]
        self.is_gru = w.get("cell", {}).get("type") == "gru"
        if self.same:
            layer = nn.GRU if self.is_gru else nn.LSTM
            self.layers = layer(sizes[0], sizes[1], len(sizes) - 1, dropout=w["dropout"])
        else:
            self.lstms = nn.ModuleList(nn.LSTM(i, o) for i, o in zip(sizes, sizes[1:]))
        self.out = nn.Linear(sizes[-1], w["vocabularySize"])
        if w["tied"]:
            self.out.weight = self.embed.weight

    def state(self, n):
        if self.same:
            layers, size = len(self.w["hiddenSizes"]), self.w["hiddenSizes"][0]
            hidden = torch.zeros(layers, n, size)
            return hidden if self.is_gru else (hidden, torch.zeros(layers, n, size))
        return [(torch.zeros(1, n, h), torch.zeros(1, n, h)) for h in self.w["hiddenSizes"]]

    def forward(self, x, state):
        p = self.w["dropout"] if self.training else 0.0
        if self.same:
            h, state = self.layers(F.dropout(self.embed(x), p), state)
            return self.out(F.dropout(h, p)), state, h, h
        return self.forward_awd(x, state)

    def forward_awd(self, x, state):
        training = self.training
        table = self.embed.weight
        if training:
            table = table * torch.empty(table.size(0), 1).bernoulli_(0.9) / 0.9
        h = locked(F.embedding(x, table), 0.4 if training else 0)
        new = []
        for index, layer in enumerate(self.lstms):
            wh = F.dropout(layer.weight_hh_l0, 0.5, training)
            weights = (layer.weight_ih_l0, wh, layer.bias_ih_l0, layer.bias_hh_l0)
            h, hidden, cell = torch._VF.lstm(h, state[index], weights, True, 1, 0.0, training, False, False)
            new.append((hidden.detach(), cell.detach()))
            raw = h
            last = index == len(self.lstms) - 1
            h = locked(h, (0.4 if last else 0.25) if training else 0)
        return F.linear(h, self.out.weight, self.out.bias), new, raw, h


def detach(state):
    if torch.is_tensor(state):
        return state.detach()
    if isinstance(state, tuple):
        return tuple(s.detach() for s in state)
    return [tuple(s.detach() for s in pair) for pair in state]


def train(net, w, autocast):
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    shape = (w["time"], w["batchSize"])
    x, y = (torch.randint(0, w["vocabularySize"], shape) for _ in range(2))
    state = net.state(w["batchSize"])

    def step(state):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            logits, state, raw, dropped = net(x, detach(state))
        loss = F.cross_entropy(logits.float().view(-1, w["vocabularySize"]), y.view(-1))
        if w["awd"]:
            loss = loss + 2 * dropped.pow(2).mean() + (raw[1:] - raw[:-1]).pow(2).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        optimizer.step()
        return state

    for _ in range(2):
        state = step(state)
    start = time.perf_counter()
    for _ in range(w["steps"]):
        state = step(state)
    return w["steps"] * w["time"] * w["batchSize"] / (time.perf_counter() - start)


def evaluate(net, w, autocast):
    shape = (w["time"], w["batchSize"])
    x, y = (torch.randint(0, w["vocabularySize"], shape) for _ in range(2))
    state = net.state(w["batchSize"])

    def step(state):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            logits, state, _, _ = net(x, state)
        F.cross_entropy(logits.float().view(-1, w["vocabularySize"]), y.view(-1)).item()
        return state

    state = step(state)
    start = time.perf_counter()
    for _ in range(w["steps"]):
        state = step(state)
    return w["steps"] * w["time"] * w["batchSize"] / (time.perf_counter() - start)


def generate(net, w, autocast):
    state = net.state(w["batchSize"])
    x = torch.zeros(1, w["batchSize"], dtype=torch.long)

    def run(count, x, state):
        for _ in range(count):
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
                logits, state, _, _ = net(x, state)
            top, ids = torch.topk(logits[0].float() / 0.8, 40)
            x = ids.gather(1, torch.multinomial(F.softmax(top, -1), 1)).t()
        return x, state

    x, state = run(100, x, state)
    start = time.perf_counter()
    run(w["steps"], x, state)
    return w["steps"] * w["batchSize"] / (time.perf_counter() - start)


def main():
    w = json.loads(sys.argv[1])
    torch.set_num_threads(w["threads"])
    for mode in w.get("modes", MODES):
        torch.manual_seed(0)
        torch.set_float32_matmul_precision("medium" if mode == "bf16-products" else "highest")
        net = Net(w)
        run = {"train": train, "evaluate": evaluate, "generate": generate}[w["task"]]
        if w["task"] == "train":
            rate = run(net, w, mode == "bf16-autocast")
        else:
            with torch.inference_mode():
                rate = run(net.eval(), w, mode == "bf16-autocast")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"mode": mode, "tokensPerSecond": rate, "peakBytes": peak}), flush=True)


main()
