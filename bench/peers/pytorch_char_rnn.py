"""PyTorch on a text of one's own, for a given time, with the defaults of the program char-rnn: bytes as tokens, one-hot
input, two LSTM layers of 128 units, no dropout, batch 50 x 50, RMSprop 0.002 (decay 0.95) that falls by 0.97 an epoch
after the tenth, gradients clamped to 5, at most 50 epochs.

    python pytorch_char_rnn.py '{"train": FILE, "valid": FILE, "test": FILE, "seconds": 120, "threads": 2, "seed": 1,
                                 "sampleBytes": 400}'

Prints one JSON line. The weights of the best validation are tested, as gatelm does it; validation counts as time, the
start does not.
"""
import json
import math
import sys
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

BATCH, LENGTH, UNITS, LAYERS = 50, 50, 128, 2
RATE, RATE_DECAY, DECAY_AFTER, SMOOTHING, CLAMP, MAX_EPOCHS = 2e-3, 0.97, 10, 0.95, 5, 50


class CharRnn(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.size = size
        self.lstm = nn.LSTM(size, UNITS, LAYERS)
        self.output = nn.Linear(UNITS, size)

    def forward(self, ids, state):
        read, state = self.lstm(functional.one_hot(ids, self.size).float(), state)
        return self.output(read), state


def columns(ids, batch):
    length = (len(ids) - 1) // batch
    inputs = ids[: length * batch].view(batch, length).t()
    targets = ids[1 : length * batch + 1].view(batch, length).t()
    return inputs, targets


def bits_per_byte(model, ids):
    """As in training, in streams; each stream's first byte is only read."""
    model.eval()
    inputs, targets = columns(ids, max(1, min(BATCH, len(ids) // 1000)))
    total, state = 0.0, None
    with torch.no_grad():
        for start in range(0, len(inputs), 200):
            scores, state = model(inputs[start : start + 200], state)
            wanted = targets[start : start + 200].reshape(-1)
            total += functional.cross_entropy(scores.reshape(-1, model.size), wanted, reduction="sum").item()
    model.train()
    return total / math.log(2) / targets.numel()


def sample(model, first, count, temperature):
    model.eval()
    written, state, last = [], None, first
    with torch.no_grad():
        for _ in range(count):
            scores, state = model(torch.tensor([[last]]), state)
            last = torch.multinomial(torch.softmax(scores[0, 0] / temperature, 0), 1).item()
            written.append(last)
    return written


def main():
    request = json.loads(sys.argv[1])
    torch.set_num_threads(request["threads"])
    torch.manual_seed(request["seed"])
    text = {split: open(request[split], "rb").read() for split in ("train", "valid", "test")}
    alphabet = sorted(set(b"".join(text.values())))
    place = numpy.zeros(256, dtype=numpy.int64)
    place[alphabet] = range(len(alphabet))
    ids = {split: torch.from_numpy(place[numpy.frombuffer(part, dtype=numpy.uint8)]) for split, part in text.items()}

    model = CharRnn(len(alphabet))
    optimizer = torch.optim.RMSprop(model.parameters(), lr=RATE, alpha=SMOOTHING)
    batch = max(1, min(BATCH, (len(ids["train"]) - 1) // LENGTH))
    inputs, targets = columns(ids["train"], batch)
    begin = time.monotonic()
    is_over = lambda: time.monotonic() - begin >= request["seconds"]
    best, best_weights, steps, epochs = math.inf, None, 0, 0.0
    for epoch in range(1, MAX_EPOCHS + 1):
        state = None
        for start in range(0, len(inputs), LENGTH):
            if is_over():
                break
            scores, state = model(inputs[start : start + LENGTH], state)
            state = tuple(part.detach() for part in state)
            loss = functional.cross_entropy(
                scores.reshape(-1, model.size), targets[start : start + LENGTH].reshape(-1)
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(model.parameters(), CLAMP)
            optimizer.step()
            steps += 1
            epochs = epoch - 1 + min(1, (start + LENGTH) / len(inputs))
        valid = bits_per_byte(model, ids["valid"])
        if valid < best:
            best = valid
            best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        if is_over():
            break
        if epoch >= DECAY_AFTER:
            for group in optimizer.param_groups:
                group["lr"] *= RATE_DECAY
    seconds = time.monotonic() - begin
    model.load_state_dict(best_weights)
    test = bits_per_byte(model, ids["test"])
    line_end = place[10] if 10 in alphabet else 0
    written = sample(model, int(line_end), request["sampleBytes"], 0.8)
    result = {
        "validBitsPerByte": best,
        "testBitsPerByte": test,
        "seconds": seconds,
        "steps": steps,
        "epochs": epochs,
        "parameterCount": sum(value.numel() for value in model.parameters()),
        "sample": bytes(alphabet[each] for each in written).decode("utf-8", "replace"),
        "version": torch.__version__,
    }
    print(json.dumps(result))


main()
