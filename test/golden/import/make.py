"""Makes the fixtures of the import tests: small models as PyTorch, ONNX and Keras write them, and what PyTorch or Keras says that they compute.

    python3 -m venv venv && venv/bin/pip install torch onnx onnxruntime onnxscript safetensors numpy
    venv/bin/python test/golden/import/make.py
    python3 -m venv keras && keras/bin/pip install tensorflow-cpu numpy && keras/bin/python test/golden/import/make_keras.py

Each `expected/NAME.json` has inputs, outputs and the carried states of a few steps, computed in float64 from the float32 weights. Every ONNX file
is also run by onnxruntime against PyTorch before it is kept. The step graph of `lstm-step.onnx` has the shape of an exported single-step model:
x, h and c in, outputs, hn and cn out.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import save_file
from torch import nn

FOLDER = pathlib.Path(__file__).parent
INPUTS, HIDDEN, OUTPUTS = 3, 5, 2
STEPS, BATCH = 9, 2
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class Net(nn.Module):
    """x [B][I] and the states [L][B][H]: one step, with the framework's own layer."""

    def __init__(self, cell, layers):
        super().__init__()
        self.cell, self.layers = cell, layers
        self.rnn = CELLS[cell](INPUTS, HIDDEN, layers)
        self.head = nn.Linear(HIDDEN, OUTPUTS)

    def forward(self, x, h, c=None):
        state = (h, c) if self.cell == "lstm" else h
        y, state = self.rnn(x.unsqueeze(0), state)
        return (self.head(y[0]), *(state if self.cell == "lstm" else (state,)))


class LstmStep(nn.Module):
    """The same weights, spelled as matrix products."""

    def __init__(self, net):
        super().__init__()
        self.weights = nn.ParameterList()
        for layer in range(net.layers):
            w_ih, w_hh, b_ih, b_hh = (getattr(net.rnn, f"{part}_l{layer}") for part in PARTS)
            self.weights.append(nn.Parameter(torch.cat([w_ih, w_hh], 1).t().contiguous()))
            self.weights.append(nn.Parameter(b_ih + b_hh))
        self.layers, self.head = net.layers, net.head

    def forward(self, x, h, c):
        hs, cs = [], []
        for layer in range(self.layers):
            gates = torch.addmm(self.weights[2 * layer + 1], torch.cat([x, h[layer]], 1), self.weights[2 * layer])
            i, f, g, o = gates.split(HIDDEN, 1)
            cell = torch.sigmoid(f) * c[layer] + torch.sigmoid(i) * torch.tanh(g)
            x = torch.sigmoid(o) * torch.tanh(cell)
            hs.append(x)
            cs.append(cell)
        return self.head(x), torch.stack(hs), torch.stack(cs)


class GruStep(nn.Module):
    """One GRU step a layer, reset after, with separate products."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x, h):
        hs = []
        for layer in range(self.net.layers):
            w_ih, w_hh, b_ih, b_hh = (getattr(self.net.rnn, f"{part}_l{layer}") for part in PARTS)
            gi, gh = nn.functional.linear(x, w_ih, b_ih), nn.functional.linear(h[layer], w_hh, b_hh)
            i_r, i_z, i_n = gi.chunk(3, 1)
            h_r, h_z, h_n = gh.chunk(3, 1)
            r, z = torch.sigmoid(i_r + h_r), torch.sigmoid(i_z + h_z)
            x = (1 - z) * torch.tanh(i_n + r * h_n) + z * h[layer]
            hs.append(x)
        return self.net.head(x), torch.stack(hs)


class RnnStep(nn.Module):
    """One RNN step with its input scaled first, as (x - mean) / deviation."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.mean, self.deviation = nn.Parameter(torch.tensor([0.5, -0.25, 1.0])), nn.Parameter(torch.tensor([2.0, 0.5, 1.5]))

    def forward(self, x, h):
        w_ih, w_hh, b_ih, b_hh = (getattr(self.net.rnn, f"{part}_l0") for part in PARTS)
        x = (x - self.mean) / self.deviation
        h = torch.tanh(x @ w_ih.t() + b_ih + h @ w_hh.t() + b_hh)
        return self.net.head(h), h


