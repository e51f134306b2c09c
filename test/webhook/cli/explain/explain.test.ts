import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { parse } from 'yaml'
import { createApp } from '#api/app.ts'
import { FRONT_PROXY } from '#api/front-proxy.ts'
import { createTelemetry } from '#api/gauges/telemetry.ts'
import { explain } from '#explaining/explanation.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { formatExplanation } from '#explaining/text.ts'
import { Catalog } from '#metrics/catalog.ts'
import type { Reading } from '#scaling/snapshot.ts'
import { createClientVerifier } from '#serving/https/client-verifier.ts'
import { HttpsServer } from '#serving/https/server.ts'
import { createLogger } from '#serving/log.ts'
import { EXPLAIN } from '../../../../webhook/cli/explain/explain.ts'
import { fresh, IDENTITY, STALE } from '../../../support/app.ts'
import { createAuthority } from '../../../support/certificates.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'
import { snapshotOf } from '../../../support/snapshots.ts'
import { waitingFor, wholeNodes } from '../../../support/waiting.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'

const KUBECONFIG = 'contexts: [{name: c}]'
const NOW = new Date('2026-11-24T01:02:05.456Z')

async function run(args: readonly string[], options: MemoryIoOptions = {}) {
  const { io, written } = createMemoryIo(options)
  const code = await EXPLAIN.run(args, io)
  return { code, ...written }
}

const PATH = 'namespaces/default/miniclusters.flux-framework.org/flux-sample/explain'
const TEXT = `get --raw /apis/custom.metrics.k8s.io/v1beta2/${PATH}?format=text`

test('explain asks the metrics API with kubectl, and prints the text', async (t) => {
  const env = await fakeKubectl(t, { args: TEXT, out: 'desired 10: …\n' })
  const expected = { code: 0, out: 'desired 10: …\n', err: '' }
  assert.deepEqual(await run(['flux-sample'], { env }), expected)
})

test('explain --jobs asks for the pending jobs, too', async (t) => {
  const env = await fakeKubectl(t, { args: `${TEXT}&include=jobs`, out: 'desired 10: …\n' })
  const { code, out } = await run(['flux-sample', '--jobs'], { env })
  assert.deepEqual([code, out], [0, 'desired 10: …\n'])
  const url = await serveSidecar(t, { reading: fresh({ waiting: waitingFor(wholeNodes(3)) }) })
  const json = await run(['--url', url, '--insecure', '--jobs', '--json'])
  assert.equal(JSON.parse(json.out).jobs.first[0].id, 'ƒ2')
})

test('explain passes cluster and namespace to kubectl', async (t) => {
  const args = `--kubeconfig=k --context=c ${TEXT.replace('/default/', '/hpc/')}`
  const env = await fakeKubectl(t, { args, out: 'desired 10: …\n' })
  const flags = ['-n', 'hpc', '--kubeconfig', 'k', '--context', 'c']
  const { code, out } = await run([...flags, 'flux-sample'], { env, files: { k: KUBECONFIG } })
  assert.deepEqual([code, out], [0, 'desired 10: …\n'])
})

test('explain asks for the namespace of the context', async (t) => {
  const env = await fakeKubectl(t, {
    namespace: 'hpc',
    args: TEXT.replace('/default/', '/hpc/'),
    out: 'desired 10: …\n',
  })
  const { code, out } = await run(['flux-sample'], { env })
  assert.deepEqual([code, out], [0, 'desired 10: …\n'])
})

test('explain without a context says how to choose one', async (t) => {
  const env = await fakeKubectl(t, { namespace: undefined, args: TEXT })
  const { code, err } = await run(['flux-sample'], { env })
  const reason =
    'kubectl has no context to use: choose a file with --kubeconfig or KUBECONFIG, or a context of it with --context; in a pod, give the namespace with -n (error: no context)'
  assert.deepEqual([code, err], [1, `flux-metrics explain: ${reason}\n`])
})

for (const flags of ['--json', '-o json', '--output=json']) {
  test(`explain ${flags} prints the answer of the metrics API`, async (t) => {
    const env = await fakeKubectl(t, {
      args: TEXT.replace('?format=text', ''),
      out: '{"desired":10}',
    })
    const { code, out } = await run(['flux-sample', ...flags.split(' ')], { env })
    assert.deepEqual([code, out], [0, '{"desired":10}\n'])
  })
}

