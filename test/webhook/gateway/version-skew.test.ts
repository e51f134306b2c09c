// A gateway and a sidecar of different versions, over mutual TLS: an older sidecar, as it was recorded, is asked by the gateway of
// today, and the sidecar of today is asked what the oldest gateway was recorded to ask.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { readConfig } from '../../../sidecar/config.ts'
import { startSidecar } from '../../../sidecar/sidecar.ts'
import { SidecarGauges } from '../../../webhook/gateway/scraping/sidecar-gauges.ts'
import { awaitedLog } from '../../support/awaited-log.ts'
import { createTestCluster, TEST_PACE } from '../../support/cluster.ts'
import { ask } from '../../support/https.ts'
import { memoryLog } from '../../support/memory-log.ts'
import {
  PATHS,
  type PeerAnswer,
  RECORDED,
  readGateway,
  readSidecar,
  type SidecarRecording,
} from '../../support/peers/peer-recordings.ts'
import { CA, certify, GATEWAY, podOf, serve, setup } from './asking/fleet.ts'
import { serveRoutes } from './routing/served.ts'
import { readExposition } from './scraping/exposition.ts'

const { requests } = readGateway()
const { answers } = readSidecar()
const ABOUT = 'MiniCluster team-a/flux-sample: its sidecar says: '

/** The recorded answer to a path; to an unknown one none. */
function answerTo(
  state: keyof SidecarRecording['answers'],
  path: string | undefined,
  accept = '*/*',
): PeerAnswer | undefined {
  const index = requests.findIndex((one) => one.path === path && one.headers.accept === accept)
  return answers[state][index]
}

/** A gateway in front of an older sidecar. */
async function startOlder(t: TestContext, state: keyof SidecarRecording['answers']) {
  const unplayed: string[] = []
  const play: RequestListener = ({ url, headers, socket }, response) => {
    assert.ok('authorized' in socket && socket.authorized === true)
    const answer = answerTo(state, url, headers.accept)
    if (answer === undefined) unplayed.push(`${url} (${headers.accept})`)
    const { status = 599, headers: kept = {}, body = '' } = answer ?? {}
    response.writeHead(status, kept).end(body)
  }
  const { port } = await serve(t, await certify(RECORDED), play)
  const { asking, peers } = setup(t, { pods: [podOf(RECORDED, port)] })
  const { get } = await serveRoutes(t, {
    miniclusters: [`${RECORDED.namespace}/${RECORDED.minicluster}`],
    answer: (question) => asking.ask(question),
  })
  const gauges = new SidecarGauges({ peers, sidecars: asking, log: memoryLog().log })
  return { get, gauges, unplayed }
}

/** What a sidecar is asked for a path of the gateway. */
function askedFor(path: string): PeerAnswer {
  const { minicluster } = RECORDED
  const accept = path.includes('/explain') ? 'application/json' : '*/*'
  const sent = path.replace('flux-framework.org/*/', `flux-framework.org/${minicluster}/`)
  return answerTo('fresh', sent, accept) ?? assert.fail(`nothing is recorded for ${path}`)
}

test('an older sidecar answers the gateway as it answered the API server', async (t) => {
  const { get, gauges, unplayed } = await startOlder(t, 'fresh')
  for (const path of PATHS) {
    const { code, text } = await get(path, { headers: { accept: 'application/json' } })
    assert.deepEqual(unplayed, [])
    const { status, body } = askedFor(path)
    assert.equal(code, status, path)
    if (status !== 200) assert.equal(messageIn(text), `${ABOUT}${messageIn(body)}`)
    else if (path.endsWith('format=text')) assert.equal(text, body)
    else {
      // An explanation has beside the sidecar's words what the gateway knows of the pods.
      const { pods: _ofTheGateway, notices = [], ...own } = JSON.parse(text)
      assert.deepEqual(own, JSON.parse(body), path)
      assert.deepEqual(notices, [], path)
    }
  }
  const families = readExposition(Buffer.concat(await gauges.render()).toString())
  assert.deepEqual(families.get('flux_desired_nodes')?.samples, [{ labels: RECORDED, value: 4 }])
  assert.deepEqual(families.get('flux_gateway_sidecar_lines_dropped')?.samples[0]?.value, 0)
})

