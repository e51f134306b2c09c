import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as v from 'valibot'
import { parse, parseAllDocuments } from 'yaml'
import { runCommand } from '../../../../webhook/cli/commands.ts'
import { serveApp } from '../../../support/app.ts'
import { HpaSchema } from '../../../support/hpa-schema.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'
import { recordedText } from '../sources.ts'

const MINICLUSTER = recordedText('operator/minicluster-after-resize.json')

async function hpa(args: readonly string[], options: MemoryIoOptions = { input: MINICLUSTER }) {
  const { io, written } = createMemoryIo(options)
  const code = await runCommand(['hpa', ...args], io)
  return { code, ...written }
}

for (const [args, problem] of [
  [['--metric', 'a'], "Unknown option '--metric'"],
  [['minicluster.yaml'], "Unexpected argument 'minicluster.yaml': name a file with -f"],
  [['--kubernetes', 'new'], '--kubernetes: expected a version such as 1.32, got "new"'],
  [['--headroom', '0'], '--headroom: expected a number of pods, from 1 to 999999, got "0"'],
  [
    ['--headroom', '1000000'],
    '--headroom: expected a number of pods, from 1 to 999999, got "1000000"',
  ],
  [['--headroom', '2.5'], '--headroom: expected a number of pods, from 1 to 999999, got "2.5"'],
] as const) {
  test(`hpa ${args.join(' ')} is refused`, async () => {
    const err = `flux-metrics hpa: ${problem}\nSee flux-metrics hpa --help\n`
    assert.deepEqual(await hpa(args), { code: 2, out: '', err })
  })
}

test('hpa refuses input without a MiniCluster', async () => {
  const files = {
    'pods.yaml': '# pods\napiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Service\n',
    'old.yaml': 'apiVersion: flux-framework.example/v1\nkind: MiniCluster\n',
    'empty.yaml': '',
  }
  for (const [file, problem] of [
    ['pods.yaml', 'pods.yaml:2:1: expected a MiniCluster, found Pod, Service'],
    [
      'old.yaml',
      'old.yaml:1:1: expected a MiniCluster, found MiniCluster of flux-framework.example/v1',
    ],
    ['empty.yaml', 'empty.yaml: expected Kubernetes objects, found nothing'],
    ['none.yaml', 'Cannot read none.yaml: no such file or directory'],
  ] as const) {
    assert.deepEqual(await hpa(['-f', file], { files }), { code: 2, out: '', err: `${problem}\n` })
  }
})

test('hpa prints nothing if one of several MiniClusters is malformed', async () => {
  const bad = 'apiVersion: flux-framework.org/v1alpha2\nkind: MiniCluster\nspec: {size: 1}\n'
  const { code, out, err } = await hpa(['-f', '-', '-f', 'bad'], {
    input: MINICLUSTER,
    files: { bad },
  })
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /^bad:1:1: metadata: expected .*\n/)
})

const SCALED = `apiVersion: flux-framework.org/v1alpha2
kind: MiniCluster
metadata: {name: a}
spec: {maxSize: 4, containers: [{image: a}]}
`

test('hpa refuses the same MiniCluster twice, with both places', async () => {
  const again = SCALED.replace('maxSize: 4', 'maxSize: 8')
  const elsewhere = SCALED.replace('name: a', 'name: a, namespace: hpc')
  const older = elsewhere.replace('v1alpha2', 'v1alpha1')
  for (const [input, places] of [
    [
      `${SCALED}---\n${again}`,
      '<stdin>:8:18: expected each MiniCluster once, got a again: it is at <stdin>:3:18',
    ],
    [
      `${SCALED}---\n${elsewhere}---\n${older}`,
      '<stdin>:13:18: expected each MiniCluster once, got hpc/a again: it is at <stdin>:8:18',
    ],
  ] as const) {
    assert.deepEqual(await hpa([], { input }), { code: 2, out: '', err: `${places}, too\n` })
  }
  const { code, err } = await hpa(['-f', '-', '-f', 'same.yaml'], {
    input: SCALED,
    files: { 'same.yaml': SCALED },
  })
  assert.equal(code, 2)
  assert.equal(
    err,
    'same.yaml:3:18: expected each MiniCluster once, got a again: it is at <stdin>:3:18, too\n',
  )
})

