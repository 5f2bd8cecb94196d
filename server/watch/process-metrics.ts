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
    help: 'Event-loop delay since the first look at the metrics, of the thread that is delayed most',
    aggregator: 'max',
    registers: [registry],
    collect() {
      this.set(delay.count === 0 ? 0 : delay.percentile(99) / 1e9);
    },
  });
  return {
    snapshot: async () => (await registry.getMetricsAsJSON()).map(ofProcessOnce),
    stop() {
      delay.disable();
      registry.clear();
    },
  };
}

/** What every thread says of the whole process counts once. */
function ofProcessOnce<T extends { readonly name: string }>(metric: T): T & { readonly aggregator?: 'max' } {
  return metric.name.startsWith('opendmp_process_') ? { ...metric, aggregator: 'max' } : metric;
}

/** Snapshots of all threads as one Prometheus text. */
export function joined(snapshots: readonly (readonly unknown[])[]): Promise<string> {
  return AggregatorRegistry.aggregate(snapshots as object[]).metrics();
}