class Sequence(nn.Module):
    """[B][T][I] in one go, from zero, with the head on the last step: how most networks are trained and exported."""

    def __init__(self, net):
        super().__init__()
        self.rnn = CELLS[net.cell](INPUTS, HIDDEN, net.layers, batch_first=True)
        self.rnn.load_state_dict(net.rnn.state_dict())
        self.head = net.head

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def random_net(cell, layers, seed):
    torch.manual_seed(seed)
    net = Net(cell, layers).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.uniform_(-0.9, 0.9)
    return net


def expected(name, step, states, dtype=torch.float64):
    """Runs `step` over random inputs in float64. Outputs and states are flat: [sequence][step][...] and [sequence][h of each layer, c ...]."""
    generator = torch.Generator().manual_seed(99)
    x = ((torch.rand(STEPS, BATCH, INPUTS, generator=generator) * 2 - 1) * 2).float().to(dtype)
    state, outputs = states, []
    with torch.no_grad():
        for x_t in x:
            y, *state = step(x_t, *state)
            outputs.append(y)
    flat = torch.cat([part if part.dim() == 2 else torch.cat(list(part), 1) for part in state], 1)
    content = {
        "sequences": BATCH,
        "steps": STEPS,
        "inputs": x.transpose(0, 1).flatten().tolist(),
        "outputs": torch.stack(outputs).transpose(0, 1).flatten().tolist(),
        "states": flat.flatten().tolist(),
    }
    (FOLDER / "expected").mkdir(exist_ok=True)
    text = json.dumps({key: [round(v, 9) for v in value] if isinstance(value, list) else value for key, value in content.items()})
    (FOLDER / "expected" / f"{name}.json").write_text(text + "\n")


def zero_states(net, dtype=torch.float64, layers=None):
    zeros = torch.zeros(layers or net.layers, BATCH, HIDDEN, dtype=dtype)
    return [zeros, zeros.clone()] if net.cell == "lstm" else [zeros]


def doubled(module):
    import copy

    return copy.deepcopy(module).double()


def export(name, module, inputs, input_names, output_names, axes, dynamo=False):
    path = FOLDER / "onnx" / f"{name}.onnx"
    path.parent.mkdir(exist_ok=True)
    if dynamo:
        torch.onnx.export(module, inputs, path, input_names=input_names, output_names=output_names, dynamo=True, external_data=False)
        model = onnx.load(path)
        for node in model.graph.node:  # traces of this machine's folders
            del node.metadata_props[:]
        for value in [*model.graph.value_info, *model.graph.input, *model.graph.output]:
            del value.metadata_props[:]
        del model.graph.metadata_props[:]
        del model.metadata_props[:]
        onnx.save(model, path)
    else:
        torch.onnx.export(module, inputs, path, input_names=input_names, output_names=output_names, dynamic_axes=axes, opset_version=17, dynamo=False)
    model = onnx.load(path)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(model)
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        want = module(*inputs)
    got = session.run(None, {key: value.numpy() for key, value in zip(input_names, inputs)})
    for a, b in zip(got, want if isinstance(want, tuple) else (want,)):
        assert np.abs(a - b.numpy()).max() < 1e-5, name


def step_inputs(net):
    return (torch.randn(BATCH, INPUTS), *[torch.randn(net.layers, BATCH, HIDDEN) for _ in zero_states(net)])


def step_names(net):
    states = ["h", "c"] if net.cell == "lstm" else ["h"]
    axes = {"x": {0: "B"}, "y": {0: "B"}} | {name: {1: "B"} for state in states for name in (state, f"{state}n")}
    return ["x", *states], ["y", *[f"{state}n" for state in states]], axes


def make_torch(nets):
    folder = FOLDER / "torch"
    folder.mkdir(exist_ok=True)
    for name, net in nets.items():
        save_file({key: value.contiguous() for key, value in net.state_dict().items()}, folder / f"{name}.safetensors")
    lstm = nets["lstm"]
    for name, dtype in [("float16", torch.float16), ("bfloat16", torch.bfloat16), ("float64", torch.float64)]:
        save_file({f"model.{key}": value.to(dtype).contiguous() for key, value in lstm.state_dict().items()}, folder / f"lstm-{name}.safetensors")
        if dtype != torch.float64:
            rounded = Net("lstm", 2)
            rounded.load_state_dict({key: value.to(dtype).float() for key, value in lstm.state_dict().items()})
            expected(f"lstm-{name}", doubled(rounded), zero_states(rounded))


