// Which settings of bursting and hosts get a warning.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adviseOnSpec } from '../../../../webhook/admission/advice/spec-advice.ts'
import type { MiniCluster } from '../../../../webhook/objects/minicluster.ts'
import { miniCluster, SCHEDULER } from '../../support-objects.ts'

type Flux = NonNullable<NonNullable<MiniCluster['spec']>['flux']>

function advise(flux: Flux): readonly string[] {
  return adviseOnSpec(miniCluster({ spec: { flux: { ...SCHEDULER, ...flux } } })).bursting
}

/** A configuration with these hosts. */
function hosts(...lists: readonly string[]): Flux {
  const tables = lists.map((list) => `{ host = "${list}" }`).join(', ')
  return { brokerConfig: `[bootstrap]\ncurve_cert = "/x"\nhosts = [${tables}]\n` }
}

function hostlist(text: string): Flux {
  return { bursting: { hostlist: text } }
}

const COUNTED = /not counted in sizes and nodes, never drained/
const WRONG = /: sizes are errors$|, and sizes are errors$/
const UNCHECKED = /rank i is taken for the pod of index i$/

const CASES: readonly (readonly [what: string, flux: Flux, warning: RegExp | undefined])[] = [
  ['nothing', {}, undefined],
  ['no bursting', { bursting: {} }, undefined],
  [
    'what the API server writes for no bursting',
    { bursting: { leadBroker: null, hostlist: '' } },
    undefined,
  ],
  ['clusters', { bursting: { clusters: [{ name: 'burst-0' }] } }, COUNTED],
  ['a cluster without a name', { bursting: { clusters: [{}] } }, COUNTED],
  [
    'a cluster with the name of the MiniCluster',
    { bursting: { clusters: [{ name: 'flux-sample' }] } },
    WRONG,
  ],
  [
    'a cluster with the name of the MiniCluster beside another one',
    { bursting: { clusters: [{ name: 'burst-0' }, { name: 'flux-sample' }] } },
    WRONG,
  ],
  ['a lead broker elsewhere', { bursting: { leadBroker: { address: '10.0.0.1' } } }, WRONG],
  ['a hostlist with the pods alone', hostlist('flux-sample-[0-3]'), undefined],
  [
    'a hostlist with virtual machines',
    hostlist('flux-sample-[0-3],gffw-compute-a-[001-003]'),
    COUNTED,
  ],
  ['a hostlist in another order', hostlist('gffw-compute-a-[001-003],flux-sample-[0-3]'), WRONG],
  ['a hostlist without pods', hostlist('gffw-compute-a-[001-003]'), UNCHECKED],
  ['a hostlist that is none', hostlist('flux-sample-[0-'), WRONG],
  ['a configuration without hosts', { brokerConfig: '[access]\n' }, undefined],
  ['a configuration with the pods', hosts('flux-sample-[0-3]'), undefined],
  ['a configuration with the pods one by one', hosts('flux-sample-0', 'flux-sample-1'), undefined],
  [
    'a configuration with pods by domain',
    hosts('flux-sample-0.flux.default.svc.cluster.local'),
    undefined,
  ],
  ['a configuration with other hosts', hosts('flux-sample-[0-1]', 'n[1-2]'), COUNTED],
  ['a configuration in another order', hosts('flux-sample-[1,0]'), WRONG],
  ['a configuration with hosts of the user', hosts('node[1-3]'), UNCHECKED],
  [
    'a configuration that replaces bursting',
    { ...hosts('flux-sample-[0-1]'), ...hostlist('n1') },
    undefined,
  ],
  ['a configuration that is no TOML', { brokerConfig: 'a =\n' }, undefined],
]

for (const [what, flux, warning] of CASES) {
  test(`adviseOnBursting warns ${warning === undefined ? 'of nothing' : 'once'} given ${what}`, () => {
    const warnings = advise(flux)
    assert.equal(warnings.length, warning === undefined ? 0 : 1)
    if (warning !== undefined) assert.match(warnings[0] ?? '', warning)
  })
}

test('adviseOnBursting names the setting, and keeps warnings under 200 characters', () => {
  const settings = CASES.flatMap(([, flux]) => advise(flux))
  assert.ok(settings.length > 10)
  for (const warning of settings) {
    assert.match(
      warning,
      /^spec\.flux\.(bursting\.(clusters|hostlist|leadBroker)|brokerConfig \(hosts\)): /,
    )
    assert.ok(warning.length < 200, warning)
  }
})

test('adviseOnBursting reads hosts up to its limit', () => {
  const pods = 'flux-sample-0,flux-sample-1'
  const padded = (length: number) => pods.padEnd(length, ',')
  assert.deepEqual(advise(hostlist(padded(16_384))), [])
  assert.match(advise(hostlist(padded(16_385)))[0] ?? '', /not checked, 16385 characters/)
})

test('adviseOnBursting reads no hosts that would fill the heap', () => {
  assert.match(advise(hostlist('a,'.repeat(500_000)))[0] ?? '', /not checked, 1000000 characters/)
  assert.match(advise(hostlist('h[0-131071],'.repeat(1_000)))[0] ?? '', WRONG)
})
