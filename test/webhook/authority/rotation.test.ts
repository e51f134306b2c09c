import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bundleOf,
  type CaState,
  createCa,
  type SigningCa,
  withChain,
} from '../../../webhook/authority/ca-state.ts'
import {
  CA_LIFE_MS,
  CA_TERM_MS,
  HOUR_MS,
  LEAF_LIFE_MS,
} from '../../../webhook/authority/certificate-authority.ts'
import {
  MAX_CROSSED,
  nextStep,
  RETIREMENT_MS,
  SETTLE_MS,
  type Step,
  takeStep,
} from '../../../webhook/authority/rotation.ts'
import { leadsTo, split } from './replicas.ts'

/** What a server shows after its own certificate. */
function chainIn(state: CaState, now: number): string {
  return withChain('', state, now).trim()
}

const NOW = Date.parse('2030-05-01T12:00:00Z')

/** A CA of age 0. The state machine reads only its times. */
function ca(name: string, ageMs = 0): SigningCa {
  const made = NOW - ageMs
  return { certificate: name, key: `key of ${name}`, notBefore: made, notAfter: made + CA_LIFE_MS }
}

function state(changes: Partial<CaState> = {}): CaState {
  const renewals = { renew: undefined, renewed: undefined }
  const lists = { previous: [], crossed: [] }
  return { current: ca('current'), next: undefined, ...lists, ...renewals, ...changes }
}

function retired(name: string, until: number) {
  return retiredCa(ca(name), until)
}

function retiredCa({ certificate, notBefore, notAfter }: SigningCa, until: number) {
  return { certificate, notBefore, notAfter, until }
}

const published = NOW - SETTLE_MS

const decisions: readonly {
  readonly when: string
  readonly state: CaState
  readonly since?: number
  readonly step: Step
}[] = [
  { when: 'a young CA is published', state: state(), since: published, step: { kind: 'wait' } },
  { when: 'a young CA is not published', state: state(), step: { kind: 'wait' } },
  {
    when: 'its term is not over',
    state: state({ current: ca('current', CA_TERM_MS - 1) }),
    step: { kind: 'wait' },
  },
  {
    when: 'its term is over',
    state: state({ current: ca('current', CA_TERM_MS) }),
    step: { kind: 'prepare', reason: 'age' },
  },
  {
    when: 'a renewal is asked for',
    state: state({ renew: 'please' }),
    step: { kind: 'prepare', reason: 'request' },
  },
  {
    when: 'another renewal is asked for',
    state: state({ renew: '2', renewed: '1' }),
    step: { kind: 'prepare', reason: 'request' },
  },
  {
    when: 'the renewal is done',
    state: state({ renew: '2', renewed: '2' }),
    step: { kind: 'wait' },
  },
  {
    when: 'the wish was taken back',
    state: state({ renewed: '2' }),
    step: { kind: 'wait' },
  },
  {
    when: 'the next CA is not published',
    state: state({ next: ca('next') }),
    step: { kind: 'wait' },
  },
  {
    when: 'the next CA was published a moment ago',
    state: state({ next: ca('next') }),
    since: published + 1,
    step: { kind: 'wait' },
  },
  {
    when: 'the next CA has settled',
    state: state({ next: ca('next') }),
    since: published,
    step: { kind: 'switch' },
  },
  {
    when: 'a renewal is asked for during another',
    state: state({ next: ca('next'), renew: '2', renewed: '1' }),
    since: published,
    step: { kind: 'switch' },
  },
  {
    when: 'the next CA has been lying around for months',
    state: state({ current: ca('current', CA_TERM_MS), next: ca('next', CA_TERM_MS) }),
    since: published,
    step: { kind: 'prepare', reason: 'age' },
  },
  {
    when: 'leafs of the previous CA may be around',
    state: state({ previous: [retired('previous', NOW + 1)] }),
    since: published,
    step: { kind: 'wait' },
  },
  {
    when: 'the last leaf of the previous CA has ended',
    state: state({ previous: [retired('previous', NOW)] }),
    step: { kind: 'drop' },
  },
  {
    when: 'the CA has expired',
    state: state({ current: ca('current', CA_LIFE_MS) }),
    since: published,
    step: { kind: 'replace', reason: 'age' },
  },
  {
    when: 'the CA has expired and the next one is there, published or not',
    state: state({ current: ca('current', CA_LIFE_MS), next: ca('next', CA_TERM_MS) }),
    step: { kind: 'switch' },
  },
  {
    when: 'a clock that was ahead made the CA',
    state: state({ current: ca('current', -1) }),
    since: published,
    step: { kind: 'replace', reason: 'clock' },
  },
  {
    when: 'a clock that was ahead made the CA and the next one is good',
    state: state({ current: ca('current', -1), next: ca('next') }),
    step: { kind: 'switch' },
  },
  {
    when: 'a clock that was ahead made the next CA',
    state: state({ next: ca('next', -1) }),
    since: published,
    step: { kind: 'prepare', reason: 'clock' },
  },
  {
    when: 'the next CA has expired',
    state: state({ next: ca('next', CA_LIFE_MS) }),
    since: published,
    step: { kind: 'prepare', reason: 'age' },
  },
  {
    when: 'two thirds of the life of a short CA are over',
    state: state({ current: { ...ca('current', 2 * HOUR_MS), notAfter: NOW + HOUR_MS } }),
    step: { kind: 'prepare', reason: 'age' },
  },
  {
    when: 'the CA and the next one have expired',
    state: state({ current: ca('current', CA_LIFE_MS), next: ca('next', CA_LIFE_MS) }),
    since: published,
    step: { kind: 'replace', reason: 'age' },
  },
]

