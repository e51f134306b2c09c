// Which ranks are pods of the MiniCluster, for every kind of host that R names.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SCHED_STATUS_TOPICS } from '#flux/calls/resource-calls.ts'
import { formatIdset, hasId, parseIdset } from '#flux/sets/idset.ts'
import { parseResourceSet, ranksOf } from '#flux/sets/resource-set.ts'
import { isJsonObject } from '#flux/wire/payload.ts'
import { ALL_PODS, PodRankCheck, type PodRanks, podRanks } from '#reading/ranks/pod-ranks.ts'
import { isUnknown, type Unknown } from '#reading/unknown.ts'
import { loadRecording, RECORDED_VERSIONS, recordedCases } from '../../support/recordings.ts'
import { ranksWith } from '../../support/snapshots.ts'

const NAME = 'flux-sample'

function check(hosts: string | readonly string[], ranks: string, name = NAME): PodRanks | Unknown {
  const hostlists = typeof hosts === 'string' ? [hosts] : hosts
  return podRanks(name, { hostlists, ranks: parseIdset(ranks) })
}

const EVERY_RANK_IS_A_POD: readonly (readonly [what: string, hosts: string, ranks: string])[] = [
  ['pods as the operator lists them', 'flux-sample-[0-3]', '0-3'],
  ['one pod', 'flux-sample-0', '0'],
  ['pods one by one', 'flux-sample-0,flux-sample-1,flux-sample-2', '0-2'],
  ['ten thousand pods', 'flux-sample-[0-9999]', '0-9999'],
  [
    'pods with a domain',
    'flux-sample-0.flux-service.default.svc.cluster.local,flux-sample-1.x',
    '0-1',
  ],
  ['pods in upper case', 'FLUX-SAMPLE-[0-1]', '0-1'],
  ['R without an excluded rank', 'flux-sample-[0,2-3]', '0,2-3'],
  ['R without excluded rank 0', 'flux-sample-[1-3]', '1-3'],
  ['pods of which some have no rank', 'flux-sample-[0-1]', '0-1'],
]

for (const [what, hosts, ranks] of EVERY_RANK_IS_A_POD) {
  test(`podRanks takes every rank for the pod of its index: ${what}`, () => {
    assert.deepEqual(check(hosts, ranks), ALL_PODS)
  })
}

const UNCHECKED: readonly (readonly [what: string, hosts: readonly string[], ranks: string])[] = [
  ['no hosts in the answer', [], '0-3'],
  ['an empty hostlist', [''], '0-3'],
  ['one host for every rank', ['vm,vm,vm,vm'], '0-3'],
  [
    'one pod for every rank, as flux start --test-size makes them',
    ['flux-sample-0,flux-sample-0'],
    '0-1',
  ],
  ['hosts of the user', ['n[1-4]'], '0-3'],
  ['hosts of the user in any order', ['zeta9,zeta3,alpha[7,1]'], '0-3'],
  ['pods of a MiniCluster of another name', ['lammps-[3,2,1,0]'], '0-3'],
  ['a name that only begins like ours', ['flux-sample-a-[0-3]'], '0-3'],
  ['indices with leading zeros, which no pod has', ['flux-sample-[000-003]'], '0-3'],
  ['addresses', ['10.0.0.1,10.0.0.2'], '0-1'],
]

for (const [what, hosts, ranks] of UNCHECKED) {
  test(`podRanks refuses nothing that proves nothing: ${what}`, () => {
    const pods = check(hosts, ranks)
    assert.ok(!isUnknown(pods))
    assert.equal(formatIdset(pods.bursted), '')
    assert.equal(typeof pods.unchecked, 'string')
  })
}

