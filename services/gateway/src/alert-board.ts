import { type Acknowledgement, type Alert, parseAcknowledgement, parseAlert } from '@tideline/streams';

const ALERTS_MAX_DEFAULT = 1_000;

/** An alert and who has taken it on. */
export interface BoardAlert extends Alert {
  readonly acknowledgement: Acknowledgement | null;
}

/** The newest alerts that came by, each once: an alert that is told again has the same id. */
export class AlertBoard {
  readonly #alertsMax: number;
  readonly #alerts = new Map<string, Alert>();
  readonly #acknowledgements = new Map<string, Acknowledgement>();
  #revision = 0;

  constructor({ alertsMax = ALERTS_MAX_DEFAULT }: { readonly alertsMax?: number } = {}) {
    this.#alertsMax = alertsMax;
  }

  /** Rises with each change. */
  get revision(): number {
    return this.#revision;
  }

  /** Takes in lines of line protocol; what is no alert and no acknowledgement is left. */
  add(lines: Iterable<string>): void {
    for (const line of lines) {
      const alert = parseAlert(line);
      if (alert !== null) this.#keep(this.#alerts, alert.id, alert);
      const acknowledged = parseAcknowledgement(line);
      if (acknowledged !== null) this.#keep(this.#acknowledgements, acknowledged.id, acknowledged.acknowledgement);
    }
  }

  find(id: string): BoardAlert | undefined {
    const alert = this.#alerts.get(id);
    return alert === undefined ? undefined : this.#withAcknowledgement(alert);
  }

  /** Newest event time first. */
  list(limit: number): BoardAlert[] {
    const newest = [...this.#alerts.values()].sort(newestFirst).slice(0, limit);
    return newest.map((alert) => this.#withAcknowledgement(alert));
  }

  #withAcknowledgement(alert: Alert): BoardAlert {
    return { ...alert, acknowledgement: this.#acknowledgements.get(alert.id) ?? null };
  }

  #keep<T>(map: Map<string, T>, id: string, value: T): void {
    this.#revision += 1;
    map.set(id, value);
    if (map.size <= this.#alertsMax) return;
    const [oldest] = map.keys();
    map.delete(oldest);
  }
}

function newestFirst(a: Alert, b: Alert): number {
  const [first, second] = [BigInt(a.timeNs), BigInt(b.timeNs)];
  if (first === second) return a.id < b.id ? -1 : 1;
  return first < second ? 1 : -1;
}
