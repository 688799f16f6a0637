"""The word LSTM of pytorch_ptb.py, by a model config of gatelm: embedding, LSTM layers, affine output, dropout between them."""
import torch
from torch import nn
import torch.nn.functional as F


class WordLstm(nn.Module):
    def __init__(self, model, size, second_bias):
        """
        @param model a config of gatelm
        @param size of the vocabulary
        @param second_bias whether both biases of a layer are trained; otherwise the second stays 0
        """
        super().__init__()
        self.dropout = model["dropout"]
        sizes = [model["embeddingSize"], *model["hiddenSizes"]]
        self.embedding = nn.Embedding(size, sizes[0])
        self.layers = nn.ModuleList(nn.LSTM(*pair) for pair in zip(sizes, sizes[1:]))
        self.output = nn.Linear(sizes[-1], size)
        if model["tieWeights"]:
            self.output.weight = self.embedding.weight
        with torch.no_grad():
            initialize(self, model, second_bias)

    def drop(self, x, rate):
        if self.dropout["kind"] == "standard" or not self.training or rate == 0:
            return F.dropout(x, rate, self.training)
        return x * x.new_empty(1, *x.shape[1:]).bernoulli_(1 - rate) / (1 - rate)

    def forward(self, ids, states):
        """@returns logits [T, N, V], and the states that follow, detached"""
        x = self.drop(self.embedding(ids), self.dropout["input"])
        following = []
        for index, layer in enumerate(self.layers):
            if index > 0:
                x = self.drop(x, self.dropout["hidden"])
            x, state = layer(x, states and states[index])
            following.append(tuple(part.detach() for part in state))
        return self.output(self.drop(x, self.dropout["output"])), following


def initialize(net, model, second_bias):
    """By the rules of gatelm's src/models/initialization.ts, with numbers of its own."""
    draw = {
        "book": lambda weight, deviation, bound: nn.init.normal_(weight, 0, deviation),
        "uniform": lambda weight, deviation, bound: nn.init.uniform_(
            weight, -model["initializationRange"], model["initializationRange"]
        ),
        "awd-lstm": lambda weight, deviation, bound: nn.init.uniform_(weight, -bound, bound),
    }[model["initialization"]]
    for layer in net.layers:
        bound = layer.hidden_size**-0.5
        for weight in (layer.weight_ih_l0, layer.weight_hh_l0):
            draw(weight, weight.shape[1] ** -0.5, bound)
        first, second = layer.bias_ih_l0, layer.bias_hh_l0
        for bias in (first, second):
            draw(bias, 0, bound)
        if not second_bias:
            if model["initialization"] == "awd-lstm":
                first.add_(second)  # there gatelm draws the sum of two
            second.zero_().requires_grad_(False)
        first[layer.hidden_size : 2 * layer.hidden_size] += model["forgetBias"]  # gates: i, f, g, o
    if not model["tieWeights"]:
        draw(net.output.weight, net.output.in_features**-0.5, 0.1)
    draw(net.embedding.weight, 0.01, 0.1)
    draw(net.output.bias, 0, 0)