const BURSTED: readonly (readonly [what: string, hosts: string, ranks: string, bursted: string])[] =
  [
    ['a cluster of the operator', 'flux-sample-[0-3],burst-0-[0-3]', '0-7', '4-7'],
    ['two clusters', 'flux-sample-[0-3],burst-0-[0-1],burst-1-[0-1]', '0-7', '4-7'],
    ['virtual machines', 'flux-sample-[0-3],gffw-compute-a-[001-003]', '0-6', '4-6'],
    ['a name that begins like ours', 'flux-sample-[0-1],flux-sample-burst-[0-1]', '0-3', '2-3'],
    ['our name with leading zeros', 'flux-sample-[0-1],flux-sample-[002-003]', '0-3', '2-3'],
    ['a host of another cluster in between', 'flux-sample-0,gpu1,flux-sample-2', '0-2', '1'],
    ['a cluster without its excluded ranks', 'flux-sample-[0-1],burst-0-1', '0-1,3', '3'],
    ['an index beyond all numbers', `flux-sample-0,flux-sample-${'9'.repeat(99)}`, '0-1', '1'],
  ]

for (const [what, hosts, ranks, bursted] of BURSTED) {
  test(`podRanks finds ranks of other clusters: ${what}`, () => {
    const pods = check(hosts, ranks)
    assert.ok(!isUnknown(pods))
    assert.equal(formatIdset(pods.bursted), bursted)
    assert.equal(pods.unchecked, undefined)
  })
}

test('podRanks without ranks has one for each host, from 0 on', () => {
  const pods = podRanks(NAME, { hostlists: ['flux-sample-[0-1]', 'burst-0-[0-1]'] })
  assert.ok(!isUnknown(pods))
  assert.equal(formatIdset(pods.bursted), '2-3')
  assert.ok(isUnknown(podRanks(NAME, { hostlists: ['flux-sample-[1-2]'] })))
})

test('podRanks creates a bounded number of hosts, however many hostlists there are', () => {
  const hostlists = Array.from({ length: 500 }, (_, n) => `h${n}-[0-131071]`)
  assert.ok(isUnknown(podRanks(NAME, { hostlists })))
})

test('podRanks names the first and the last host of other clusters', () => {
  const hostsOf = (hosts: string, ranks: string) => {
    const pods = check(hosts, ranks)
    return isUnknown(pods) ? pods : pods.burstedHosts
  }
  assert.deepEqual(hostsOf('flux-sample-[0-3],burst-0-[0-3]', '0-7'), ['burst-0-0', 'burst-0-3'])
  assert.deepEqual(hostsOf('flux-sample-0,burst-0-0', '0-1'), ['burst-0-0'])
})

const MISPLACED: readonly (readonly [what: string, hosts: string, ranks: string, rank: number])[] =
  [
    ['a permutation', 'flux-sample-[0,2,1,3]', '0-3', 1],
    ['the reverse order', 'flux-sample-[3,2,1,0]', '0-3', 0],
    ['an offset', 'flux-sample-[1-4]', '0-3', 0],
    ['a bursted MiniCluster, seen from inside', '10.0.0.1,lead-[1-3],flux-sample-[0-3]', '0-7', 0],
    [
      'a bursted MiniCluster of the same name',
      '10.0.0.1,flux-sample-[1-3],burst-0-[0-3]',
      '0-7',
      0,
    ],
    ['other hosts before ours', 'flux-sample-0,login,flux-sample-[1-2]', '0-3', 2],
    ['a bursted cluster with our name', 'flux-sample-[0-3],flux-sample-[0-3]', '0-7', 4],
    [
      'two brokers in each pod',
      'flux-sample-0,flux-sample-0,flux-sample-1,flux-sample-1',
      '0-3',
      1,
    ],
    ['one rank in another pod', 'flux-sample-3', '0', 0],
  ]

for (const [what, hosts, ranks, rank] of MISPLACED) {
  test(`podRanks knows no pods if rank ${rank} is not the pod of its index: ${what}`, () => {
    const pods = check(hosts, ranks)
    assert.ok(isUnknown(pods))
    assert.match(
      pods.reason,
      new RegExp(`^rank ${rank} is on host .*, not in pod flux-sample-${rank}`),
    )
    assert.match(pods.reason, /spec\.flux\.bursting\.hostlist/)
  })
}

