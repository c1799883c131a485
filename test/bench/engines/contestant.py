"""PyTorch eager or onnxruntime as a contestant, one thread: `python contestant.py torch|onnxruntime`. The protocol is protocol.ts's."""

import base64
import json
import sys
import time

import numpy as np

PARTS = 16
TRIAL_MS = 25
TRIALS = 2


class Call:
    """One case, ready to be called. `call(set)` runs it once, `outputs()` gives the last call's, `reset()` sets the states to zero."""

    def __init__(self, variant, call, outputs, reset):
        self.variant, self.call, self.outputs, self.reset = variant, call, outputs, reset


def read_case(request):
    spec = request["spec"]
    rows = request["batch"] if request["form"] == "step" else request["length"]
    values = np.fromfile(request["weights"], "<f4")
    tensors, at = {}, 0
    for tensor in request["tensors"]:
        count = int(np.prod(tensor["shape"]))
        tensors[tensor["name"]] = values[at : at + count].reshape(tensor["shape"])
        at += count
    inputs = np.fromfile(request["inputs"], "<f4").reshape(request["sets"], rows, spec["inputSize"])
    return spec, tensors, inputs


def torch_ways(request):
    import torch

    spec, tensors, inputs = read_case(request)
    is_lstm, layers, hidden, batch = spec["cell"] == "lstm", spec["layers"], spec["hiddenSize"], request["batch"]
    is_step, is_window = request["form"] == "step", request["form"] == "window"
    whole = (torch.nn.LSTM if is_lstm else torch.nn.GRU)(spec["inputSize"], hidden, layers).eval()
    whole.load_state_dict({name: torch.from_numpy(value) for name, value in tensors.items() if "head" not in name})
    head = torch.nn.Linear(hidden, spec["outputSize"]).eval()
    head.load_state_dict({"weight": torch.from_numpy(tensors["head.weight"]), "bias": torch.from_numpy(tensors["head.bias"])})
    xs = [torch.from_numpy(x) for x in inputs]
    # The module wants [steps][series][size].
    sequences = [x.unsqueeze(0) if is_step else x.unsqueeze(1) for x in xs]
    held = {}

    def zeros(*shape):
        return (torch.zeros(*shape), torch.zeros(*shape)) if is_lstm else torch.zeros(*shape)

    def reset_whole():
        held["state"] = zeros(layers, batch, hidden)

    def call_whole(index):
        y, held["state"] = whole(sequences[index], None if is_window else held["state"])
        held["y"] = head(y[-1] if is_step or is_window else y.squeeze(1))

    cells = []
    for l in range(layers):
        cell = (torch.nn.LSTMCell if is_lstm else torch.nn.GRUCell)(spec["inputSize"] if l == 0 else hidden, hidden).eval()
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell.load_state_dict({name: torch.from_numpy(tensors[f"{name}_l{l}"]) for name in names})
        cells.append(cell)

    def reset_cells():
        held["states"] = [zeros(batch, hidden) for _ in cells]

    def call_cells(index):
        x, states = xs[index], held["states"]
        for l, cell in enumerate(cells):
            states[l] = cell(x, states[l])
            x = states[l][0] if is_lstm else states[l]
        held["y"] = head(x)

    def outputs():
        return held["y"].numpy()

    ways = [Call("nn.LSTM" if is_lstm else "nn.GRU", call_whole, outputs, reset_whole)]
    if is_step:
        ways.append(Call("nn.LSTMCell" if is_lstm else "nn.GRUCell", call_cells, outputs, reset_cells))
    return ways


def onnxruntime_ways(request):
    import onnxruntime as ort

    spec, _, inputs = read_case(request)
    return [onnxruntime_way(ort, request, spec, inputs, name, path) for name, path in request["graphs"].items()]


