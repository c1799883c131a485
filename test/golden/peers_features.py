"""Makes peers-features.json: ticks of the peers' benchmark and its four features, by numpy (`features` is the benchmark's one definition, unchanged).

    python3 -m venv venv && venv/bin/pip install numpy && venv/bin/python test/golden/peers_features.py
"""

import json
import pathlib

import numpy as np

RECORDS, BASE, SYMBOLS = 400, 1_767_225_600_000, 20


def features(price, size, ts, prev_price, prev_ts):  # double arithmetic, then float32
    first = prev_price is None
    lr = 0.0 if first else np.log(price / prev_price) * 1000
    return lr, np.log1p(size) * 0.2, 0.0 if first else min(ts - prev_ts, 10_000) / 1000, 0.0 if first else np.sign(price - prev_price)


rng = np.random.default_rng(1)
symbol = rng.integers(0, SYMBOLS, RECORDS)
size = rng.integers(1, 1000, RECORDS)
move = rng.integers(-5, 6, RECORDS)
cents = rng.integers(5_000, 50_000, SYMBOLS)
# Gaps on both sides of the cap of 10 s.
ts = BASE + np.cumsum(rng.choice([1, 7, 400, 20_000], RECORDS))
before, records, rows = {}, [], []
for i in range(RECORDS):
    s = symbol[i]
    cents[s] = max(cents[s] + move[i], 100)
    price, key = cents[s] / 100, f"S{s:04d}"
    records.append(f'{{"symbol":"{key}","ts":{ts[i]},"price":{price:.2f},"size":{size[i]},"side":"B","venue":"XLON","seq":{i + 1}}}')
    rows.append([float(np.float32(v)) for v in features(price, int(size[i]), int(ts[i]), *before.get(s, (None, None)))])
    before[s] = (price, int(ts[i]))
file = {"made": f"numpy {np.__version__}", "records": records, "features": rows}
pathlib.Path(__file__).with_name("peers-features.json").write_text(json.dumps(file, indent=0) + "\n")
