// A whole webhook over an API server in memory, which programs of this process reach by the name of its Service.
import assert from 'node:assert/strict'
import dns from 'node:dns'
import type { TestContext } from 'node:test'
import { readConfig } from '../../webhook/config.ts'
import { startWebhook } from '../../webhook/webhook.ts'
import { awaitedLog } from '../support/awaited-log.ts'
import type { MemoryCluster } from '../support/memory-cluster.ts'

export const HOST = 'flux-metrics-webhook.flux-metrics.svc'

type Found = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void

/** Starts the webhook of a cluster, until the test ends; its Service's name leads to it. */
export async function namedWebhook(t: TestContext, cluster: MemoryCluster) {
  const read = readConfig({
    SIDECAR_IMAGE: 'sidecar:1',
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    CERTIFICATES_PORT: '0',
    HEALTH_PORT: '0',
    KUBERNETES_SERVICE_HOST: '10.96.0.1',
  })
  assert.ok(read.kind === 'config')
  const { log, lines, logged } = awaitedLog()
  const readVersion = async () => ({ major: 1, minor: 36 })
  const webhook = await startWebhook(read.config, { cluster, readVersion, version: '1.2.3', log })
  t.after(async () => {
    t.mock.timers.reset()
    await webhook.close({ lingerMs: 0 })
  })
  const { lookup } = dns
  const here = [{ address: '127.0.0.1', family: 4 }]
  t.mock.method(dns, 'lookup', (name: string, options: dns.LookupAllOptions, callback: Found) =>
    name === HOST ? callback(null, here) : lookup(name, options, callback),
  )
  return { webhook, lines, logged }
}