def onnxruntime_way(ort, request, spec, inputs, name, path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    batch, hidden, is_step = request["batch"], spec["hiddenSize"], request["form"] == "step"
    rows = batch if is_step else request["length"]
    lead = [1, batch] if name == "operator" else [batch] if is_step else [rows, 1]
    out_rows = 1 if request["form"] == "window" else rows
    states = [] if request["form"] == "window" else [v.name for v in session.get_inputs() if v.name != "x"]
    width = sum(v.shape[-1] for v in session.get_inputs() if v.name == "s")
    shape = [batch, width] if name == "packed" else [batch, hidden] if name.startswith("gemm") else [1, batch, hidden]
    xs = [ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(x.reshape(*lead, spec["inputSize"]))) for x in inputs]
    y = ort.OrtValue.ortvalue_from_numpy(np.zeros((out_rows, spec["outputSize"]), np.float32))
    # Two sets of states take turns: the one written last is the next call's input. All is bound, nothing is copied.
    sets = [[ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32)) for _ in states] for _ in range(2)]
    bindings = [[bind(session, x, y, states, sets[turn], sets[1 - turn]) for x in xs] for turn in range(2)]
    turn = [0]

    def call(index):
        session.run_with_iobinding(bindings[turn[0]][index])
        turn[0] = 1 - turn[0]

    def reset():
        for held in sets:
            for value in held:
                value.update_inplace(np.zeros(shape, np.float32))

    return Call(f"{name}, bound", call, lambda: y.numpy(), reset)


def bind(session, x, y, names, before, after):
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output("y", y)
    for i, name in enumerate(names):
        binding.bind_ortvalue_input(name, before[i])
        binding.bind_ortvalue_output(f"{name[0]}n{name[1:]}", after[i])
    return binding


def call_for(way, sets, ms, calls_min, part):
    call, calls, elapsed, used, start = way.call, 0, 0, time.process_time_ns(), time.perf_counter_ns()
    while elapsed < ms * 1e6 or calls < calls_min:
        for index in range(calls, calls + part):
            call(index % sets)
        calls += part
        elapsed = time.perf_counter_ns() - start
    return {"calls": calls, "ns": elapsed, "processorNs": time.process_time_ns() - used, "each": []}


def slice_of(way, sets, request):
    warm = call_for(way, sets, request["warmMs"], 1, 1)
    if not request["each"]:
        part = max(1, int(warm["calls"] * request["ms"] * 1e6 / warm["ns"] / PARTS))
        return call_for(way, sets, request["ms"], request["callsMin"], part)
    each, clock, used = [], time.perf_counter_ns, time.process_time_ns()
    start = before = clock()
    while before - start < request["ms"] * 1e6 or len(each) < request["callsMin"]:
        way.call(len(each) % sets)
        each.append(clock() - before)
        before = clock()
    return {"calls": len(each), "ns": before - start, "processorNs": time.process_time_ns() - used, "each": each}


def fastest_of(ways, sets):
    for way in ways:
        way.reset()
    if len(ways) == 1:
        return ways[0]
    best = {way: float("inf") for way in ways}
    for _ in range(TRIALS):
        for way in ways:
            result = slice_of(way, sets, {"ms": TRIAL_MS, "warmMs": TRIAL_MS, "callsMin": 2, "each": False})
            best[way] = min(best[way], result["processorNs"] / result["calls"])
    return min(ways, key=best.get)


def check(way, sets, request):
    way.reset()
    parts = []
    for index in range(request["calls"]):
        way.call(index % sets)
        parts.append(np.ascontiguousarray(way.outputs(), "<f4").tobytes())
    return {"outputs": base64.b64encode(b"".join(parts)).decode()}


def prepare(kind):
    """The contestant's version, and the ways in which it runs a case."""
    if kind == "onnxruntime":
        import onnxruntime

        return onnxruntime.__version__, onnxruntime_ways
    import torch

    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    return torch.__version__, torch_ways


def serve():
    version, ways_of = prepare(sys.argv[1])
    answer({"version": version})
    way, sets = None, 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["do"] == "load":
                sets = request["sets"]
                way = fastest_of(ways_of(request), sets)
                answer({"variant": way.variant})
            elif request["do"] == "check":
                answer(check(way, sets, request))
            elif request["do"] == "slice":
                answer(slice_of(way, sets, request))
            else:
                way = None
                answer({})
        except Exception as error:
            answer({"error": f"{type(error).__name__}: {error}"})


def answer(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


serve()
