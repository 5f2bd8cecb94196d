import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What is counted about requests; labels are route names and statuses, never anything of a person. */
export type Metrics = {
  readonly request: (route: string, status: number, seconds: number) => void;
  /** This thread's metrics as data, to be joined with those of other threads. */
  readonly snapshot: () => Promise<readonly unknown[]>;
  readonly stop: () => void;
};

/** Metrics of one web thread. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'opendmp_' });
  const requests = new Counter({
    name: 'opendmp_requests_total',
    help: 'Requests answered',
    labelNames: ['route', 'status'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'opendmp_request_duration_seconds',
    help: 'Time from request to end of answer',
    labelNames: ['route'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers: [registry],
  });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  new Gauge({
    name: 'opendmp_loop_delay_p99_seconds',
    help: 'Event-loop delay since start',
    registers: [registry],
    collect() {
      this.set(delay.percentile(99) / 1e9);
    },
  });
  return {
    request(route, status, seconds) {
      requests.inc({ route, status });
      duration.observe({ route }, seconds);
    },
    snapshot: async () => registry.getMetricsAsJSON(),
    stop() {
      delay.disable();
      registry.clear();
    },
  };
}

/** Snapshots of all threads as one Prometheus text. */
export function exposition(snapshots: readonly (readonly unknown[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as object[]).metrics();
}
