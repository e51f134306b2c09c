import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeTraps } from '#explaining/notices/scheduler-traps.ts'
import { adviseOnSpec } from '../../../../webhook/admission/advice/spec-advice.ts'
import type { MiniCluster } from '../../../../webhook/objects/minicluster.ts'
import { miniCluster } from '../../support-objects.ts'

function advise(spec: MiniCluster['spec']): readonly string[] {
  return adviseOnSpec({ ...miniCluster(), spec }).scheduler
}

/** The subjects that the warnings are about. */
function subjects(advice: readonly string[]): readonly string[] {
  const words = {
    fcfs: 'refuses jobs',
    match: 'match-policy',
    ignored: 'ignored',
    toml: 'invalid TOML',
  }
  return Object.entries(words).flatMap(([subject, word]) =>
    advice.some(
      (sentence) =>
        sentence.includes(word) && !/queue-policy|fcfs/.test(sentence) === (subject !== 'fcfs'),
    )
      ? [subject]
      : [],
  )
}

function withOptions(options: string, others: MiniCluster['spec'] = {}): MiniCluster['spec'] {
  return withEnvironment({ FLUXION_RESOURCE_OPTIONS: options }, others)
}

/** The broker is in the second container. */
function withEnvironment(
  environment: Readonly<Record<string, string>>,
  others: MiniCluster['spec'] = {},
): MiniCluster['spec'] {
  return { ...others, containers: [{}, { runFlux: true, environment }] }
}

function withQueue(options: string, others: MiniCluster['spec'] = {}): MiniCluster['spec'] {
  return withEnvironment({ FLUXION_QMANAGER_OPTIONS: options }, others)
}

const CONSERVATIVE = { scheduler: { queuePolicy: 'conservative' } }

function config(resource: string, queuePolicy = 'fcfs') {
  const brokerConfig = `[sched-fluxion-qmanager]\nqueue-policy = "${queuePolicy}"\n[sched-fluxion-resource]\n${resource}\n`
  return { flux: { brokerConfig } }
}

const CASES: readonly (readonly [
  what: string,
  spec: MiniCluster['spec'],
  subjects: readonly string[],
])[] = [
  ['no spec', null, ['fcfs', 'match']],
  ['the defaults', {}, ['fcfs', 'match']],
  [
    'what the CRD fills in',
    { flux: { scheduler: { queuePolicy: '' }, brokerConfig: '' } },
    ['fcfs', 'match'],
  ],
  ['sched-simple', { flux: { scheduler: { simple: true, queuePolicy: 'fcfs' } } }, []],
  ['conservative', { flux: CONSERVATIVE }, ['match']],
  ['easy', { flux: { scheduler: { queuePolicy: 'easy' } } }, ['match']],
  ['lonode by environment', withOptions('match-policy=lonode'), ['fcfs']],
  ['high by environment', withOptions('match-policy=high', { flux: CONSERVATIVE }), ['match']],
  ['filters by environment', withOptions('prune-filters=ALL:core  load-allowlist=node'), ['match']],
  ['all by environment', withOptions('match-policy=low prune-filters=ALL:core'), []],
  ['an environment of another kind', withOptions('match-policy= =lonode'), ['fcfs', 'match']],
  ['a configuration', config(''), ['fcfs', 'match']],
  ['a configuration without Fluxion', { flux: { brokerConfig: '[access]\n' } }, ['fcfs', 'match']],
  ['a good configuration', config('match-policy = "lonodex"', 'hybrid'), []],
  ['filters in a configuration', config('prune-filters = "ALL:core,ALL:gpu"'), ['match']],
  [
    'filters by node',
    config('prune-filters = "ALL:core,cluster:node"\nmatch-policy = "low"'),
    ['fcfs'],
  ],
  ['a custom policy', config('match-policy = "policy=low node_exclusive=true"', 'easy'), []],
  [
    'a custom high policy',
    config('match-policy = "policy=high set_stop_on_1_matches=true"', 'easy'),
    ['match'],
  ],
  ['conservative by environment', withQueue('queue-policy=conservative'), ['match']],
  ['a queue depth by environment', withQueue('queue-params=queue-depth=32'), ['fcfs', 'match']],
  [
    'all by environment of both modules',
    withEnvironment({
      FLUXION_QMANAGER_OPTIONS: 'queue-params=queue-depth=32 queue-policy=easy',
      FLUXION_RESOURCE_OPTIONS: 'match-policy=lonode',
    }),
    [],
  ],
  [
    'fcfs by environment over the spec',
    withQueue('queue-policy=fcfs', { flux: CONSERVATIVE }),
    ['fcfs', 'match'],
  ],
  [
    'conservative by environment over a configuration',
    withQueue('queue-policy=conservative', config('match-policy = "low"')),
    [],
  ],
  [
    'options of the only container, which runs the broker',
    { containers: [{ environment: { FLUXION_RESOURCE_OPTIONS: 'match-policy=low' } }] },
    ['fcfs'],
  ],
  [
    'options of a helper, which the broker never sees',
    {
      containers: [
        { environment: { FLUXION_RESOURCE_OPTIONS: 'match-policy=low' } },
        { runFlux: true },
      ],
    },
    ['fcfs', 'match'],
  ],
  ['both', withOptions('match-policy=lonode', config('match-policy = "high"', 'easy')), []],
]