test('hpa prints an HPA for each of two MiniClusters of one name in two namespaces', async () => {
  const elsewhere = SCALED.replace('name: a', 'name: a, namespace: hpc')
  const { code, out } = await hpa([], { input: `${SCALED}---\n${elsewhere}` })
  const metadata = parseAllDocuments(out).map((document) => document.toJS().metadata)
  assert.deepEqual([code, metadata], [0, [{ name: 'a' }, { name: 'a', namespace: 'hpc' }]])
})

test('hpa refuses a MiniCluster whose name the API server makes', async () => {
  const input = SCALED.replace('name: a', 'generateName: a-')
  const { code, out, err } = await hpa([], { input })
  assert.deepEqual([code, out], [2, ''])
  assert.match(err, /^<stdin>:3:11: metadata\.name: expected a name, got generateName alone: /)
})

test('hpa reads standard input by default and for a dash', async () => {
  const { code, out } = await hpa([])
  assert.equal(code, 0)
  assert.equal((await hpa(['-f', '-'])).out, out)
})

test('hpa prints one HPA for each MiniCluster, which the API server accepts', async () => {
  const second = MINICLUSTER.replaceAll('flux-sample', 'second')
  const { out } = await hpa(['-f', '-', '-f', 'second'], {
    input: MINICLUSTER,
    files: { second },
  })
  const documents = [...parseAllDocuments(out, { version: '1.1' })]
  const hpas = documents.map((document) => v.parse(HpaSchema, document.toJS()))
  assert.deepEqual(
    hpas.map(({ metadata }) => metadata.name),
    ['flux-sample', 'second'],
  )
})

for (const [version, metric] of [
  ['1.35', 'node_desired_count'],
  ['1.34', 'node_desired_compensated_count'],
] as const) {
  test(`hpa --kubernetes ${version} uses ${metric}, and prints the path that serves it`, async (t) => {
    const { out } = await hpa(['--kubernetes', version])
    const [{ object }] = v.parse(HpaSchema, parse(out)).spec.metrics
    assert.equal(object.metric.name, metric)
    const [, path = ''] = /# kubectl get --raw (\S+)\n/.exec(out) ?? []
    const app = await serveApp(t)
    const { code, text } = await app.get(path)
    assert.equal(code, 200, text)
    const [item] = JSON.parse(text).items
    assert.equal(item.metric.name, metric)
    const { apiVersion, kind, name } = item.describedObject
    assert.deepEqual(object.describedObject, { apiVersion, kind, name })
  })
}

test('hpa prints a comment above each setting', async () => {
  const { out } = await hpa([])
  const lines = out.split('\n')
  const settings = [
    /^ {2}(min|max)Replicas:/,
    /^ {10}(name|type):/,
    /^ {6}(stabilizationWindowSeconds|policies|tolerance):/,
  ]
  const bare = lines.filter((line, index) => {
    const isSetting = settings.some((setting) => setting.test(line))
    return isSetting && !/^ *# \S/.test(lines[index - 1] ?? '')
  })
  // The name of describedObject, which is the MiniCluster.
  assert.deepEqual(bare, ['          name: flux-sample'])
})

test('hpa warns on standard error if the metric would be missing', async () => {
  const { metadata, ...rest } = JSON.parse(MINICLUSTER)
  const { annotations: _, ...others } = metadata
  const input = JSON.stringify({ ...rest, metadata: others })
  const { code, err } = await hpa([], { input })
  assert.equal(code, 0)
  assert.match(
    err,
    /^minicluster\/flux-sample: warning: flux-metrics\/enabled: expected "true": without it/,
  )
})

test('hpa warns on standard error of hosts that are not the pods in their order', async () => {
  const { spec, ...rest } = JSON.parse(MINICLUSTER)
  const bursting = { hostlist: 'gffw-compute-a-[001-003],flux-sample-[0-3]' }
  const input = JSON.stringify({ ...rest, spec: { ...spec, flux: { ...spec.flux, bursting } } })
  const { code, err } = await hpa([], { input })
  assert.equal(code, 0)
  assert.match(err, /warning: spec\.flux\.bursting\.hostlist: the hosts must begin with the pods/)
})