def make_raw(net):
    folder = FOLDER / "raw"
    folder.mkdir(exist_ok=True)
    entries, blob, offset = [], b"", 0
    for name, parameter in net.named_parameters():
        values = parameter.detach().numpy().astype("<f4")
        entries.append({"name": name, "shape": list(values.shape), "offset": offset, "count": int(values.size)})
        blob += values.tobytes()
        offset += values.size
    (folder / "weights.bin").write_bytes(blob)
    description = {"dtype": "float32", "layout": "torch (gates i,f,g,o; y = x W^T + b)", "features": INPUTS, "hidden": HIDDEN, "layers": net.layers}
    (folder / "weights.json").write_text(json.dumps(description | {"tensors": entries}, indent=1) + "\n")


def make_exports(nets):
    lstm, gru, rnn = nets["lstm"], nets["gru"], nets["rnn"]
    for name, net in nets.items():
        export(f"{name}-nodes", net, step_inputs(net), *step_names(net))
    export("lstm-step", LstmStep(lstm).eval(), step_inputs(lstm), *step_names(lstm))
    export("gru-step", GruStep(gru).eval(), step_inputs(gru), *step_names(gru))
    plain = random_net("rnn", 1, 5)
    scaled = RnnStep(plain).eval()
    export("rnn-step-scaled", scaled, (torch.randn(BATCH, INPUTS), torch.randn(BATCH, HIDDEN)), ["x", "h"], ["y", "hn"], {key: {0: "B"} for key in ("x", "h", "y", "hn")})
    expected("rnn-step-scaled", doubled(scaled), [torch.zeros(BATCH, HIDDEN).double()])
    for net in (lstm, gru):
        sequence = Sequence(net).eval()
        export(f"{net.cell}-sequence", sequence, (torch.randn(BATCH, 4, INPUTS),), ["x"], ["y"], {"x": {0: "B", 1: "T"}, "y": {0: "B"}})
    export("lstm-dynamo", lstm, step_inputs(lstm), *step_names(lstm), dynamo=True)


def gru_before_onnx():
    """A GRU node with linear_before_reset = 0 (ONNX's default), made by hand: no exporter of PyTorch writes it. onnxruntime says what it computes."""
    rng = np.random.default_rng(11)
    draw = lambda *shape: rng.uniform(-0.9, 0.9, shape).astype(np.float32)
    w, r, b = draw(1, 3 * HIDDEN, INPUTS), draw(1, 3 * HIDDEN, HIDDEN), draw(1, 6 * HIDDEN)
    head_w, head_b = draw(HIDDEN, OUTPUTS), draw(OUTPUTS)
    tensors = {"W": w, "R": r, "B": b, "head": head_w, "bias": head_b, "axis": np.array([1], np.int64)}
    nodes = [
        helper.make_node("GRU", ["x", "W", "R", "B", "", "h"], ["Y", "hn"], "gru", hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["Y", "axis"], ["s"], "squeeze"),
        helper.make_node("MatMul", ["s", "head"], ["m"], "head"),
        helper.make_node("Add", ["m", "bias"], ["y"], "bias"),
    ]
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        nodes,
        "gru",
        [value("x", "T", "B", INPUTS), value("h", 1, "B", HIDDEN)],
        [value("y", "T", "B", OUTPUTS), value("hn", 1, "B", HIDDEN)],
        [numpy_helper.from_array(tensor, key) for key, tensor in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="make.py", ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / "onnx" / "gru-before.onnx")
    run_double("gru-before", w[0], r[0], b[0], head_w, head_b)
    # The same weights beside the file, as large models have them. (Saving appends to a file that is there.)
    (FOLDER / "onnx" / "gru-external.weights").unlink(missing_ok=True)
    onnx.save_model(model, FOLDER / "onnx" / "gru-external.onnx", save_as_external_data=True, location="gru-external.weights", size_threshold=0)
    check_with_runtime("gru-before", ["h"])


