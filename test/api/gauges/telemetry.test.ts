import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTelemetry } from '#api/gauges/telemetry.ts'
import { parseIdset } from '#flux/sets/idset.ts'
import type { ClientVerifier } from '#serving/https/client-verifier.ts'
import { fresh, STALE, serveApp } from '../../support/app.ts'
import { jobCounts, ranksWith, snapshotOf } from '../../support/snapshots.ts'

/** The samples of a metric, without its comments: `flux_nodes{state="up"} 10`. */
function samplesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
}

async function scrape(app: Awaited<ReturnType<typeof serveApp>>, name: string) {
  return samplesOf((await app.get('/metrics')).text, name)
}

function sum(samples: readonly string[]): number {
  return samples.reduce((total, sample) => total + Number(sample.split(' ').at(-1)), 0)
}

test('/metrics is text in Prometheus’ format', async (t) => {
  const app = await serveApp(t)
  const { code, headers, text } = await app.get('/metrics')
  assert.equal(code, 200)
  assert.equal(headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  assert.match(text, /^# HELP flux_nodes /m)
})

test('/metrics has nodes, cores and GPUs by state', async (t) => {
  const app = await serveApp(t)
  const { text } = await app.get('/metrics')
  assert.deepEqual(samplesOf(text, 'flux_nodes'), [
    'flux_nodes{state="total"} 16',
    'flux_nodes{state="up"} 10',
    'flux_nodes{state="down"} 6',
    'flux_nodes{state="allocated"} 7',
    'flux_nodes{state="free"} 5',
    'flux_nodes{state="idle"} 3',
    'flux_nodes{state="drained"} 2',
  ])
  assert.deepEqual(samplesOf(text, 'flux_cores'), [
    'flux_cores{state="total"} 128',
    'flux_cores{state="up"} 80',
    'flux_cores{state="allocated"} 44',
    'flux_cores{state="free"} 36',
  ])
  assert.deepEqual(samplesOf(text, 'flux_gpus'), [
    'flux_gpus{state="total"} 32',
    'flux_gpus{state="up"} 20',
    'flux_gpus{state="allocated"} 11',
    'flux_gpus{state="free"} 9',
  ])
})

/** The samples of the gauges of sizes, one for each gauge. */
const SIZES = [
  ...['desired', 'floor', 'demand', 'pending', 'stranded', 'own_drained', 'lost'].map(
    (size) => `flux_${size}_nodes`,
  ),
  ...['infeasible', 'refused', 'unhelped'].map((kind) => `flux_${kind}_jobs`),
]

test('/metrics has the sizes and their causes', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({
    allocated: ranksWith('0-2,6', { cores: '0-7' }),
    ranks: { ...snapshotOf().ranks, ownDrained: parseIdset('8-9') },
    lost: parseIdset('4'),
  })
  const { text } = await app.get('/metrics')
  assert.deepEqual(
    SIZES.flatMap((name) => samplesOf(text, name)),
    [
      'flux_desired_nodes 7',
      'flux_floor_nodes 7',
      'flux_demand_nodes 4',
      'flux_pending_nodes 0',
      'flux_stranded_nodes 3',
      'flux_own_drained_nodes 2',
      'flux_lost_nodes 1',
      'flux_infeasible_jobs 0',
      'flux_refused_jobs 0',
      'flux_unhelped_jobs 0',
    ],
  )
})

test('/metrics has no samples of unknown sizes', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ waiting: { kind: 'unknown', reason: 'private' } })
  const { text } = await app.get('/metrics')
  assert.deepEqual(
    SIZES.flatMap((name) => samplesOf(text, name)),
    ['flux_own_drained_nodes 0', 'flux_lost_nodes 0'],
  )
})

test('flux_jobs adds up to the jobs of the instance, including those without a queue', async (t) => {
  const app = await serveApp(t)
  const queues = new Map([
    ['batch', jobCounts(10)],
    ['debug', jobCounts(20)],
  ])
  app.reading = fresh({ jobs: { kind: 'known', total: jobCounts(50), queues } })
  const samples = await scrape(app, 'flux_jobs')
  const running = samples.filter((sample) => sample.includes('state="run"'))
  assert.deepEqual(running, [
    'flux_jobs{state="run",queue="batch"} 14',
    'flux_jobs{state="run",queue="debug"} 24',
    'flux_jobs{state="run",queue=""} 16',
  ])
  assert.equal(samples.length, 7 * 3)
  assert.equal(sum(samples), 50 + 51 + 52 + 53 + 54 + 55 + 56)
})

test('flux_jobs_ended counts jobs by result', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'known', total: jobCounts(0), queues: new Map() } })
  assert.deepEqual(await scrape(app, 'flux_jobs_ended'), [
    'flux_jobs_ended{result="successful",queue=""} 7',
    'flux_jobs_ended{result="failed",queue=""} 8',
    'flux_jobs_ended{result="canceled",queue=""} 9',
    'flux_jobs_ended{result="timeout",queue=""} 10',
  ])
})

