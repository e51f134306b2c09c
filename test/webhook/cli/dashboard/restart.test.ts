// The page about a real sidecar that ends and is started again, and whose broker does.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLogger } from '#serving/log.ts'
import { Instance } from '#simulation/instance.ts'
import { readConfig } from '../../../../sidecar/config.ts'
import { startSidecar } from '../../../../sidecar/sidecar.ts'
import { SidecarData } from '../../../../webhook/cli/dashboard/sidecar-data.ts'
import { httpsGet } from '../../../../webhook/cli/input/cluster/https-get.ts'
import { startBroker } from '../../../support/broker.ts'
import { launchChromium, WITHOUT_CHROMIUM } from '../../../support/dashboard/chromium.ts'
import { show } from '../../../support/dashboard/shown.ts'

test('the page survives a sidecar and a broker that are started again', {
  skip: WITHOUT_CHROMIUM,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dashboard-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const path = join(folder, 'local')
  const instance = new Instance({ maxSize: 4, coresPerNode: 4, up: 2 })
  instance.submit({ nodes: 3 })
  const openBroker = () => startBroker({ path, instance, role: 'owner' })
  const openSidecar = async (port: number) => {
    const result = readConfig({
      FLUX_URI: `local://${path}`,
      LISTEN_PORT: String(port),
      LISTEN_ADDRESS: '127.0.0.1',
    })
    assert.equal(result.kind, 'config')
    return startSidecar(result.config, { log: createLogger('silent'), version: '1.2.3' })
  }
  let broker = await openBroker()
  let sidecar = await openSidecar(0)
  const { port } = sidecar
  t.after(async () => {
    await sidecar.close({ lingerMs: 0 })
    await broker.close()
  })
  const data = new SidecarData({
    version: '1.2.3',
    title: 'flux-sample',
    ask: ({ include }, patience) => {
      const url = new URL(`https://127.0.0.1:${port}/explain?include=${include.join(',')}`)
      return httpsGet(url, { accept: 'application/json', ca: undefined, insecure: true, patience })
    },
    signal: new AbortController().signal,
  })
  const { page } = await show(t, await launchChromium(t), data)
  const headline = page.getByRole('heading', { name: 'Wants 3 nodes, has 2' })
  await headline.waitFor()

  await broker.close()
  await page.getByRole('heading', { name: /^Not known since \d\d:\d\d:\d\d$/ }).waitFor()
  await page.getByText(/Cannot read the state of Flux/).waitFor()
  broker = await openBroker()
  await headline.waitFor()
  await page.locator('.changes').getByText('Flux was read again').waitFor()

  await sidecar.close({ lingerMs: 0 })
  await page.getByText(/nothing listens at 127\.0\.0\.1/).waitFor()
  assert.equal(await headline.count(), 0)
  sidecar = await openSidecar(port)
  await headline.waitFor()
  // The new sidecar has not seen it; the page has.
  await page.locator('.changes').getByText('Flux was read again').waitFor()
  assert.equal(await page.locator('.changes').getByText('the sidecar started').count(), 2)
})
