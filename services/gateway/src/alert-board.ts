import { type Acknowledgement, type Alert, parseAcknowledgement, parseAlert } from '@tideline/streams';

const ALERTS_MAX_DEFAULT = 1_000;

/** An alert and who has taken it on. */
export interface BoardAlert extends Alert {
  readonly acknowledgement: Acknowledgement | null;
}

interface Entry {
  readonly alert: Alert;
  /** The board's revision at its last change. */
  readonly revision: number;
}

/** The newest alerts that came by, each once: an alert that is told again has the same id. */
export class AlertBoard {
  readonly #alertsMax: number;
  readonly #alerts = new Map<string, Entry>();
  /** May come before its alert, from another process. */
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
      if (alert !== null) this.#change(alert);
      const acknowledged = parseAcknowledgement(line);
      if (acknowledged === null) continue;
      this.#keep(this.#acknowledgements, acknowledged.id, acknowledged.acknowledgement);
      const entry = this.#alerts.get(acknowledged.id);
      if (entry !== undefined) this.#change(entry.alert);
    }
  }

  find(id: string): BoardAlert | undefined {
    const entry = this.#alerts.get(id);
    return entry === undefined ? undefined : this.#withAcknowledgement(entry.alert);
  }

  /** Those that changed after `since`, newest event time first. */
  list({ since = 0, limit }: { readonly since?: number; readonly limit: number }): BoardAlert[] {
    const changed = [...this.#alerts.values()].filter(({ revision }) => revision > since);
    const newest = changed.map(({ alert }) => alert).sort(newestFirst);
    return newest.slice(0, limit).map((alert) => this.#withAcknowledgement(alert));
  }

  #withAcknowledgement(alert: Alert): BoardAlert {
    return { ...alert, acknowledgement: this.#acknowledgements.get(alert.id) ?? null };
  }

  #change(alert: Alert): void {
    this.#revision += 1;
    this.#keep(this.#alerts, alert.id, { alert, revision: this.#revision });
  }

  #keep<T>(map: Map<string, T>, id: string, value: T): void {
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