for (const [what, hosts, ranks] of [
  ['too few hosts', 'flux-sample-[0-2]', '0-3'],
  ['too many hosts', 'flux-sample-[0-9]', '0-3'],
  ['more hosts than are ever created', 'flux-sample-[0-999999999]', '0-3'],
  ['no hostlist', 'flux-sample-[0-', '0-3'],
] as const) {
  test(`podRanks knows no pods of ${what}`, () => {
    assert.ok(isUnknown(check(hosts, ranks)))
  })
}

test('podRanks never takes a rank for a pod that its host is not', () => {
  const host = fc.oneof(
    { weight: 4, arbitrary: fc.nat({ max: 5 }).map((index) => `${NAME}-${index}`) },
    fc.constantFrom('burst-0-0', 'burst-0-1', 'vm'),
  )
  const hosts = fc.oneof(
    fc.array(host, { minLength: 1, maxLength: 6 }),
    fc.nat({ max: 5 }).map((n) => Array.from({ length: n + 1 }, (_, i) => `${NAME}-${i}`)),
  )
  fc.assert(
    fc.property(hosts, fc.array(host, { maxLength: 3 }), (first, more) => {
      const all = [...first, ...more]
      const ranks = parseIdset(`0-${all.length - 1}`.replace(/^0-0$/, '0'))
      const pods = podRanks(NAME, { hostlists: all, ranks })
      if (isUnknown(pods) || pods.unchecked !== undefined) return
      for (const [rank, one] of all.entries()) {
        assert.equal(hasId(pods.bursted, rank), one !== `${NAME}-${rank}`, `${one} at ${rank}`)
      }
    }),
  )
})

test('podRanks finds the hosts of recorded MiniClusters, and refuses no recorded answer', () => {
  const found = new Map<string, string | undefined>()
  for (const version of RECORDED_VERSIONS) {
    for (const name of recordedCases(version)) {
      for (const { type, topic, payload } of loadRecording(version, name).s2c.twin) {
        const isStatus = SCHED_STATUS_TOPICS.some((one) => one === topic)
        if (type !== 'response' || !isStatus || !isJsonObject(payload)) continue
        const { all } = payload
        if (!isJsonObject(all) || !isJsonObject(all.execution)) continue
        const { nodelist } = all.execution
        assert.ok(Array.isArray(nodelist), `${version}/${name}`)
        const ranks = ranksOf(parseResourceSet(all))
        const pods = podRanks(NAME, { hostlists: nodelist.map(String), ranks })
        assert.ok(!isUnknown(pods), `${version}/${name}`)
        assert.equal(formatIdset(pods.bursted), '', `${version}/${name}`)
        found.set(`${version}/${name}`, pods.unchecked)
      }
    }
  }
  assert.ok(found.size > 20)
  assert.ok(![...found.values()].includes('R names no hosts'))
  assert.equal(found.get('0.88.0-fluxion/mc-easy-resource-sched-status'), undefined)
})

test('PodRankCheck remembers ranks of other clusters that have left R, until they are pods of ours', () => {
  const check = new PodRankCheck(NAME)
  const bursted = (hosts: string, ranks: string) => {
    const pods = check.of({ all: ranksWith(ranks, { cores: '0' }), hostlists: [hosts] })
    return isUnknown(pods) ? pods.reason : formatIdset(pods.bursted)
  }
  assert.equal(bursted('flux-sample-[0-3],burst-0-[0-1]', '0-5'), '4-5')
  assert.equal(bursted('flux-sample-[0-3],burst-0-0', '0-4'), '4-5')
  assert.equal(bursted('flux-sample-[0-3]', '0-3'), '4-5')
  assert.equal(bursted('flux-sample-[0-4]', '0-4'), '5')
})
