import { type Alert, parseAlert } from '@tideline/streams';

const ALERTS_MAX_DEFAULT = 1_000;

/** The newest alerts that came by, each once: an alert that is told again has the same id. */
export class AlertBoard {
  readonly #alertsMax: number;
  readonly #alerts = new Map<string, Alert>();

  constructor({ alertsMax = ALERTS_MAX_DEFAULT }: { readonly alertsMax?: number } = {}) {
    this.#alertsMax = alertsMax;
  }

  /** Takes in lines of line protocol; what is no alert is left. */
  add(lines: Iterable<string>): void {
    for (const line of lines) {
      const alert = parseAlert(line);
      if (alert === null) continue;
      this.#alerts.set(alert.id, alert);
      if (this.#alerts.size <= this.#alertsMax) continue;
      const [oldest] = this.#alerts.keys();
      this.#alerts.delete(oldest);
    }
  }

  /** Newest event time first. */
  list(limit: number): Alert[] {
    return [...this.#alerts.values()].sort(newestFirst).slice(0, limit);
  }
}

function newestFirst(a: Alert, b: Alert): number {
  const [first, second] = [BigInt(a.timeNs), BigInt(b.timeNs)];
  if (first === second) return a.id < b.id ? -1 : 1;
  return first < second ? 1 : -1;
}
