// The whole output of `flux-metrics inject`, `hpa` and `simulate`: golden/NAME.out and .err. After a change of the output
// this command records it again; read the diff:
//
//   node --test --test-update-snapshots test/webhook/cli/golden.test.ts
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runCommand } from '../../../webhook/cli/commands.ts'
import { createMemoryIo } from './memory-io.ts'
import { recordedText } from './sources.ts'

const GOLDEN = join(import.meta.dirname, 'golden')

const ROOT = join(import.meta.dirname, '../../..')
const EXAMPLES = join(ROOT, 'webhook/cli/examples')

const FILES = {
  'job.json': recordedText('operator/job.json'),
  'pods.json': recordedText('operator/pods-running.json'),
  'stored.json': recordedText('operator/minicluster-after-resize.json'),
  'queue.yaml': readFileSync(join(EXAMPLES, 'queue.yaml'), 'utf8'),
  'hpas.yaml': readFileSync(join(EXAMPLES, 'hpas.yaml'), 'utf8'),
  'hpa-alone.yaml': readFileSync(join(ROOT, 'manifests/examples/hpa-minicluster.yaml'), 'utf8'),
  ...Object.fromEntries(
    readdirSync(join(GOLDEN, 'inputs')).map((name) => [
      name,
      readFileSync(join(GOLDEN, 'inputs', name), 'utf8'),
    ]),
  ),
}

const CASES = [
  { name: 'minicluster', args: 'inject -f minicluster.yaml', code: 0 },
  { name: 'minicluster-diff', args: 'inject -f minicluster.yaml --diff', code: 0 },
  {
    name: 'minicluster-in-colour',
    args: 'inject -f minicluster.yaml --diff',
    code: 0,
    terminal: true,
  },
  { name: 'job', args: 'inject -f stored.json -f job.json --diff --kubernetes v1.28.3', code: 0 },
  { name: 'pods', args: 'inject -f pods.json -f job.json -f stored.json -o json', code: 0 },
  { name: 'pods-without-job', args: 'inject -f pods.json -f stored.json', code: 2 },
  { name: 'annotations', args: 'inject -f annotations.yaml --image registry.example/s:1', code: 0 },
  { name: 'no-authority', args: 'inject -f minicluster.yaml --webhook-url none', code: 1 },
  { name: 'left-as-they-are', args: 'inject -f left-as-they-are.yaml', code: 1 },
  { name: 'two', args: 'inject -f minicluster.yaml -f annotations.yaml -n hpc', code: 0 },
  { name: 'hpa', args: 'hpa -f minicluster.yaml', code: 0 },
  { name: 'hpa-before-tolerance', args: 'hpa -f minicluster.yaml --kubernetes 1.34', code: 0 },
  { name: 'hpa-several', args: 'hpa -f to-scale.yaml -f stored.json', code: 0 },
  { name: 'hpa-headroom', args: 'hpa -f warm.yaml --headroom 3', code: 0 },
  {
    name: 'hpa-headroom-refused',
    args: 'hpa -f warm.yaml -f minicluster.yaml --headroom 3',
    code: 2,
  },
  { name: 'simulate', args: 'simulate -f queue.yaml -f hpas.yaml --drain', code: 0 },
  { name: 'simulate-recommended', args: 'simulate -f queue.yaml', code: 0 },
  { name: 'simulate-recording', args: 'simulate -f nodes.yaml -f jobs-recorded.json', code: 0 },
  { name: 'simulate-refused', args: 'simulate -f hpa-alone.yaml', code: 2 },
  { name: 'hpa-refused', args: 'hpa -f not-to-scale.yaml', code: 2 },
] as const

for (const { name, args, code, ...others } of CASES) {
  test(`flux-metrics ${args} prints "${name}"`, async (t) => {
    const { io, written } = createMemoryIo({ files: FILES, outIsTerminal: 'terminal' in others })
    assert.equal(await runCommand(args.split(' '), io), code)
    const serializers = [(text: string) => text]
    t.assert.fileSnapshot(written.out, join(GOLDEN, `${name}.out`), { serializers })
    t.assert.fileSnapshot(written.err, join(GOLDEN, `${name}.err`), { serializers })
  })
}

test('the picture in docs/how-to/SIMULATE.md is the one that flux-metrics simulate draws', async (t) => {
  const { io, filesWritten } = createMemoryIo({ files: FILES })
  const args = 'simulate -f queue.yaml -f hpas.yaml --drain --svg queue.svg'
  assert.equal(await runCommand(args.split(' '), io), 0)
  const path = join(EXAMPLES, 'queue.svg')
  t.assert.fileSnapshot(filesWritten['queue.svg'], path, { serializers: [(text: string) => text] })
})
