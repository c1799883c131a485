/**
 * What a service's Node runs with. V8 collects garbage on helper threads, as many as there are cores, which pays where a core is free: beside Kafka, Redis,
 * InfluxDB and the other services none is, and the helpers' waiting for each other cost 2 to 25 % of all the processor time of the job with 100,000 series
 * (docs/benchmarks.md), with pauses no shorter. They are flags of the start: V8 does not take them later, nor from NODE_OPTIONS.
 */
export const NODE_FLAGS: readonly string[] = ['--single-threaded-gc'];