for (const [what, spec, expected] of CASES) {
  test(`adviseOnScheduler warns of ${expected.join(' and ') || 'nothing'} given ${what}`, () => {
    assert.deepEqual(subjects(advise(spec)), expected)
  })
}

test('adviseOnScheduler says that a queue policy beside a configuration is ignored', () => {
  const { brokerConfig } = config('match-policy = "lonode"', 'easy').flux
  assert.deepEqual(advise({ flux: { ...CONSERVATIVE, brokerConfig } }), [
    'spec.flux.scheduler.queuePolicy: ignored because spec.flux.brokerConfig replaces the whole configuration: set the policy there',
  ])
})

test('adviseOnScheduler says where a configuration is invalid TOML, and nothing else', () => {
  assert.deepEqual(advise({ flux: { ...CONSERVATIVE, brokerConfig: 'a =\n' } }), [
    'spec.flux.brokerConfig: invalid TOML at line 1, column 4: the broker will not start',
  ])
})

test('adviseOnScheduler says that a configuration is too long to be read, and nothing else', () => {
  const brokerConfig = `a${'.a'.repeat(300_000)} = 1\n`
  assert.deepEqual(advise({ flux: { ...CONSERVATIVE, brokerConfig } }), [
    'spec.flux.brokerConfig: not checked, 600006 characters are more than 16384: ' +
      "once Flux runs, /explain shows Fluxion's settings",
  ])
})

test('adviseOnScheduler says that options are too long to be read, and nothing else', () => {
  assert.deepEqual(advise(withOptions('a=1 '.repeat(5_000))), [
    'spec.containers.environment.FLUXION_RESOURCE_OPTIONS: not checked, 20000 characters are more than 16384: ' +
      "once Flux runs, /explain shows Fluxion's settings",
  ])
  assert.deepEqual(subjects(advise(withOptions('match-policy=low'.padEnd(16_384)))), ['fcfs'])
})

test('adviseOnScheduler names each cure for the place where the user sets it', () => {
  assert.deepEqual(advise({}), [
    'spec.flux.scheduler.queuePolicy: with fcfs, the default, Fluxion refuses jobs for more nodes than are up, ' +
      'and the MiniCluster does not grow for them: set conservative',
    "spec.containers.environment: Fluxion's match-policy first does not fill the lowest ranks first, " +
      'but shrinking removes the highest: set FLUXION_RESOURCE_OPTIONS: match-policy=lonode',
  ])
  assert.deepEqual(advise(config('')), [
    'spec.flux.brokerConfig: with queue-policy fcfs Fluxion refuses jobs for more nodes than are up: ' +
      'set queue-policy = "conservative", or [sched-fluxion-resource] prune-filters = "ALL:core"',
    "spec.flux.brokerConfig: Fluxion's match-policy first does not fill the lowest ranks first, " +
      'but shrinking removes the highest: set [sched-fluxion-resource] match-policy = "lonode"',
  ])
})

test('adviseOnScheduler shows no more than the first 24 characters of a policy', () => {
  const [warning = ''] = advise(config(`match-policy = "${'p'.repeat(24)}xyz"`, 'easy'))
  assert.match(warning, /match-policy p{24} does not fill/)
})

test('adviseOnScheduler names the options where they have the queue policy', () => {
  const cure =
    'spec.containers.environment.FLUXION_QMANAGER_OPTIONS: with queue-policy fcfs Fluxion refuses jobs for more nodes than are up: ' +
    'set queue-policy=conservative'
  assert.equal(advise(withQueue('queue-policy=fcfs', { flux: CONSERVATIVE }))[0], cure)
  assert.equal(advise(withQueue('queue-policy=fcfs', config('', 'easy')))[0], cure)
})

test('adviseOnScheduler reads no queue options that are too long', () => {
  assert.deepEqual(advise(withQueue('a=1 '.repeat(5_000))), [
    'spec.containers.environment.FLUXION_QMANAGER_OPTIONS: not checked, 20000 characters are more than 16384: ' +
      "once Flux runs, /explain shows Fluxion's settings",
  ])
})

test('adviseOnScheduler keeps warnings under 200 characters', () => {
  const long = config(`match-policy = "${'x'.repeat(300)}"`)
  const tooLong = advise(withOptions(' '.repeat(9_999_999)))
  const byOptions = advise(withQueue('queue-policy=fcfs'))
  for (const sentence of [...advise({}), ...advise(long), ...tooLong, ...byOptions])
    assert.ok(sentence.length <= 200, sentence)
})

test('adviseOnScheduler warns of the same settings as the sidecar', () => {
  for (const queuePolicy of ['fcfs', 'easy', 'hybrid', 'conservative']) {
    for (const matchPolicy of [
      'first',
      'high',
      'hinode',
      'low',
      'lonode',
      'lonodex',
      'policy=low',
    ]) {
      for (const pruneFilters of ['ALL:core', 'ALL:core,ALL:node', 'ALL:gpu,cluster:node']) {
        const resource = `match-policy = "${matchPolicy}"\nprune-filters = "${pruneFilters}"`
        const advice = adviseOnSpec(miniCluster({ spec: config(resource, queuePolicy) }))
        const traps = describeTraps(
          { queuePolicy, matchPolicy, pruneFilters },
          { isStranded: true },
        )
        const what = `${queuePolicy} ${matchPolicy} ${pruneFilters}`
        assert.deepEqual(
          advice.traps,
          traps.map(({ code }) => code),
          what,
        )
        assert.equal(advice.scheduler.length, traps.length, what)
      }
    }
  }
})
