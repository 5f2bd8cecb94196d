import { monitorEventLoopDelay } from 'node:perf_hooks';
import { AggregatorRegistry, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** What one thread and its process are like, measured from now on. */
export function processMetrics(): { readonly snapshot: () => Promise<readonly unknown[]>; readonly stop: () => void } {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'opendmp_' });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  new Gauge({
    name: 'opendmp_loop_delay_p99_seconds',
    help: 'Event-loop delay since the first look at the metrics',
    registers: [registry],
    collect() {
      this.set(delay.count === 0 ? 0 : delay.percentile(99) / 1e9);
    },
  });
  return {
    snapshot: async () => registry.getMetricsAsJSON(),
    stop() {
      delay.disable();
      registry.clear();
    },
  };
}

/** Snapshots of all threads as one Prometheus text. */
export function joined(snapshots: readonly (readonly unknown[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as object[]).metrics();
}