test('an older sidecar that has not read Flux yet says so', async (t) => {
  const { get } = await startOlder(t, 'unread')
  for (const path of PATHS.filter((one) => !one.includes('of_a_user'))) {
    const { code, text } = await get(path)
    assert.equal(code, 503, path)
    assert.match(messageIn(text), /its sidecar says: Cannot read the state of Flux/, path)
  }
})

test('an older sidecar that does not know the gateway yet is waited for', async (t) => {
  const { get } = await startOlder(t, 'unknown')
  for (const path of PATHS) {
    const { code, text } = await get(path)
    assert.equal(code, 503, path)
    assert.match(messageIn(text), /it does not know the gateway yet/, path)
  }
})

/** A sidecar of today beside the Flux that the older one had. Returns its port. */
async function startToday(t: TestContext): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'skew-'))
  t.after(() => rm(folder, { recursive: true }))
  const { cert, key } = await certify(RECORDED)
  for (const [name, text] of Object.entries({ cert, key, ca: CA.cert }))
    await writeFile(join(folder, name), text)
  const flux = await createTestCluster(t, { gpusPerNode: 0, up: 3 })
  await flux.startBroker()
  for (const nodes of [2, 2]) flux.instance.submit({ nodes })
  const read = readConfig({
    FLUX_URI: `local://${flux.path}`,
    LISTEN_ADDRESS: '127.0.0.1',
    LISTEN_PORT: '0',
    TLS_CERT_FILE: join(folder, 'cert'),
    TLS_KEY_FILE: join(folder, 'key'),
    CLIENT_CA_FILE: join(folder, 'ca'),
    CLIENT_ALLOWED_NAMES: 'front-proxy-client,flux-metrics-gateway',
    NAMESPACE: RECORDED.namespace,
    MINICLUSTER: RECORDED.minicluster,
    EXTERNAL_METRICS: 'true',
  })
  if (read.kind === 'problems') assert.fail(read.problems.join())
  const { log, logged } = awaitedLog()
  const begun = logged('stale → fresh: read Flux')
  const sidecar = await startSidecar(read.config, { log, version: '9.9.9', pace: TEST_PACE })
  t.after(() => sidecar.close({ lingerMs: 0 }))
  await begun
  return sidecar.port
}

test('the sidecar of today answers the oldest gateway what it reads', async (t) => {
  const port = await startToday(t)
  for (const [index, { path, headers }] of requests.entries()) {
    const answer = await ask(port, path, { headers, client: GATEWAY })
    const older = answers.fresh[index] ?? assert.fail(`nothing is recorded for ${path}`)
    assert.equal(answer.status, older.status, `${path}: ${answer.text}`)
    const type = 'content-type'
    assert.equal(answer.headers[type], older.headers[type], path)
    assert.deepEqual(lacking(older.body, answer.text), [], path)
  }
})

/** What the answer of an older sidecar has, and this has not: fields of JSON, gauges of a page. Values may differ. */
function lacking(older: string, newer: string): readonly string[] {
  if (older.startsWith('{'))
    return fieldsOf(JSON.parse(older)).filter(isNotIn(fieldsOf(JSON.parse(newer))))
  const families = (page: string) => page.match(/^# TYPE flux_\S+ \w+$/gm) ?? []
  return families(older).filter(isNotIn(families(newer)))
}

function isNotIn(texts: readonly string[]): (text: string) => boolean {
  const known = new Set(texts)
  return (text) => !known.has(text)
}

/** The paths of all fields with the types of their values; those of a metric's name and object with their values. */
function fieldsOf(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((one) => fieldsOf(one, `${path}[]`))
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, one]) => fieldsOf(one, `${path}.${name}`))
  }
  const isFixed = /^\.(kind|apiVersion|code|reason)$|\.(describedObject|metric|metricName)\b/.test(
    path,
  )
  return [`${path}: ${isFixed ? value : typeof value}`]
}

function messageIn(text: string): string {
  return JSON.parse(text).message
}
