"""The LSTM language model of an export, with nothing but torch: embedding, LSTM layers, affine output.

The names of its parameters are those of PyTorch's examples/word_language_model: encoder.weight, rnn.weight_ih_l0, …,
decoder.weight, decoder.bias. Layers of different sizes are a ModuleList: rnns.0.weight_ih_l0, …
"""
import torch
from torch import nn


class WordLM(nn.Module):
    def __init__(self, vocabulary_size, embedding_size, hidden_sizes, tied, dropout=0.0):
        super().__init__()
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(vocabulary_size, embedding_size)
        if len(set(hidden_sizes)) == 1:
            inner = dropout if len(hidden_sizes) > 1 else 0.0
            self.rnn = nn.LSTM(embedding_size, hidden_sizes[0], len(hidden_sizes), dropout=inner)
        else:
            widths = [embedding_size, *hidden_sizes]
            self.rnns = nn.ModuleList(nn.LSTM(d, h) for d, h in zip(widths, hidden_sizes))
        self.decoder = nn.Linear(hidden_sizes[-1], vocabulary_size)
        if tied:
            self.decoder.weight = self.encoder.weight

    def forward(self, ids, state=None):
        """ids [T, N] → logits [T, N, V] and the state to go on from; state None = no past."""
        x = self.drop(self.encoder(ids))
        if hasattr(self, "rnn"):
            x, state = self.rnn(x, state)
        else:
            states = []
            for rnn, past in zip(self.rnns, state or [None] * len(self.rnns)):
                x, new = rnn(x, past)
                states.append(new)
            state = states
        return self.decoder(self.drop(x)), state


def model_of(tensors):
    """Builds the model that a state dict is of; sizes and tying are read off its tensors."""
    vocabulary_size, embedding_size = tensors["encoder.weight"].shape
    layers = [k for k in tensors if "weight_hh" in k]
    hidden_sizes = [tensors[k].shape[1] for k in sorted(layers, key=lambda k: [int(p) for p in k.replace("_l", ".").split(".") if p.isdigit()])]
    decoder = tensors.setdefault("decoder.weight", tensors["encoder.weight"])
    tied = decoder.shape == tensors["encoder.weight"].shape and torch.equal(decoder, tensors["encoder.weight"])
    model = WordLM(vocabulary_size, embedding_size, hidden_sizes, tied)
    model.load_state_dict(tensors)
    return model