test('explain prints why kubectl got no answer', async (t) => {
  const err = 'Error from server (ServiceUnavailable): Cannot read the state of Flux: no broker\n'
  const env = await fakeKubectl(t, { args: TEXT, err, code: 1 })
  const expected = { code: 1, out: '', err: `flux-metrics explain: ${err}` }
  assert.deepEqual(await run(['flux-sample'], { env }), expected)
})

for (const [text, flags] of [
  ['<html>log in</html>', ''],
  ['{}', ''],
  ['', ''],
  ['<html>log in</html>', '-o json'],
  ['7', '-o yaml'],
  ['[]', '-o json'],
  [`{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, '-o yaml'],
] as const) {
  test(`explain ${flags} takes ${JSON.stringify(text.slice(0, 30))} for no explanation`, async (t) => {
    const args = flags === '' ? TEXT : TEXT.replace('?format=text', '')
    const env = await fakeKubectl(t, { args, out: text })
    const { code, out, err } = await run(['flux-sample', ...flags.split(' ').filter(Boolean)], {
      env,
    })
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /the answer is no explanation: is this the API server, or the sidecar\?\n$/)
  })
}

const HIDDEN = 'job\u202eneddih\u200b\u001b[2J'

test('explain shows characters that are not seen as escapes, in each format', async (t) => {
  const shown = 'job\\u{202e}neddih\\u{200b}\\u{1b}[2J'
  const asked = async (args: string, out: string, flags: readonly string[]) =>
    (await run(['flux-sample', ...flags], { env: await fakeKubectl(t, { args, out }) })).out
  assert.equal(await asked(TEXT, `${HIDDEN}\nread\n`, []), `${shown}\nread\n`)
  const json = JSON.stringify({ a: HIDDEN }, undefined, 2)
  const asJson = await asked(TEXT.replace('?format=text', ''), json, ['--json'])
  assert.equal(asJson, '{\n  "a": "job\\u202eneddih\\u200b\\u001b[2J"\n}\n')
  assert.deepEqual(JSON.parse(asJson), { a: HIDDEN })
  const asYaml = await asked(TEXT.replace('?format=text', ''), json, ['-o', 'yaml'])
  assert.deepEqual(parse(asYaml), { a: shown })
  const env = await fakeKubectl(t, { args: TEXT, err: `${HIDDEN}\nagain\n`, code: 1 })
  const { err } = await run(['flux-sample'], { env })
  assert.equal(err, `flux-metrics explain: ${shown}\nagain\n`)
})

for (const [err, why] of [
  [
    'Error from server (NotFound): the server could not find the requested resource',
    'nobody serves custom metrics here',
  ],
  [
    'Error from server (NotFound): the server could not find the metric explain for miniclusters.flux-framework.org flux-sample',
    'another adapter serves custom metrics',
  ],
  [
    'Error from server (ServiceUnavailable): the server is currently unable to handle the request',
    'what should serve custom metrics does not answer',
  ],
] as const) {
  test(`explain says that ${why}, and what to do`, async (t) => {
    const env = await fakeKubectl(t, { args: TEXT, err: `${err}\n`, code: 1 })
    const cure = '"flux-metrics doctor" says what is missing'
    assert.equal(
      (await run(['flux-sample'], { env })).err,
      `flux-metrics explain: ${why}; ${cure} (${err})\n`,
    )
  })
}

test('explain reports a missing kubectl', async () => {
  const { code, err } = await run(['flux-sample'], { env: { PATH: '/nowhere' } })
  assert.deepEqual([code, err], [1, 'flux-metrics explain: there is no kubectl in PATH\n'])
})

const authority = await createAuthority('test')
const PAIR = await authority.issue({ commonName: 'sidecar', ips: ['127.0.0.1'] })
const FILES = { 'ca.pem': authority.cert, 'other.pem': (await createAuthority('other')).cert }

/** The sidecar's own server and app. @returns its URL */
async function serveSidecar(
  t: TestContext,
  { reading = fresh(), clientCa }: { readonly reading?: Reading; readonly clientCa?: string } = {},
): Promise<string> {
  const log = createLogger('silent')
  const app = createApp({
    source: { reading: () => reading },
    lastHour: new LastHour(Date.now()),
    catalog: new Catalog(),
    names: IDENTITY,
    clients: clientCa === undefined ? undefined : createClientVerifier(() => [], FRONT_PROXY),
    telemetry: createTelemetry(),
    readiness: () => ({ ready: true, message: 'serving' }),
    external: false,
    version: '1.2.3',
    log,
  })
  const credentials = { ...PAIR, clientCa }
  const server = new HttpsServer({ handler: app.callback(), credentials, log })
  const { port } = await server.listen({ port: 0, address: '127.0.0.1' })
  t.after(() => server.drain(0))
  return `https://127.0.0.1:${port}`
}

test('explain --url asks a sidecar and verifies its certificate', async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: NOW })
  const url = await serveSidecar(t)
  const explanation = explain(snapshotOf(), NOW)
  const text = await run(['--url', url, '--ca', 'ca.pem'], { files: FILES })
  assert.deepEqual(text, { code: 0, out: formatExplanation(explanation), err: '' })
  const json = await run(['--url', `${url}/`, '--ca', 'ca.pem', '--json'], { files: FILES })
  assert.deepEqual([json.code, JSON.parse(json.out)], [0, explanation])
  const yaml = await run(['--url', url, '--ca', 'ca.pem', '-o', 'yaml'], { files: FILES })
  assert.deepEqual([yaml.code, parse(yaml.out)], [0, explanation])
})

