import { describe, expect, test } from '@jest/globals';
import { exposition, openMetrics } from '../../server/watch/metrics.ts';

describe('the metrics of two web threads', () => {
  test('are one text: counts are added, and a duration is in every bucket that is long enough', async () => {
    const [one, other] = [openMetrics(), openMetrics()];
    one.request('/xds/registry', 200, 0.002);
    one.request('/xds/registry', 200, 0.03);
    one.request('/xds/registry', 500, 0.1);
    other.request('/xds/registry', 200, 60);
    other.request('/fhir', 404, 0.001);
    const lines = (await exposition([await one.snapshot(), await other.snapshot()])).split('\n');
    one.stop();
    other.stop();
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE opendmp_requests_total counter',
        'opendmp_requests_total{route="/xds/registry",status="200"} 3',
        'opendmp_requests_total{route="/xds/registry",status="500"} 1',
        'opendmp_requests_total{route="/fhir",status="404"} 1',
        '# TYPE opendmp_request_duration_seconds histogram',
        'opendmp_request_duration_seconds_bucket{le="0.001",route="/xds/registry"} 0',
        'opendmp_request_duration_seconds_bucket{le="0.0025",route="/xds/registry"} 1',
        'opendmp_request_duration_seconds_bucket{le="0.05",route="/xds/registry"} 2',
        'opendmp_request_duration_seconds_bucket{le="0.1",route="/xds/registry"} 3',
        'opendmp_request_duration_seconds_bucket{le="5",route="/xds/registry"} 3',
        'opendmp_request_duration_seconds_bucket{le="+Inf",route="/xds/registry"} 4',
        'opendmp_request_duration_seconds_count{route="/xds/registry"} 4',
        'opendmp_request_duration_seconds_bucket{le="0.001",route="/fhir"} 1',
      ]),
    );
    expect(
      lines.find((line) => line.startsWith('opendmp_request_duration_seconds_sum{route="/xds/registry"}')),
    ).toMatch(/ 60\.132$/);
    expect(lines.some((line) => line.startsWith('opendmp_process_resident_memory_bytes '))).toBe(true);
    expect(lines.some((line) => line.startsWith('opendmp_loop_delay_p99_seconds '))).toBe(true);
  });

  test('say once what is of the whole process', async () => {
    const threads = [openMetrics(), openMetrics(), openMetrics()];
    const lines = (await exposition(await Promise.all(threads.map((thread) => thread.snapshot())))).split('\n');
    for (const thread of threads) thread.stop();
    const resident = lines.find((line) => line.startsWith('opendmp_process_resident_memory_bytes '))?.split(' ')[1];
    const { rss } = process.memoryUsage();
    expect(Number(resident)).toBeGreaterThan(rss / 2);
    expect(Number(resident)).toBeLessThan(rss * 2);
  });

  test('are empty where nothing was asked', async () => {
    const metrics = openMetrics();
    const text = await exposition([await metrics.snapshot()]);
    metrics.stop();
    expect(text).toContain('# TYPE opendmp_requests_total counter');
    expect(text).not.toContain('opendmp_requests_total{');
  });
});
