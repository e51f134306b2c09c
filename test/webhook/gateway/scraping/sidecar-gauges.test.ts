import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { unavailable } from '#serving/status.ts'
import type { Question } from '../../../../webhook/gateway/asking/question.ts'
import type { MiniClusterName, PeerLookup, Peers } from '../../../../webhook/gateway/peers/peer.ts'
import { SidecarGauges } from '../../../../webhook/gateway/scraping/sidecar-gauges.ts'
import { memoryLog } from '../../../support/memory-log.ts'
import { readExposition } from './exposition.ts'

const PAGE = '# TYPE flux_desired_nodes gauge\nflux_desired_nodes 4\n'

const FOUND: PeerLookup = {
  kind: 'found',
  peers: [
    {
      namespace: 'team',
      minicluster: 'flux',
      pod: 'flux-0',
      uid: 'uid',
      address: '10.0.0.1',
      port: 8443,
      job: 'uid of the Job',
      createdAt: 0,
      version: '0.1.0',
    },
  ],
}

function named(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `m${String(index).padStart(4, '0')}`)
}

interface Scene {
  readonly names?: readonly string[]
  readonly find?: (name: MiniClusterName) => PeerLookup
  readonly answer?: (question: Question) => string | Promise<string>
}

/** Pods and sidecars that are as a test says. A test may change them; `missing` too. */
function sceneOf({ names = ['flux'], find = () => FOUND, answer = () => PAGE }: Scene = {}) {
  const { log, lines } = memoryLog()
  const questions: Question[] = []
  const state: { names: readonly string[]; missing: string | undefined } = {
    names,
    missing: undefined,
  }
  const all = () =>
    state.names.map((name) => {
      const [minicluster = '', namespace = 'team'] = name.split('.')
      return { namespace, minicluster }
    })
  const peers: Peers = {
    find,
    all,
    inNamespace: all,
    get missing() {
      return state.missing
    },
  }
  const ask = async (question: Question) => {
    questions.push(question)
    const body = await answer(question)
    return { contentType: 'text/plain; charset=utf-8', body } as const
  }
  return { gauges: new SidecarGauges({ peers, sidecars: { ask }, log }), questions, state, lines }
}

async function familiesOf(gauges: SidecarGauges) {
  return readExposition(Buffer.concat(await gauges.render()).toString())
}

/** The samples of a family as `labels → value`. */
async function valuesOf(gauges: SidecarGauges, family: string, label: string) {
  const samples = (await familiesOf(gauges)).get(family)?.samples ?? []
  return Object.fromEntries(samples.map(({ labels, value }) => [labels[label], value]))
}

const NONE = { unready: 0, unanswered: 0, too_large: 0, no_room: 0 }

function unscraped(gauges: SidecarGauges) {
  return valuesOf(gauges, 'flux_gateway_sidecars_unscraped', 'reason')
}

/** Moves `performance.now()` on; the gauges look at no other clock. */
function clockOf(t: TestContext) {
  let skipped = 0
  const { now } = performance
  t.mock.method(performance, 'now', () => now.call(performance) + skipped)
  return { skip: (ms: number) => (skipped += ms) }
}

test('the text has the gauges of all sidecars, in alphabetical order', async () => {
  const { gauges, questions } = sceneOf({ names: ['b', 'a'] })
  const text = Buffer.concat(await gauges.render()).toString()
  assert.match(
    text,
    /minicluster="a"\} 4\nflux_desired_nodes\{namespace="team",minicluster="b"\} 4\n$/,
  )
  assert.deepEqual(await unscraped(gauges), NONE)
  assert.equal(
    (await familiesOf(gauges)).get('flux_gateway_sidecars_scraped')?.samples[0]?.value,
    2,
  )
  const [{ deadline, ...question } = { deadline: 0 }] = questions
  assert.deepEqual(question, {
    namespace: 'team',
    minicluster: 'b',
    path: '/metrics',
    accept: 'text/plain',
  })
  assert.ok(deadline - performance.now() <= 1_000)
})

test('who does not answer has no samples and is counted, by reason', async () => {
  const { gauges, lines } = sceneOf({
    names: ['absent', 'broken', 'long', 'ok', 'unready'],
    find({ minicluster }) {
      if (minicluster === 'absent') return { kind: 'absent' }
      return minicluster === 'unready'
        ? { kind: 'unready', pod: 'x-0', why: 'has no address' }
        : FOUND
    },
    answer({ minicluster }) {
      if (minicluster === 'broken') throw unavailable('pod broken-0 does not answer')
      return minicluster === 'long' ? '#'.repeat(2 ** 18 + 1) : PAGE
    },
  })
  assert.deepEqual(await unscraped(gauges), { ...NONE, unready: 1, unanswered: 1, too_large: 1 })
  assert.deepEqual(await valuesOf(gauges, 'flux_desired_nodes', 'minicluster'), { ok: 4 })
  assert.deepEqual(lines, [])
})

test('an error of the program does not break the text, and is logged', async () => {
  const { gauges, lines } = sceneOf({
    answer() {
      throw new TypeError('no such thing')
    },
  })
  assert.deepEqual(await unscraped(gauges), { ...NONE, unanswered: 1 })
  assert.deepEqual(
    lines.map(({ level, msg, minicluster }) => [level, msg, minicluster]),
    [['error', 'scrape failed', 'flux']],
  )
})