test('explain --url trusts no other certificate without --insecure', async (t) => {
  const url = await serveSidecar(t)
  for (const ca of [[], ['--ca', 'other.pem']]) {
    const { code, out, err } = await run(['--url', url, ...ca], { files: FILES })
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /certificate of the sidecar .*: name its CA with --ca, or use --insecure\n$/)
  }
  for (const flag of ['--insecure', '--insecure-skip-tls-verify']) {
    assert.equal((await run(['--url', url, flag])).code, 0)
  }
  const args = ['--url', url, '--certificate-authority', 'ca.pem']
  assert.equal((await run(args, { files: FILES })).code, 0)
})

test('explain --url prints the error of the sidecar', async (t) => {
  const stale = await serveSidecar(t, { reading: STALE })
  const { code, err } = await run(['--url', stale, '--insecure'])
  assert.equal(code, 1)
  assert.match(err, /: Cannot read the state of Flux: the broker closed the connection/)
  const closed = await serveSidecar(t, { clientCa: authority.cert })
  const refused = await run(['--url', closed, '--insecure'])
  assert.equal(refused.code, 1)
  assert.match(refused.err, /: Cannot authenticate the client: it sent no certificate; use kubectl/)
})

test('explain --url reports a refused connection and a missing file', async () => {
  const closed = await run(['--url', 'https://127.0.0.1:1', '--insecure'])
  assert.equal(closed.code, 1)
  const nobody =
    'nothing listens at 127.0.0.1:1: is the port right, and does the sidecar run? (ECONNREFUSED)'
  assert.equal(closed.err, `flux-metrics explain: ${nobody}\n`)
  const command = ['--url', 'https://127.0.0.1:1', '--ca', 'key.pem']
  const other = await run(command, { files: { 'key.pem': '-----BEGIN PRIVATE KEY-----' } })
  const none = 'flux-metrics explain: key.pem: expected CA certificates (PEM), found none\n'
  assert.deepEqual([other.code, other.err], [1, none])
  const missing = await run(['--url', 'https://127.0.0.1:1', '--ca', 'gone.pem'])
  const err = 'flux-metrics explain: Cannot read gone.pem: no such file or directory\n'
  assert.deepEqual([missing.code, missing.err], [1, err])
})

for (const [args, problem] of [
  ['', 'expected the name of a MiniCluster'],
  ['a b', 'expected one MiniCluster, got a b'],
  ['a --url https://b', 'expected a MiniCluster or --url, got both'],
  ['A', 'expected a name of lower-case letters, digits and "-", got "A"'],
  ['a -n ../b', '--namespace: expected a name of lower-case letters, digits and "-", got "../b"'],
  ['--url http://a', '--url: expected https://HOST:PORT, got "http://a"'],
  ['--url https://a/explain', '--url: expected https://HOST:PORT, got "https://a/explain"'],
  ['--url a', '--url: expected https://HOST:PORT, got "a"'],
  ['a --ca b', '--ca: cannot be used without --url'],
  ['a --insecure', '--insecure: cannot be used without --url'],
  ['--url https://a -n b', '--namespace: cannot be used with --url'],
  ['a -o xml', '--output: expected text, json or yaml, got "xml"'],
  ['a --yaml', "Unknown option '--yaml'"],
] as const) {
  test(`explain ${args} is refused as wrong usage`, async () => {
    const { code, out, err } = await run(args.split(' ').filter((arg) => arg !== ''))
    assert.deepEqual([code, out], [2, ''])
    const lines = [`flux-metrics explain: ${problem}`, 'See flux-metrics explain --help', '']
    assert.deepEqual(err.split('\n'), lines)
  })
}
