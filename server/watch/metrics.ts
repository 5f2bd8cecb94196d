/** What is counted about requests; labels are route names and statuses, never anything of a person. */
export type Metrics = {
  readonly request: (route: string, status: number, seconds: number) => void;
  /** This thread's metrics as data, to be joined with those of other threads. */
  readonly snapshot: () => Promise<readonly unknown[]>;
  readonly stop: () => void;
};

type Labels = Readonly<Record<string, string | number>>;
type Value = { readonly labels: Labels; readonly value: number; readonly metricName?: string };
type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'histogram';
  /** How the values of several threads become one. */
  readonly aggregator: 'sum';
  readonly values: readonly Value[];
};

/** Upper ends, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5];

/** `within`: how many took no longer than the end of each bucket but longer than that of the one before. */
type Durations = { readonly within: number[]; count: number; sum: number };

/** Metrics of one web thread. What the process itself is like is measured from the first snapshot on: nothing of it is loaded before. */
export function openMetrics(): Metrics {
  const statuses = new Map<string, Map<number, number>>();
  const durations = new Map<string, Durations>();
  let measuring: ReturnType<typeof measureProcess> | undefined;
  let stopped = false;
  return {
    request(route, status, seconds) {
      const counts = made(statuses, route, () => new Map<number, number>());
      counts.set(status, (counts.get(status) ?? 0) + 1);
      const taken = made(durations, route, () => ({ within: buckets.map(() => 0), count: 0, sum: 0 }));
      const bucket = buckets.findIndex((end) => seconds <= end);
      if (bucket !== -1) taken.within[bucket] = (taken.within[bucket] ?? 0) + 1;
      taken.count++;
      taken.sum += seconds;
    },
    async snapshot() {
      const counted = [requestsOf(statuses), durationsOf(durations)];
      if (stopped) return counted;
      measuring ??= measureProcess();
      return [...counted, ...(await (await measuring).snapshot())];
    },
    stop() {
      stopped = true;
      void measuring?.then(({ stop }) => stop());
    },
  };
}

async function measureProcess() {
  const { processMetrics } = await import('./process-metrics.ts');
  return processMetrics();
}

/** Snapshots of all threads as one Prometheus text. */
export async function exposition(snapshots: readonly (readonly unknown[])[]): Promise<string> {
  const { joined } = await import('./process-metrics.ts');
  return joined(snapshots);
}

function requestsOf(statuses: ReadonlyMap<string, ReadonlyMap<number, number>>): Metric {
  return {
    name: 'opendmp_requests_total',
    help: 'Requests answered',
    type: 'counter',
    aggregator: 'sum',
    values: [...statuses].flatMap(([route, counts]) =>
      [...counts].map(([status, value]) => ({ labels: { route, status }, value })),
    ),
  };
}

function durationsOf(durations: ReadonlyMap<string, Durations>): Metric {
  const name = 'opendmp_request_duration_seconds';
  return {
    name,
    help: 'Time from request to end of answer',
    type: 'histogram',
    aggregator: 'sum',
    values: [...durations].flatMap(([route, { within, count, sum }]) => {
      let value = 0;
      const ends = buckets.map((le, i) => {
        value += within[i] ?? 0;
        return { metricName: `${name}_bucket`, labels: { le, route }, value };
      });
      return [
        ...ends,
        { metricName: `${name}_bucket`, labels: { le: '+Inf', route }, value: count },
        { metricName: `${name}_sum`, labels: { route }, value: sum },
        { metricName: `${name}_count`, labels: { route }, value: count },
      ];
    }),
  };
}

function made<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
