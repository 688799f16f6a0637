"""A text of words as ids in parallel streams, as gatelm's src/batches/batch-iterator.ts has them."""
import numpy
import torch

UNCOUNTED = -100  # a target of F.cross_entropy that it leaves out


def read_text(request):
    """The ids of each split, and how many words there are: those of train, and <eos> at the ends of lines."""
    place, ids = {}, {}
    for split in ("train", "valid", "test"):
        with open(request[split], encoding="utf-8") as file:
            words = file.read().replace("\n", " <eos> ").split()
        if split == "train":
            for word in (*words, "<unk>"):
                place.setdefault(word, len(place))
        ids[split] = torch.tensor([place.get(word, place["<unk>"]) for word in words])
    return ids, len(place)


def streams(ids, count):
    """Inputs and targets as streams of equal length; what does not fill them is left out. [length, count]"""
    length = (len(ids) - 1) // count
    parts = (ids[: length * count], ids[1 : length * count + 1])
    return [part.view(count, length).t().contiguous() for part in parts]


def all_predictions(ids, count):
    """As streams of which the first may be a step longer, so that each token but the first is predicted once. [length, count]"""
    predictions = len(ids) - 1
    length, longer = divmod(predictions, count)
    number = numpy.arange(count)
    at = (number * length + numpy.minimum(number, longer))[None] + numpy.arange(length + (longer > 0))[:, None]
    at = torch.from_numpy(numpy.minimum(at, predictions - 1))
    targets = ids[at + 1]
    if longer > 0:
        targets[-1, longer:] = UNCOUNTED
    return ids[at], targets
