// The command: its arguments, one picture, and the live screen, with a kubectl that answers a sidecar's own explanation.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { addDetails } from '#explaining/details.ts'
import { explain } from '#explaining/explanation.ts'
import { LastHour } from '#explaining/last-hour.ts'
import { TOP } from '../../../../webhook/cli/top/top.ts'
import { fakeKubectl } from '../../../support/fake-kubectl.ts'
import { snapshotOf } from '../../../support/snapshots.ts'
import { until } from '../../../support/until.ts'
import { waitingFor, wholeNodes } from '../../../support/waiting.ts'
import { createMemoryIo, type MemoryIoOptions } from '../memory-io.ts'

const SNAPSHOT = snapshotOf({
  waiting: waitingFor(wholeNodes(5)),
  runningJobs: { jobs: [], areAll: true },
})
const NOW = SNAPSHOT.takenAt
const ANSWER = JSON.stringify(
  addDetails(explain(SNAPSHOT, NOW), new Set(['jobs', 'ranks'] as const), {
    snapshot: SNAPSHOT,
    now: NOW,
    lastHour: new LastHour(NOW.getTime()),
    metrics: [],
  }),
)

const PATH = 'namespaces/hpc/miniclusters.flux-framework.org/flux-sample/explain'
const RAW = `get --raw /apis/custom.metrics.k8s.io/v1beta2/${PATH}?include=jobs,ranks`

async function run(args: readonly string[], options: MemoryIoOptions = {}) {
  const { io, written } = createMemoryIo(options)
  const code = await TOP.run(args, io)
  return { code, ...written }
}

test('top --once prints one reading, and why nothing is known of the HPA', async (t) => {
  const env = await fakeKubectl(t, { args: RAW, out: ANSWER })
  const { code, out, err } = await run(['flux-sample', '-n', 'hpc', '--once'], { env })
  assert.deepEqual([code, err], [0, ''])
  assert.equal(
    out,
    `flux-sample in hpc  read 0 s ago
size     present 10, desired 12, floor 7, demand 12, maximum 16
because  1 pending job needs 5 nodes, up to rank 11
because  rank 6 is allocated
HPA      not known: unexpected arguments: get horizontalpodautoscalers
         --namespace=hpc --output=json
ranks    ███████░░░++····
         █ busy: ranks 0-6; ░ free: ranks 7-9; + not up yet: ranks 10-11; · not
         wanted: ranks 12-15
jobs     0 run, 1 wait
waits    ƒ2 needs 5 nodes, ranks 7-11, of which ranks 10-11 are not up yet
warning  603 jobs wait for a dependency or a priority: they add no demand yet
unknown  the constraints of pending jobs: Flux does not show this to guests: run
         the sidecar with the UID of the broker (annotation
         flux-metrics/run-as-user); a job that fits on free nodes and is not
         started gets more of them
`,
  )
})

test('top says which ranks go when it shrinks', async (t) => {
  const out = JSON.stringify(explain(snapshotOf({}), NOW))
  const env = await fakeKubectl(t, { args: RAW, out })
  const shown = await run(['flux-sample', '-n', 'hpc', '--once'], { env })
  assert.match(
    shown.out,
    /^size {5}present 10, desired 7,.*\ngoes {5}ranks 7-9, when it shrinks to 7$/m,
  )
})

test('top without a terminal prints once', async (t) => {
  const env = await fakeKubectl(t, { args: RAW, out: ANSWER })
  const { code, out } = await run(['flux-sample', '-n', 'hpc'], { env })
  assert.equal(code, 0)
  assert.ok(!out.includes('\u001b'))
})

test('top --once fails if there is no answer, or one that is no explanation', async (t) => {
  const refused = await fakeKubectl(t, { args: RAW, err: 'no sidecar', code: 1 })
  assert.deepEqual(await run(['flux-sample', '-n', 'hpc', '--once'], { env: refused }), {
    code: 1,
    out: '',
    err: 'flux-metrics top: no sidecar\n',
  })
  const long = await fakeKubectl(t, { args: RAW, err: 'no sidecar:\nsince 12:00', code: 1 })
  const { err: lines } = await run(['flux-sample', '-n', 'hpc', '--once'], { env: long })
  assert.equal(lines, 'flux-metrics top: no sidecar:\nsince 12:00\n')
  const odd = await fakeKubectl(t, { args: RAW, out: ANSWER.replace('"busy"', '7') })
  const { code, err } = await run(['flux-sample', '-n', 'hpc', '--once'], { env: odd })
  assert.equal(code, 1)
  assert.match(err, /unexpected answer of the sidecar: ranks\.\d+\.state: expected a string, got 7/)
  const page = await fakeKubectl(t, { args: RAW, out: '<html>log in</html>' })
  const { err: why } = await run(['flux-sample', '-n', 'hpc', '--once'], { env: page })
  assert.match(why, /top: the answer is no explanation: is this the API server, or the sidecar\?/)
})

