"""Golden vectors of models over complete sequences: both directions, heads, encoder-decoder. PyTorch's modules in float64."""

import torch
from torch.nn.functional import one_hot, softmax, softplus

INPUT_SIZE, HIDDEN_SIZE = 5, 6
LENGTHS = (1, 4, 9)
MODULES = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}

QUANTILES = {"kind": "multi-quantile", "levels": [0.05, 0.25, 0.5, 0.75, 0.95]}
CASES = {
    "bi-rnn-1": {"cell": "rnn", "layers": 1, "outputSize": 3, "bidirectional": True, "head": {"kind": "linear", "scope": "sequence"}},
    "bi-lstm-2": {"cell": "lstm", "layers": 2, "outputSize": 3, "bidirectional": True},
    "bi-lstm-3": {"cell": "lstm", "layers": 3, "outputSize": 10, "bidirectional": True, "head": QUANTILES},
    "bi-gru-2": {"cell": "gru", "layers": 2, "outputSize": 4, "bidirectional": True, "head": {"kind": "classes", "scope": "last-step"}},
    "lstm-classes-1": {"cell": "lstm", "layers": 1, "outputSize": 4, "head": {"kind": "classes", "scope": "sequence"}},
    "gru-quantiles-2": {"cell": "gru", "layers": 2, "outputSize": 5, "head": QUANTILES | {"scope": "last-step"}},
    "encoder-decoder-gru-1": {"cell": "gru", "layers": 1, "outputSize": 2, "decoder": {}},
    "encoder-decoder-lstm-2": {"cell": "lstm", "layers": 2, "outputSize": 10, "decoder": {"knownSize": 3, "summaryEachStep": True}, "head": QUANTILES},
    "encoder-decoder-rnn-2": {"cell": "rnn", "layers": 2, "outputSize": 4, "decoder": {"knownSize": 1}, "head": {"kind": "classes"}},
}
DECODED = 6


def float32(shape, bound):
    """Uniform values in +-bound that float32 holds exactly, as float64."""
    return ((torch.rand(shape) * 2 - 1) * bound).float().double()


def module_of(spec, input_size):
    module = MODULES[spec["cell"]](input_size, HIDDEN_SIZE, spec["layers"], bidirectional=spec.get("bidirectional", False)).double()
    for parameter in module.parameters():
        parameter.data = float32(parameter.shape, 2 / HIDDEN_SIZE**0.5)
    return module


def quantiles(z, levels):
    """z [..., targets * levels]: the median, then distances downwards from it, then upwards."""
    n = len(levels)
    middle = levels.index(0.5)
    z = z.reshape(-1, n)
    down = z[:, :1] - softplus(z[:, 1 : middle + 1]).cumsum(1)
    up = z[:, :1] + softplus(z[:, middle + 1 :]).cumsum(1)
    return torch.cat([down.flip(1), z[:, :1], up], dim=1)


def read_head(head, z):
    if head["kind"] == "classes":
        return softmax(z, dim=-1)
    return quantiles(z, head["levels"]).reshape(z.shape) if head["kind"] == "multi-quantile" else z


def feed_back(head, z):
    """What the next step reads of z [O]."""
    if head["kind"] == "classes":
        return one_hot(z.argmax(), z.shape[0]).double()
    return z.reshape(-1, len(head["levels"]))[:, 0] if head["kind"] == "multi-quantile" else z


def state_list(state):
    """PyTorch's h_n, then c_n, flat."""
    return torch.cat([part.flatten() for part in (state if isinstance(state, tuple) else (state,))]).tolist()


def one_sequence(spec, module, head_w, head_b, x):
    y, state = module(x)
    head = spec.get("head", {"kind": "linear"})
    scope = head.get("scope", "per-step")
    if scope == "last-step":
        h_n = state[0] if isinstance(state, tuple) else state
        y = h_n[-2:].reshape(1, -1) if spec.get("bidirectional") else h_n[-1:]
    if scope == "sequence":
        y = y.mean(0, keepdim=True)
    outputs = read_head(head, y @ head_w.T + head_b)
    return {"steps": x.shape[0], "inputs": x.flatten().tolist(), "outputs": outputs.flatten().tolist(), "state": state_list(state)}


def decode(spec, decoder, head_w, head_b, begin, given):
    """Outputs [steps][O] from the encoder's state; the step reads [output before][known][summary]."""
    head = spec.get("head", {"kind": "linear"})
    top = (begin[0] if isinstance(begin, tuple) else begin)[-1]
    summary = top if spec["decoder"].get("summaryEachStep") else top[:0]
    before, state, outputs = given["first"], begin, []
    for t, known in enumerate(given["known"]):
        y, state = decoder(torch.cat([before, known, summary])[None], state)
        z = y[0] @ head_w.T + head_b
        outputs.append(read_head(head, z))
        before = feed_back(head, z) if given["targets"] is None else given["targets"][t]
    return {"outputs": torch.stack(outputs).flatten().tolist(), "state": state_list(state)}


def one_translation(spec, modules, head_w, head_b, x):
    encoder, decoder = modules
    _, begin = encoder(x)
    size = feed_back(spec.get("head", {"kind": "linear"}), torch.zeros(spec["outputSize"])).shape[0]
    given = {"first": float32((size,), 1), "known": float32((DECODED, spec["decoder"].get("knownSize", 0)), 2)}
    targets = float32((DECODED, size), 1)
    return {
        "steps": x.shape[0],
        "inputs": x.flatten().tolist(),
        "decoded": DECODED,
        "first": given["first"].tolist(),
        "known": given["known"].flatten().tolist(),
        "targets": targets.flatten().tolist(),
        "free": decode(spec, decoder, head_w, head_b, begin, given | {"targets": None}),
        "forced": decode(spec, decoder, head_w, head_b, begin, given | {"targets": targets}),
    }


def make(name, case):
    spec = {"name": name, "inputSize": INPUT_SIZE, "hiddenSize": HIDDEN_SIZE, **case}
    module = module_of(spec, INPUT_SIZE)
    tensors = dict(module.named_parameters())
    decoder = None
    if "decoder" in spec:
        size = feed_back(spec.get("head", {"kind": "linear"}), torch.zeros(spec["outputSize"])).shape[0]
        size += spec["decoder"].get("knownSize", 0) + (HIDDEN_SIZE if spec["decoder"].get("summaryEachStep") else 0)
        decoder = module_of(spec, size)
        tensors |= {f"decoder.{key}": tensor for key, tensor in decoder.named_parameters()}
    width = HIDDEN_SIZE * (2 if spec.get("bidirectional") else 1)
    head_w, head_b = float32((spec["outputSize"], width), 2 / width**0.5), float32((spec["outputSize"],), 1)
    tensors |= {"head.weight": head_w, "head.bias": head_b}
    sequences = []
    for length in LENGTHS:
        x = float32((length, INPUT_SIZE), 2)
        if decoder is None:
            sequences.append(one_sequence(spec, module, head_w, head_b, x))
        else:
            sequences.append(one_translation(spec, (module, decoder), head_w, head_b, x))
    return {"spec": spec, "weights": {key: tensor.flatten().tolist() for key, tensor in tensors.items()}, "sequences": sequences}
