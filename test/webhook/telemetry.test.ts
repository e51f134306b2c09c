import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTelemetry, type ReviewCount, type Telemetry } from '../../webhook/telemetry.ts'

const INJECTION: ReviewCount = {
  decision: 'inject',
  reason: 'Enabled',
  dryRun: false,
  seconds: 0.003,
}

/** The lines of one metric in the Prometheus text. */
async function linesOf({ registry }: Telemetry, name: string): Promise<readonly string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => line.startsWith(name))
}

test('countReview counts by decision, reason and whether it was a dry run', async () => {
  const telemetry = createTelemetry()
  const skipped = { ...INJECTION, decision: 'skip', reason: 'NotEnabled' } as const
  for (const count of [INJECTION, INJECTION, { ...INJECTION, dryRun: true }, skipped]) {
    telemetry.countReview(count)
  }
  const name = 'flux_metrics_webhook_reviews_total'
  assert.deepEqual(await linesOf(telemetry, name), [
    `${name}{decision="inject",reason="Enabled",dry_run="false"} 2`,
    `${name}{decision="inject",reason="Enabled",dry_run="true"} 1`,
    `${name}{decision="skip",reason="NotEnabled",dry_run="false"} 1`,
  ])
})

test('countReview observes how long reviews take', async () => {
  const telemetry = createTelemetry()
  telemetry.countReview(INJECTION)
  telemetry.countReview({ ...INJECTION, seconds: 2.25 })
  const name = 'flux_metrics_webhook_review_duration_seconds'
  const lines = await linesOf(telemetry, name)
  const expected = [
    `${name}_bucket{le="0.0025",reason="Enabled"} 0`,
    `${name}_bucket{le="0.005",reason="Enabled"} 1`,
    `${name}_bucket{le="1",reason="Enabled"} 1`,
    `${name}_bucket{le="2.5",reason="Enabled"} 2`,
    `${name}_sum{reason="Enabled"} 2.253`,
    `${name}_count{reason="Enabled"} 2`,
  ]
  assert.deepEqual(
    lines.filter((line) => expected.includes(line)),
    expected,
  )
})

test('countCertificate counts by outcome', async () => {
  const telemetry = createTelemetry()
  for (const outcome of ['Issued', 'NoToken', 'Issued']) telemetry.countCertificate(outcome)
  const name = 'flux_metrics_webhook_certificates_total'
  assert.deepEqual(await linesOf(telemetry, name), [
    `${name}{reason="Issued"} 2`,
    `${name}{reason="NoToken"} 1`,
  ])
})

test('createTelemetry has gauges of the process as well, in a registry of its own', async () => {
  const [first, second] = [createTelemetry(), createTelemetry()]
  first.countCertificate('Issued')
  assert.deepEqual(await linesOf(second, 'flux_metrics_webhook_certificates_total'), [])
  assert.equal((await linesOf(second, 'process_start_time_seconds')).length, 1)
})

test('render makes the text once a second at most', async (t) => {
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const telemetry = createTelemetry()
  const first = await telemetry.render()
  telemetry.countCertificate('Issued')
  now = 999
  assert.equal(await telemetry.render(), first)
  now = 1_000
  assert.match(await telemetry.render(), /certificates_total\{reason="Issued"\} 1/)
})
