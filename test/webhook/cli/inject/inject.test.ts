import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { runCommand } from '../../../../webhook/cli/commands.ts'
import { SIDECAR_IMAGE } from '../../../../webhook/cli/inject/inject.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'
import { recordedText } from '../sources.ts'

const MINICLUSTER = recordedText('operator/minicluster-after-resize.json')

async function inject(args: readonly string[], options: MemoryIoOptions = {}) {
  const { io, written } = createMemoryIo(options)
  const code = await runCommand(['inject', ...args], io)
  return { code, ...written }
}

for (const [args, problem] of [
  [['--difff'], "Unknown option '--difff'"],
  [['file.yaml'], "Unexpected argument 'file.yaml': name a file with -f"],
  [['-f'], "Option '-f, --filename <value>' argument missing"],
  [['--kubernetes', 'new'], '--kubernetes: expected a version such as 1.32, got "new"'],
  [['--output', 'xml'], '--output: expected yaml or json, got "xml"'],
  [
    ['-n', 'Bad NS'],
    '--namespace: expected a name of lower-case letters, digits and "-", got "Bad NS"',
  ],
  [['--image', 'a b'], '--image: expected an image, got "a b"'],
  [['--webhook-url', 'http://a'], '--webhook-url: expected an https URL or none, got "http://a"'],
] as const) {
  test(`inject ${args.join(' ')} is refused`, async () => {
    const err = `flux-metrics inject: ${problem}\nSee flux-metrics inject --help\n`
    assert.deepEqual(await inject(args, { input: MINICLUSTER }), { code: 2, out: '', err })
  })
}

test('inject reports all problems of all files, and prints no pod', async () => {
  const files = { a: 'a: b: c', b: MINICLUSTER, c: '' }
  const { code, out, err } = await inject(['-f', 'a', '-f', 'b', '-f', 'c', '-f', 'd'], { files })
  assert.equal(code, 2)
  assert.equal(out, '')
  assert.deepEqual(err.split('\n'), [
    'Cannot read d: no such file or directory',
    'a:1:4: Nested mappings are not allowed in compact mappings',
    'c: expected Kubernetes objects, found nothing',
    '',
  ])
})

test('inject names standard input <stdin> in problems', async () => {
  const { err } = await inject([], { input: 'kind: 1' })
  assert.equal(err, '<stdin>:1:1: expected an object with apiVersion and kind\n')
})

test('inject reviews MiniClusters whose names the API server makes, beside Jobs that are none of ours', async () => {
  const miniCluster = (port: number) => `apiVersion: flux-framework.org/v1alpha2
kind: MiniCluster
metadata: {generateName: run-, annotations: {flux-metrics/enabled: "true", flux-metrics/port: "${port}"}}
spec: {containers: [{image: app}]}
`
  const job = `apiVersion: batch/v1
kind: Job
metadata: {generateName: other-}
spec: {template: {spec: {containers: [{name: a}]}}}
`
  const input = [miniCluster(9001), job, miniCluster(9002)].join('---\n')
  const { code, out, err } = await inject(['-o', 'json'], { input })
  assert.equal(code, 0)
  const ports = [...out.matchAll(/"LISTEN_PORT",\s+"value": "(\d+)"/g)].map(([, port]) => port)
  assert.deepEqual(ports, ['9001', '9002'])
  assert.match(
    err,
    /^pod\/run-\*2-0-\* \(made from minicluster\/run-\*2\): injected as native sidecar/m,
  )
  assert.match(err, /^pod\/other-\*-\* \(made from job\/other-\*\): not injected, NotIndexZero: /m)
})

test('inject prints the same pod for a MiniCluster in YAML, in JSON and in a list', async () => {
  const yaml = await inject([], { input: MINICLUSTER })
  const list = `{"apiVersion": "v1", "kind": "List", "items": [${MINICLUSTER}]}`
  assert.deepEqual(await inject([], { input: list }), yaml)
  const { out } = await inject(['-o', 'json'], { input: MINICLUSTER })
  const [document] = parseAllDocuments(yaml.out, { version: '1.1' })
  assert.deepEqual(JSON.parse(out), document?.toJS())
})

test('inject does not inject a pod that it printed', async () => {
  const { out } = await inject([], { input: MINICLUSTER })
  const again = await inject([], { input: `${out}---\n${MINICLUSTER}` })
  assert.equal(again.code, 1)
  assert.match(again.err, /AlreadyInjected: The pod already has the sidecar/)
})

test("the default image is the one of the webhook's Deployment", async () => {
  const path = join(import.meta.dirname, '../../../../manifests/base/deployment.yaml')
  assert.match(readFileSync(path, 'utf8'), new RegExp(`value: ${SIDECAR_IMAGE}:\\d`))
  const { out } = await inject([], { input: MINICLUSTER })
  assert.match(out, new RegExp(`image: ${SIDECAR_IMAGE}:1.2.3\n`))
})

test('inject warns of ranks of other clusters', async () => {
  const { spec, ...rest } = JSON.parse(MINICLUSTER)
  const bursting = { clusters: [{ name: 'burst-0', size: 4 }] }
  const flux = { ...spec.flux, bursting }
  const { err } = await inject([], { input: JSON.stringify({ ...rest, spec: { ...spec, flux } }) })
  assert.match(err, /warning: spec\.flux\.bursting\.clusters: the ranks of other clusters are not/)
})
