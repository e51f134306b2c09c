// A sidecar whose collector counts as dead, over HTTPS.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger } from '#serving/log.ts'
import { readConfig } from '../../sidecar/config.ts'
import { startSidecar } from '../../sidecar/sidecar.ts'
import { ask } from '../support/https.ts'

/** With these times no attempt can end early enough. */
const IMPOSSIBLE_PACE = { maxAgeMs: -1, callTimeoutMs: 0 }

test('a sidecar whose collector has died is not alive, and its stop is an error, so that it is started again', async () => {
  const place = {
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    FLUX_URI: 'local:///nowhere/local',
  }
  const read = readConfig(place)
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const log = createLogger('silent')
  const sidecar = await startSidecar(read.config, { log, version: '1.2.3', pace: IMPOSSIBLE_PACE })
  const { status, text } = await ask(sidecar.port, '/livez')
  assert.equal(status, 503)
  assert.match(text, /^not alive: no attempt to read Flux has ended for /)
  assert.equal((await ask(sidecar.port, '/readyz')).status, 200)
  await assert.rejects(sidecar.close({ lingerMs: 0 }), /no attempt to read Flux has ended/)
})