for (const { when, state: given, since, step } of decisions) {
  test(`nextStep is ${step.kind} when ${when}`, () => {
    assert.deepEqual(nextStep(given, NOW, since), step)
  })
}

test('takeStep prepares a next CA and records the requested renewal', async () => {
  const given = state({ renew: '2', renewed: '1', previous: [retired('previous', NOW + 1)] })
  const { next, ...rest } = await takeStep(given, { kind: 'prepare', reason: 'request' }, NOW)
  assert.equal(next?.notAfter, NOW + CA_LIFE_MS)
  const { next: _none, ...expected } = { ...given, renewed: '2' }
  assert.deepEqual(rest, expected)
})

const first = await createCa(NOW)
const second = await createCa(NOW)

test('takeStep switches, and keeps the old certificate without its key', async () => {
  const previous = [retired('previous', NOW + 1)]
  const given = state({ current: first, next: second, previous })
  const { crossed, ...rest } = await takeStep(given, { kind: 'switch' }, NOW)
  const { crossed: _none, ...expected } = {
    ...given,
    current: second,
    next: undefined,
    previous: [...previous, retiredCa(first, NOW + RETIREMENT_MS)],
  }
  assert.deepEqual(rest, expected)
  assert.equal(crossed.length, 1)
})

test('takeStep lets the old CA sign the next one', async () => {
  const given = state({ current: first, next: second })
  const after = await takeStep(given, { kind: 'switch' }, NOW)
  assert.ok(leadsTo(second.certificate, { from: first.certificate, chain: chainIn(after, NOW) }))
  const stranger = await createCa(NOW)
  assert.ok(
    !leadsTo(second.certificate, { from: stranger.certificate, chain: chainIn(after, NOW) }),
  )
})

test('takeStep switches from an expired CA and keeps nothing of it', async () => {
  const { crossed } = await takeStep(
    state({ current: first, next: second }),
    { kind: 'switch' },
    NOW,
  )
  const given = state({ current: ca('current', CA_LIFE_MS), next: ca('next'), crossed })
  assert.deepEqual(await takeStep(given, { kind: 'switch' }, NOW), state({ current: ca('next') }))
})

test('takeStep removes only the CAs whose time is over', async () => {
  const later = retired('later', NOW + 1)
  const given = state({ previous: [retired('ended', NOW), later] })
  assert.deepEqual(await takeStep(given, { kind: 'drop' }, NOW), state({ previous: [later] }))
})

test('takeStep replaces an expired CA, and records a requested renewal as done', async () => {
  const given = state({ current: ca('current', CA_LIFE_MS), next: ca('next'), renew: '1' })
  const step = { kind: 'replace', reason: 'age' } as const
  const { current, ...rest } = await takeStep(given, step, NOW)
  assert.equal(current.notAfter, NOW + CA_LIFE_MS)
  const none = { next: undefined, previous: [], crossed: [] }
  assert.deepEqual(rest, { ...none, renew: '1', renewed: '1' })
})

