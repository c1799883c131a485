/**
 * Agents for a queue: Erlang C, from the recursion of Erlang B. Source: A. K. Erlang, 1917; in this form R. B. Cooper, "Introduction to Queueing Theory",
 * 2nd ed., 1981, 3.4. Assumes that calls come at random, wait in one line and do not hang up.
 */

/** What a queue promises, and how long a call keeps an agent. */
export interface ServiceTarget {
  /** Share of calls that are answered within `answerWithinSeconds`, in (0, 1). */
  readonly serviceLevel: number;
  readonly answerWithinSeconds: number;
  /** Talk and work after it, mean. */
  readonly handleTimeSeconds: number;
}

/** Deviations of the offered load below which agents change nothing that a double could hold. */
const NEGLIGIBLE_DEVIATIONS = 12;

/**
 * 1 / Erlang B of `agents` at `load` erlangs, which grows with every agent: 1/B(n) = 1 + (n / load) / B(n - 1). Far below the load the recursion forgets
 * where it began (by e^-72 over twelve deviations), so it begins there: the work is the root of the load.
 */
function inverseErlangB(load: number, agents: number): number {
  const start = Math.max(0, Math.min(agents, Math.floor(load - NEGLIGIBLE_DEVIATIONS * Math.sqrt(load)) - 1));
  let inverse = 1 / (1 - start / load);
  for (let n = start + 1; n <= agents; n += 1) inverse = 1 + (n / load) * inverse;
  return inverse;
}

/** Erlang B: share of calls that find all agents busy where nobody waits. `load` in erlangs, above 0; whole `agents`, 0 or more. */
export function erlangB(load: number, agents: number): number {
  return 1 / inverseErlangB(load, agents);
}

/** Erlang C: share of calls that have to wait. 1 where the agents cannot carry the load. */
export function erlangC(load: number, agents: number): number {
  return agents <= load ? 1 : waiting(load, agents, inverseErlangB(load, agents));
}

/** C = B / (1 - (load / agents) (1 - B)), with 1 / B, which may be too large for a double: then nobody waits. */
function waiting(load: number, agents: number, inverse: number): number {
  return agents / ((agents - load) * inverse + load);
}

/** Share of calls that are answered within the target's seconds by `agents`. */
export function serviceLevel(load: number, agents: number, target: ServiceTarget): number {
  if (load <= 0) return 1;
  return agents <= load ? 0 : answered(load, agents, target, waiting(load, agents, inverseErlangB(load, agents)));
}

function answered(load: number, agents: number, target: ServiceTarget, waits: number): number {
  return 1 - waits * Math.exp((-(agents - load) * target.answerWithinSeconds) / target.handleTimeSeconds);
}

/** Offered load of `calls` in an interval, erlangs. */
export function loadOf(calls: number, intervalMs: number, { handleTimeSeconds }: ServiceTarget): number {
  return (calls * handleTimeSeconds * 1000) / intervalMs;
}

/** The fewest agents that keep the target at `load` erlangs; 0 without load. */
export function agentsFor(load: number, target: ServiceTarget): number {
  if (!(load > 0)) return 0;
  let agents = Math.floor(load) + 1;
  let inverse = inverseErlangB(load, agents);
  // 1 / B grows beyond every bound, so the share of those who wait becomes 0: the loop ends.
  while (answered(load, agents, target, waiting(load, agents, inverse)) < target.serviceLevel) {
    agents += 1;
    inverse = 1 + (agents / load) * inverse;
  }
  return agents;
}