test('top on a terminal shows a screen of its own until Ctrl-C, and gives the terminal back', async (t) => {
  const env = await fakeKubectl(t, { args: RAW, out: ANSWER })
  const terminal = { outIsTerminal: true, columns: 40, rows: 8, env }
  const { io, written, interrupt } = createMemoryIo(terminal)
  const args = ['flux-sample', '-n', 'hpc', '--interval', '0.5']
  const ended = TOP.run(args, io)
  await until(() => written.out.split('\u001b[H').length > 2, 'a second screen')
  interrupt()
  assert.equal(await ended, 0)
  assert.ok(written.out.startsWith('\u001b[?1049h\u001b[?25l\u001b[H'))
  assert.ok(written.out.endsWith('\u001b[?25h\u001b[?1049l'))
  const [, screen = ''] = written.out.split('\u001b[H')
  const lines = stripVTControlCharacters(screen).split('\n')
  assert.equal(lines.length, 8)
  assert.ok(lines.every((line) => line.length <= 40))
  assert.match(lines.at(-1) ?? '', /^… \d+ more lines$/)
})

test('top shows no number while there is no answer, but since when', async (t) => {
  const env = await fakeKubectl(t, { args: RAW, out: ANSWER })
  const { io, written, interrupt } = createMemoryIo({ outIsTerminal: true, env: { ...env } })
  const changing = { ...io, env: { ...env } }
  const ended = TOP.run(['flux-sample', '-n', 'hpc', '--interval', '0.5'], changing)
  await until(() => written.out.includes('desired 12'), 'a size')
  changing.env.PATH = '/nowhere'
  await until(() => written.out.includes('not known since'), 'a failure')
  interrupt()
  await ended
  const last = written.out.split('\u001b[H').at(-1) ?? ''
  assert.match(last, /not known since 2026-11-24T01:02:03.456Z: there is no kubectl in PATH/)
  assert.doesNotMatch(last, /desired/)
})

test('top ends at Ctrl-C while kubectl does not answer, and ends kubectl', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'top-'))
  t.after(() => rm(folder, { recursive: true }))
  const pidFile = join(folder, 'pid')
  const env = await fakeKubectl(t, { args: RAW, hangs: { pidFile } })
  const { io, written, interrupt } = createMemoryIo({ outIsTerminal: true, env })
  const ended = TOP.run(['flux-sample', '-n', 'hpc'], io)
  const pidOf = () => (existsSync(pidFile) ? Number(readFileSync(pidFile, 'utf8')) : 0)
  await until(() => pidOf() > 0, 'kubectl')
  const pid = pidOf()
  interrupt()
  assert.equal(await ended, 0)
  assert.ok(written.out.endsWith('\u001b[?25h\u001b[?1049l'))
  await until(() => !isRunning(pid), 'the end of kubectl')
})

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('top --once writes no control characters of others', async (t) => {
  const env = await fakeKubectl(t, { args: RAW, err: 'a\u001b[2Jb', code: 1 })
  const { err } = await run(['flux-sample', '-n', 'hpc', '--once'], { env })
  assert.equal(err, 'flux-metrics top: a\\u{1b}[2Jb\n')
})

for (const [args, problem] of [
  [[], 'expected the name of a MiniCluster'],
  [['a', 'b'], 'expected one MiniCluster, got a b'],
  [['a', '--interval', '0'], '--interval: expected seconds from 0.5 to 3600, got "0"'],
  [['a', '--interval', 'soon'], '--interval: expected seconds from 0.5 to 3600, got "soon"'],
  [['a', '--insecure'], '--insecure: cannot be used without --url'],
] as const) {
  test(`top refuses ${args.join(' ') || 'no arguments'}`, async () => {
    const { code, err } = await run(args)
    assert.deepEqual(
      [code, err],
      [2, `flux-metrics top: ${problem}\nSee flux-metrics top --help\n`],
    )
  })
}