test('jobs that Flux hides have no samples', async (t) => {
  const app = await serveApp(t)
  app.reading = fresh({ jobs: { kind: 'unknown', reason: 'private' } })
  const { text } = await app.get('/metrics')
  assert.deepEqual(samplesOf(text, 'flux_jobs'), [])
  assert.equal(samplesOf(text, 'flux_nodes').length, 7)
})

test('while the reading is stale the gauges of Flux have no samples', async (t) => {
  const app = await serveApp(t)
  await app.get('/metrics')
  app.reading = STALE
  const { text } = await app.get('/metrics')
  const names = ['flux_nodes', 'flux_cores', 'flux_gpus', 'flux_jobs', 'flux_jobs_ended', ...SIZES]
  assert.deepEqual(
    names.flatMap((name) => samplesOf(text, name)),
    [],
  )
})

test('flux_snapshot_fresh is 1 or 0', async (t) => {
  const app = await serveApp(t)
  assert.deepEqual(await scrape(app, 'flux_snapshot_fresh'), ['flux_snapshot_fresh 1'])
  app.reading = STALE
  assert.deepEqual(await scrape(app, 'flux_snapshot_fresh'), ['flux_snapshot_fresh 0'])
})

test('flux_snapshot_age_seconds has the age of a stale snapshot, too', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: new Date('2026-11-24T01:03:03.456Z') })
  const app = await serveApp(t)
  assert.deepEqual(await scrape(app, 'flux_snapshot_age_seconds'), ['flux_snapshot_age_seconds 60'])
  app.reading = STALE
  assert.deepEqual(await scrape(app, 'flux_snapshot_age_seconds'), ['flux_snapshot_age_seconds 60'])
})

test('flux_snapshot_age_seconds is absent before the first reading', async (t) => {
  const app = await serveApp(t)
  app.reading = { kind: 'stale', reason: 'no broker yet', since: undefined }
  assert.deepEqual(await scrape(app, 'flux_snapshot_age_seconds'), [])
})

test('the collector’s work is counted', async () => {
  const telemetry = createTelemetry()
  telemetry.connected()
  telemetry.refreshed(20)
  telemetry.refreshed(30)
  telemetry.disconnected()
  telemetry.failed('FLUX_CONNECT')
  telemetry.failed('FLUX_CONNECT')
  telemetry.connected()
  const text = await telemetry.registry.metrics()
  assert.deepEqual(samplesOf(text, 'flux_refresh_duration_seconds_count'), [
    'flux_refresh_duration_seconds_count 2',
  ])
  assert.deepEqual(samplesOf(text, 'flux_refresh_duration_seconds_sum'), [
    'flux_refresh_duration_seconds_sum 0.05',
  ])
  assert.deepEqual(samplesOf(text, 'flux_refresh_failures_total'), [
    'flux_refresh_failures_total{code="FLUX_CONNECT"} 2',
  ])
  assert.deepEqual(samplesOf(text, 'flux_reconnects_total'), ['flux_reconnects_total 1'])
  assert.deepEqual(samplesOf(text, 'flux_connected'), ['flux_connected 1'])
})

test('answers with numbers are counted by their reader, from 0 on', async (t) => {
  const clients: ClientVerifier = {
    verify: () => ({ kind: 'verified', name: 'front-proxy-client' }),
  }
  const app = await serveApp(t, { clients })
  const counts = () => scrape(app, 'flux_answers_total')
  assert.deepEqual(await counts(), [
    'flux_answers_total{reader="hpa"} 0',
    'flux_answers_total{reader="other"} 0',
  ])
  const metrics = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/metrics'
  const user = 'system:serviceaccount:kube-system:horizontal-pod-autoscaler'
  await app.get(`${metrics}/node_desired_count`, { 'X-Remote-User': user })
  await app.get(`${metrics}/node_desired_count`, { 'X-Remote-User': user })
  await app.get(`${metrics}/node_desired_count`)
  assert.deepEqual(await counts(), [
    'flux_answers_total{reader="hpa"} 2',
    'flux_answers_total{reader="other"} 1',
  ])
})

test('requests are counted by the pattern of their route and by code', async (t) => {
  const app = await serveApp(t)
  const path = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/metrics'
  const pattern = '/apis/custom.metrics.k8s.io/v1beta2/namespaces/:namespace/metrics/:metric'
  await app.get(`${path}/node_up_count`)
  await app.get(`${path}/node_down_count`)
  await app.get(`${path}/nosuch`)
  await app.get('/nowhere')
  await app.ask('POST', `${path}/node_up_count`)
  assert.deepEqual((await scrape(app, 'http_request_duration_seconds_count')).sort(), [
    `http_request_duration_seconds_count{route="${pattern}",code="200"} 2`,
    `http_request_duration_seconds_count{route="${pattern}",code="404"} 1`,
    'http_request_duration_seconds_count{route="none",code="404"} 1',
    'http_request_duration_seconds_count{route="none",code="405"} 1',
  ])
})

test('/metrics has the gauges of the process', async (t) => {
  const app = await serveApp(t)
  const { text } = await app.get('/metrics')
  for (const name of [
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'process_start_time_seconds',
    'nodejs_heap_size_used_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    assert.equal(samplesOf(text, name).length, 1, name)
  }
})