test('lines that a sidecar must not send are counted', async () => {
  const { gauges } = sceneOf({ answer: () => `${PAGE}flux_desired_nodes NaN\nnonsense\n` })
  const dropped = (await familiesOf(gauges)).get('flux_gateway_sidecar_lines_dropped')
  assert.equal(dropped?.samples[0]?.value, 2)
})

test('before the pods were listed there is no text', async () => {
  const { gauges, state } = sceneOf()
  state.missing = 'the pods were not listed yet'
  assert.equal(Buffer.concat(await gauges.render()).toString(), '')
  state.missing = undefined
  assert.match(Buffer.concat(await gauges.render()).toString(), /flux_desired_nodes/)
})

test('scrapes at one time are one, and its text serves for ten seconds', async (t) => {
  const clock = clockOf(t)
  const { gauges, questions } = sceneOf()
  const [first, second] = await Promise.all([gauges.render(), gauges.render()])
  assert.equal(first, second)
  clock.skip(9_000)
  await gauges.render()
  assert.equal(questions.length, 1)
  clock.skip(1_001)
  await gauges.render()
  assert.equal(questions.length, 2)
})

test('a sidecar that is gone leaves no old samples', async (t) => {
  const clock = clockOf(t)
  const { gauges, state } = sceneOf({ names: ['a', 'b'] })
  await gauges.render()
  state.names = ['b']
  clock.skip(10_001)
  assert.deepEqual(await valuesOf(gauges, 'flux_desired_nodes', 'minicluster'), { b: 4 })
})

test('a scrape ends at its deadline, however many hang', async (t) => {
  const clock = clockOf(t)
  const names = [...named(96), 'ok']
  const { gauges, questions } = sceneOf({
    names,
    async answer({ minicluster }) {
      await turn()
      // The first of the four that are asked together moves the clock for all.
      if (Number(minicluster.slice(1)) % 4 === 0) clock.skip(1_000)
      throw unavailable('pod does not answer')
    },
  })
  assert.equal((await unscraped(gauges)).unanswered, 97)
  assert.ok(questions.length <= 20)
})

test('who did not answer is asked after the others the next time', async (t) => {
  const clock = clockOf(t)
  const { gauges, questions } = sceneOf({
    names: ['a', 'b', 'z'],
    answer({ minicluster }) {
      if (minicluster !== 'z') throw unavailable('pod does not answer')
      return PAGE
    },
  })
  const asked = async () => {
    questions.length = 0
    await gauges.render()
    clock.skip(10_001)
    return questions.map(({ minicluster }) => minicluster).join('')
  }
  assert.equal(await asked(), 'abz')
  assert.equal(await asked(), 'zab')
})

test('where there is no room for all, the longest pages make room', async (t) => {
  // However busy the machine is, nobody is late.
  t.mock.method(performance, 'now', () => 1_000)
  const labels = Array.from({ length: 1_900 }, (_, index) => `flux_jobs{queue="${index}"} 1\n`)
  const long = `# TYPE flux_jobs gauge\n${labels.join('')}`
  const short = named(20).map((name) => `short-${name}`)
  const { gauges } = sceneOf({
    names: [...named(100), ...short],
    answer: ({ minicluster }) => (minicluster.startsWith('short') ? PAGE : long),
  })
  const text = Buffer.concat(await gauges.render()).toString()
  assert.ok(text.length < 9 * 2 ** 20)
  const samples = [
    ...text.matchAll(/^flux_desired_nodes\{namespace="team",minicluster="(.*)"\} 4$/gm),
  ]
  assert.deepEqual(
    samples.map(([, minicluster]) => minicluster),
    short,
  )
  assert.match(text, /^flux_gateway_sidecars_unscraped\{reason="no_room"\} [3-9]\d$/m)
})

test('slow sidecars of one namespace take the time of no other', async () => {
  const slow = named(500).map((name) => `${name}.hostile`)
  const { gauges, questions } = sceneOf({ names: [...slow, 'a.team-a', 'b.team-a', 'a.team-b'] })
  await gauges.render()
  const asked = questions.map(({ namespace, minicluster }) => `${minicluster}.${namespace}`)
  const first = ['m0000.hostile', 'a.team-a', 'a.team-b', 'm0001.hostile', 'b.team-a']
  assert.deepEqual([asked.slice(0, 5), asked.length], [first, 503])
})

test('where there is no room for all, long pages of one namespace take the room of no other', async () => {
  const page = (count: number) =>
    Array.from({ length: count }, (_, index) => `# TYPE g${index} gauge\ng${index} 1\n`).join('')
  const hostile = named(200).map((name) => `${name}.hostile`)
  const { gauges } = sceneOf({
    names: [...hostile, 'flux.team'],
    answer: ({ namespace }) => page(namespace === 'hostile' ? 1_000 : 1_500),
  })
  const text = Buffer.concat(await gauges.render()).toString()
  const namespaces = text.matchAll(/^g1499\{namespace="(.*)",minicluster="flux"\} 1$/gm)
  assert.deepEqual(
    Array.from(namespaces, ([, namespace]) => namespace),
    ['team'],
  )
})

test('thousands of families are sent in few parts', async () => {
  const families = Array.from(
    { length: 2_000 },
    (_, index) => `# TYPE g${index} gauge\ng${index} 1\n`,
  )
  const { gauges } = sceneOf({ answer: () => families.join('') })
  assert.ok((await gauges.render()).length < 5)
})