def lstm_peephole_onnx():
    """An LSTM node with peepholes (input P, gates i, o, f), made by hand, held to ONNX's equations in float64 and to onnxruntime."""
    rng = np.random.default_rng(12)
    draw = lambda *shape: rng.uniform(-0.9, 0.9, shape).astype(np.float32)
    w, r, b, p = draw(1, 4 * HIDDEN, INPUTS), draw(1, 4 * HIDDEN, HIDDEN), draw(1, 8 * HIDDEN), draw(1, 3 * HIDDEN)
    head_w, head_b = draw(HIDDEN, OUTPUTS), draw(OUTPUTS)
    nodes = [
        helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c", "P"], ["Y", "hn", "cn"], "lstm", hidden_size=HIDDEN),
        helper.make_node("Squeeze", ["Y", "axis"], ["s"], "squeeze"),
        helper.make_node("MatMul", ["s", "head"], ["m"], "head"),
        helper.make_node("Add", ["m", "bias"], ["y"], "bias"),
    ]
    value = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    state = lambda name: value(name, 1, "B", HIDDEN)
    tensors = {"W": w, "R": r, "B": b, "P": p, "head": head_w, "bias": head_b, "axis": np.array([1], np.int64)}
    inputs = [value("x", "T", "B", INPUTS), state("h"), state("c")]
    outputs = [value("y", "T", "B", OUTPUTS), state("hn"), state("cn")]
    graph = helper.make_graph(nodes, "peephole", inputs, outputs, [numpy_helper.from_array(tensor, key) for key, tensor in tensors.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], producer_name="make.py", ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, FOLDER / "onnx" / "lstm-peephole.onnx")
    wd, rd, bd, pd, hw, hb = (torch.tensor(part).double() for part in (w[0], r[0], b[0], p[0], head_w, head_b))

    def step(x, h, c):
        i, o, f, g = (x @ wd.t() + h[0] @ rd.t() + bd.chunk(2)[0] + bd.chunk(2)[1]).chunk(4, 1)
        p_i, p_o, p_f = pd.chunk(3)
        cell = torch.sigmoid(f + p_f * c[0]) * c[0] + torch.sigmoid(i + p_i * c[0]) * torch.tanh(g)
        h = torch.sigmoid(o + p_o * cell) * torch.tanh(cell)
        return h @ hw + hb, h[None], cell[None]

    zeros = torch.zeros(1, BATCH, HIDDEN).double()
    expected("lstm-peephole", step, [zeros, zeros])
    check_with_runtime("lstm-peephole", ["h", "c"])


def check_with_runtime(name, states):
    session = onnxruntime.InferenceSession(str(FOLDER / "onnx" / f"{name}.onnx"), providers=["CPUExecutionProvider"])
    content = json.loads((FOLDER / "expected" / f"{name}.json").read_text())
    x = np.array(content["inputs"], np.float32).reshape(BATCH, STEPS, INPUTS).transpose(1, 0, 2)
    zeros = {state: np.zeros((1, BATCH, HIDDEN), np.float32) for state in states}
    y, *_ = session.run(None, {"x": np.ascontiguousarray(x), **zeros})
    assert np.abs(y.transpose(1, 0, 2).ravel() - content["outputs"]).max() < 1e-5, name


def run_double(name, w, r, b, head_w, head_b):
    """ONNX's equations in float64: gates z, r, h."""
    w, r, b, head_w, head_b = (torch.tensor(part).double() for part in (w, r, b, head_w, head_b))
    wb, rb = b.chunk(2)

    def step(x, h):
        h = h[0]
        a, u = x @ w.t() + wb, h @ r.t() + rb
        z, reset = torch.sigmoid(a[:, :HIDDEN] + u[:, :HIDDEN]), torch.sigmoid(a[:, HIDDEN : 2 * HIDDEN] + u[:, HIDDEN : 2 * HIDDEN])
        n = torch.tanh(a[:, 2 * HIDDEN :] + (reset * h) @ r[2 * HIDDEN :].t() + rb[2 * HIDDEN :])
        h = (1 - z) * n + z * h
        return h @ head_w + head_b, h[None]

    expected(name, step, [torch.zeros(1, BATCH, HIDDEN).double()])


def main():
    nets = {"lstm": random_net("lstm", 2, 1), "gru": random_net("gru", 2, 2), "rnn": random_net("rnn", 2, 3)}
    for name, net in nets.items():
        expected(name, doubled(net), zero_states(net))
    make_torch(nets)
    make_raw(nets["lstm"])
    make_exports(nets)
    gru_before_onnx()
    lstm_peephole_onnx()


main()
