// The gauges of sidecars that are asked over mutual TLS, as the gateway asks them.
import assert from 'node:assert/strict'
import type { RequestListener } from 'node:http'
import { test } from 'node:test'
import { SidecarGauges } from '../../../../webhook/gateway/scraping/sidecar-gauges.ts'
import { serveApp } from '../../../support/app.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { certify, podOf, serve, setup } from '../asking/fleet.ts'
import { readExposition } from './exposition.ts'

const ONE = { namespace: 'team-a', minicluster: 'flux-sample' }
const OTHER = { namespace: 'team-b', minicluster: 'flux-sample' }
const IMITATED = { namespace: 'team-c', minicluster: 'flux-sample' }

test('the text has the gauges of each sidecar, and nothing of one with the certificate of another', async (t) => {
  const { get } = await serveApp(t)
  const { headers, text } = await get('/metrics')
  const answer: RequestListener = (_request, response) => {
    response.setHeader('content-type', String(headers['content-type']))
    response.end(text)
  }
  const keys = await Promise.all([certify(ONE), certify(OTHER), certify(ONE)])
  const pods = await Promise.all(
    [ONE, OTHER, IMITATED].map(async (name, index) => {
      const pair = keys[index]
      assert.ok(pair !== undefined)
      const { port } = await serve(t, pair, answer)
      return podOf(name, port)
    }),
  )
  const { asking, peers } = setup(t, { pods })
  const { log } = memoryLog()
  const families = readExposition(
    Buffer.concat(await new SidecarGauges({ peers, sidecars: asking, log }).render()).toString(),
  )
  const samples = families.get('flux_desired_nodes')?.samples ?? []
  assert.deepEqual(
    samples.map(({ labels }) => labels),
    [ONE, OTHER],
  )
  const unscraped = families.get('flux_gateway_sidecars_unscraped')?.samples ?? []
  assert.deepEqual(
    unscraped.filter(({ value }) => value > 0),
    [{ labels: { reason: 'unanswered' }, value: 1 }],
  )
})
