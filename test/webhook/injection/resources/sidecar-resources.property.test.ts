// Random pods in namespaces with random policies: a pod that Kubernetes admits without the sidecar is admitted with it, or left
// alone with a reason, and only where no amounts would do.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Policies,
  type Resources,
  sidecarResources,
} from '../../../../webhook/injection/resources/sidecar-resources.ts'
import type { Pod } from '../../../../webhook/objects/pod.ts'
import {
  asReviewed,
  asStored,
  isGuaranteed,
  type LimitRangeItem,
  type Quota,
  type ResourceRequirements,
  type RuledContainer,
  type RuledPod,
  type Rules,
  refusals,
} from '../../../support/resource-rules.ts'
import { runs } from '../../../support/runs.ts'
import { leadPod } from '../../support-objects.ts'

const CPUS = ['0', '10m', '25m', '50m', '100m', '150m', '333m', '500m', '1', '2', '4']
const MEMORIES = ['0', '32Mi', '64Mi', '96Mi', '100Mi', '128Mi', '160Mi', '256Mi', '1Gi', '2Gi']
const STORAGES = ['64Mi', '128Mi', '1Gi', '2Gi']
const RATIOS = ['1', '1.1', '1.5', '2', '3', '4', '10', '40']

type Texts = Record<string, string>

/** A map with some of the resources; each is absent once in `absence` times. */
function amounts(absence: number): fc.Arbitrary<Texts> {
  const some = (texts: readonly string[], freq: number) =>
    fc.option(fc.constantFrom(...texts), { nil: undefined, freq })
  const storage = fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(...STORAGES) },
  )
  return fc
    .record({
      cpu: some(CPUS, absence),
      memory: some(MEMORIES, absence),
      'ephemeral-storage': storage,
    })
    .map(withoutAbsent)
}

/** Of a pod: Kubernetes knows only these two there. */
const ownAmounts = amounts(2).map(({ 'ephemeral-storage': _storage, ...own }): Texts => own)

function withoutAbsent(record: Readonly<Record<string, string | undefined>>): Texts {
  const entries = Object.entries(record).flatMap(([name, text]) =>
    text === undefined ? [] : [[name, text]],
  )
  return Object.fromEntries(entries)
}

const resources: fc.Arbitrary<ResourceRequirements> = fc.oneof(
  fc.record({ requests: amounts(4), limits: amounts(4) }),
  fc.record({ requests: amounts(4) }),
  fc.record({ limits: amounts(9) }),
  fc.constantFrom({}, { limits: { cpu: '1', memory: '1Gi' } }),
)

const containers = (length: { minLength: number; maxLength: number }, isInit: boolean) =>
  fc.array(
    fc.record(
      {
        name: fc.constant('a'),
        resources,
        restartPolicy: isInit ? fc.constant('Always') : fc.constant('Never'),
      },
      { requiredKeys: ['name', 'resources'] },
    ),
    length,
  )

const pods: fc.Arbitrary<RuledPod> = fc.record(
  {
    containers: containers({ minLength: 1, maxLength: 2 }, false).map((all) =>
      all.map(({ name, resources: its }): RuledContainer => ({ name, resources: its ?? {} })),
    ),
    initContainers: containers({ minLength: 0, maxLength: 2 }, true),
    resources: fc.oneof(
      fc.record({ limits: ownAmounts }),
      fc.record({ requests: ownAmounts, limits: ownAmounts }),
    ),
    overhead: fc.constant({ cpu: '50m' }),
  },
  { requiredKeys: ['containers', 'initContainers'] },
)

const ratios = fc
  .record({
    cpu: fc.option(fc.constantFrom(...RATIOS), { nil: undefined, freq: 2 }),
    memory: fc.option(fc.constantFrom(...RATIOS), { nil: undefined, freq: 2 }),
  })
  .map(withoutAbsent)

const items: fc.Arbitrary<LimitRangeItem> = fc.record(
  {
    type: fc.constantFrom('Container', 'Pod'),
    min: amounts(2),
    max: amounts(2),
    default: amounts(2),
    defaultRequest: amounts(2),
    maxLimitRequestRatio: ratios,
  },
  { requiredKeys: ['type'] },
)

const HARD = ['cpu', 'requests.cpu', 'limits.cpu', 'memory', 'requests.memory', 'limits.memory']

const quotas: fc.Arbitrary<Quota> = fc
  .record({
    names: fc.subarray([...HARD, 'pods'], { minLength: 1, maxLength: 3 }),
    most: fc.constantFrom('500m', '2', '6'),
    memory: fc.constantFrom('256Mi', '1Gi', '4Gi'),
    scopes: fc.constantFrom([], [], ['NotBestEffort'], ['BestEffort'], ['NotTerminating']),
  })
  .map(({ names, most, memory, scopes }) => {
    const hard = names.map((name) => [
      name,
      name.includes('memory') ? memory : name === 'pods' ? '1' : most,
    ])
    const used = names.map((name) => [name, '0'])
    return { name: 'q', scopes, hard: Object.fromEntries(hard), used: Object.fromEntries(used) }
  })