test('takeStep replaces a CA of a clock that was ahead, and still trusts it: our own clock may be behind', async () => {
  const ahead = await createCa(NOW + 48 * HOUR_MS)
  const step = { kind: 'replace', reason: 'clock' } as const
  const after = await takeStep(state({ current: ahead }), step, NOW)
  assert.deepEqual(nextStep(after, NOW, undefined), { kind: 'wait' })
  assert.deepEqual(after.previous, [retiredCa(ahead, NOW + RETIREMENT_MS)])
  const path = { from: ahead.certificate, chain: chainIn(after, NOW) }
  assert.ok(leadsTo(after.current.certificate, path))
})

test('a switch does not change the text of the bundle', async () => {
  const previous = [retired('previous', NOW + 1)]
  const given = state({ current: first, next: second, previous })
  assert.equal(bundleOf(given), `previous${first.certificate}${second.certificate}`)
  assert.equal(bundleOf(await takeStep(given, { kind: 'switch' }, NOW)), bundleOf(given))
})

test('renewals without end keep as many certificates as are useful', async () => {
  let held = state({ current: first })
  for (let count = 0; count < MAX_CROSSED + 2; count += 1) {
    held = await takeStep({ ...held, next: await createCa(NOW) }, { kind: 'switch' }, NOW)
  }
  assert.equal(split(chainIn(held, NOW)).length, MAX_CROSSED)
  const later = NOW + CA_LIFE_MS
  assert.equal(chainIn(held, later), '')
  const next = await createCa(later)
  const { crossed } = await takeStep(
    { ...held, current: await createCa(later), next },
    { kind: 'switch' },
    later,
  )
  assert.equal(crossed.length, 1)
})

/** One step: the time since the last one, whether the objects hold the bundle, whether a renewal is requested. */
const look = fc.record({
  passedMs: fc.constantFrom(1_000, SETTLE_MS, HOUR_MS, 20 * HOUR_MS, 100 * 24 * HOUR_MS),
  holds: fc.boolean(),
  wish: fc.boolean(),
})

/** Asserts what must hold of a switch. */
function checkSwitch(before: CaState, after: CaState, settledMs: number): void {
  if (after.current === before.current) return
  assert.ok(settledMs >= SETTLE_MS)
  assert.ok(bundleOf(before).includes(after.current.certificate))
}

/** Asserts that each CA that signed within the life of a leaf is trusted. */
function checkTrust(state: CaState, signed: ReadonlyMap<string, number>, now: number): void {
  for (const [certificate, last] of signed) {
    if (now < last + LEAF_LIFE_MS) assert.ok(bundleOf(state).includes(certificate))
  }
}

/** Asserts that a pod of any time finds its way, as long as the CA of its creation is valid. */
function checkPods(state: CaState, pods: ReadonlyMap<string, number>, now: number): void {
  for (const [from, end] of pods) {
    const way = leadsTo(state.current.certificate, { from, chain: chainIn(state, now) })
    assert.equal(way, now < end)
  }
}

test('a CA is trusted before it signs and after it has signed, and leads to the next ones, whatever happens when', async () => {
  const property = fc.asyncProperty(fc.array(look, { maxLength: 25 }), async (looks) => {
    let now = NOW
    let since: number | undefined
    let held: CaState = state({ current: first })
    /** When each CA signed last. */
    const signed = new Map<string, number>()
    /** The CA that a pod was given at its creation, and when it expires. */
    let pods = new Map([[first.certificate, first.notAfter]])
    for (const [index, { passedMs, holds, wish }] of looks.entries()) {
      now += passedMs
      since = holds ? (since ?? now) : undefined
      const before = wish ? { ...held, renew: `${index}` } : held
      held = await takeStep(before, nextStep(before, now, since), now)
      assert.ok(held.current.notAfter > now)
      // No leaf of an expired CA is valid.
      if (before.current.notAfter > now) {
        checkSwitch(before, held, now - (since ?? now))
        signed.set(before.current.certificate, now)
      } else {
        pods = new Map()
      }
      checkTrust(held, signed, now)
      pods.set(held.current.certificate, held.current.notAfter)
      checkPods(held, pods, now)
      if (bundleOf(held) !== bundleOf(before)) since = undefined
    }
  })
  await fc.assert(property, { numRuns: 40 })
})