const cases = fc.record({
  pod: pods,
  rules: fc.record({
    limitRanges: fc.array(fc.array(items, { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
    quotas: fc.array(quotas, { maxLength: 2 }),
    setsRequestsLate: fc.boolean(),
  }),
  isNative: fc.boolean(),
  seed: fc.array(
    fc.tuple(
      fc.constantFrom(...CPUS),
      fc.constantFrom(...CPUS),
      fc.constantFrom(...MEMORIES),
      fc.constantFrom(...MEMORIES),
    ),
    { minLength: 20, maxLength: 20 },
  ),
})

function policiesOf({ limitRanges, quotas: all }: Rules): Policies {
  return {
    limitRanges: limitRanges.map((limits, index) => ({
      metadata: { name: `l${index}` },
      spec: { limits: limits.map(asStored) },
    })),
    quotas: all.map(({ name, scopes, hard, used }) => ({
      metadata: { name },
      spec: { scopes: [...(scopes ?? [])] },
      status: { hard, used },
    })),
  }
}

function podOf({ containers: all, initContainers, ...spec }: RuledPod): Pod {
  const named = (list: readonly RuledContainer[]) => list.map((container) => ({ ...container }))
  return leadPod({
    spec: { containers: named(all), initContainers: named(initContainers), ...spec },
  })
}

function withSidecar(pod: RuledPod, { requests, limits }: Resources, isNative: boolean): RuledPod {
  const sidecar = {
    name: 'flux-metrics',
    resources: { requests: { ...requests }, limits: { ...limits } },
  }
  return isNative
    ? { ...pod, initContainers: [...pod.initContainers, { ...sidecar, restartPolicy: 'Always' }] }
    : { ...pod, containers: [...pod.containers, sidecar] }
}

const DEFAULTS: Resources = {
  requests: { cpu: '25m', memory: '64Mi' },
  limits: { cpu: '1', memory: '128Mi' },
}

/** Amounts that the sidecar could run with, some of them by chance. */
function candidates(
  seed: readonly (readonly [string, string, string, string])[],
): readonly Resources[] {
  return seed
    .map(([a, b, c, d]) => ({ requests: { cpu: a, memory: c }, limits: { cpu: b, memory: d } }))
    .filter(
      ({ requests, limits }) =>
        CPUS.indexOf(requests.cpu) >= CPUS.indexOf('10m') &&
        CPUS.indexOf(limits.cpu) >= CPUS.indexOf('50m') &&
        MEMORIES.indexOf(requests.memory) >= MEMORIES.indexOf('32Mi') &&
        MEMORIES.indexOf(limits.memory) >= MEMORIES.indexOf('96Mi'),
    )
}

/** Kubernetes takes a limit of 0 for none: this pod has no requests before the sidecar, and those of the sidecar after it. */
const LIMIT_OF_0 = {
  pod: {
    containers: [{ name: 'a', resources: {} }],
    initContainers: [],
    resources: { limits: { memory: '0' } },
  },
  rules: {
    limitRanges: [],
    quotas: [
      {
        name: 'q',
        scopes: ['NotBestEffort'],
        hard: { 'limits.cpu': '500m' },
        used: { 'limits.cpu': '0' },
      },
    ],
    setsRequestsLate: true,
  },
  isNative: false,
  seed: [],
}

const seen = { admitted: 0, adapted: 0, left: 0 }

test('a pod that Kubernetes admits is admitted with the sidecar too, or left alone where nothing fits', () => {
  fc.assert(
    fc.property(cases, ({ pod: created, rules, isNative, seed }) => {
      const pod = asReviewed(created, rules)
      fc.pre(refusals(pod, rules).length === 0)
      const fitted = sidecarResources(podOf(pod), {}, policiesOf(rules))
      if (fitted.kind === 'misfit') {
        seen.left += 1
        assert.match(fitted.why, /LimitRange|ResourceQuota|spec\.resources/)
        const keepsQuality = (after: RuledPod) => isGuaranteed(pod) === isGuaranteed(after)
        for (const amount of candidates(seed)) {
          // As an ordinary container: Kubernetes forgets to compare limits of init containers with the pod's.
          const after = withSidecar(pod, amount, false)
          assert.ok(
            refusals(after, rules).length > 0 || !keepsQuality(after),
            JSON.stringify(amount),
          )
        }
        return
      }
      const after = withSidecar(pod, fitted, isNative)
      assert.deepEqual(refusals(after, rules), [])
      assert.equal(isGuaranteed(after), isGuaranteed(pod))
      const asDefault = withSidecar(pod, DEFAULTS, isNative)
      const isUsual = JSON.stringify(fitted).includes(JSON.stringify(DEFAULTS).slice(1, -1))
      seen[isUsual ? 'admitted' : 'adapted'] += 1
      if (!isUsual && pod.resources === undefined && !isGuaranteed(pod)) {
        const hasOthers = Object.keys(fitted.limits).length > 2
        assert.ok(hasOthers || refusals(asDefault, rules).length > 0, 'adapted without need')
      }
    }),
    { numRuns: runs(2_000), maxSkipsPerRun: 1_000, seed: 137, examples: [[LIMIT_OF_0]] },
  )
  assert.ok(Math.min(seen.admitted, seen.adapted, seen.left) >= runs(100), JSON.stringify(seen))
})
