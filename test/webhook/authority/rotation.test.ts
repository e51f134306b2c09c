import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bundleOf, type CaState, type SigningCa } from '../../../webhook/authority/ca-state.ts'
import {
  CA_LIFE_MS,
  HOUR_MS,
  LEAF_LIFE_MS,
} from '../../../webhook/authority/certificate-authority.ts'
import {
  nextStep,
  RETIREMENT_MS,
  SETTLE_MS,
  type Step,
  takeStep,
} from '../../../webhook/authority/rotation.ts'

const NOW = Date.parse('2030-05-01T12:00:00Z')

/** A CA of age 0. The state machine reads only its times. */
function ca(name: string, ageMs = 0): SigningCa {
  const made = NOW - ageMs
  return { certificate: name, key: `key of ${name}`, notBefore: made, notAfter: made + CA_LIFE_MS }
}

function state(changes: Partial<CaState> = {}): CaState {
  const renewals = { renew: undefined, renewed: undefined }
  return { current: ca('current'), next: undefined, previous: [], ...renewals, ...changes }
}

function retired(name: string, until: number) {
  const { certificate, notBefore, notAfter } = ca(name)
  return { certificate, notBefore, notAfter, until }
}

const TWO_THIRDS_MS = (CA_LIFE_MS * 2) / 3
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
    when: 'two thirds are not over',
    state: state({ current: ca('current', TWO_THIRDS_MS - 1) }),
    step: { kind: 'wait' },
  },
  {
    when: 'two thirds are over',
    state: state({ current: ca('current', TWO_THIRDS_MS) }),
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
    state: state({ current: ca('current', TWO_THIRDS_MS), next: ca('next', TWO_THIRDS_MS) }),
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
    step: { kind: 'replace' },
  },
  {
    when: 'the CA has expired and the next one is there, published or not',
    state: state({ current: ca('current', CA_LIFE_MS), next: ca('next', TWO_THIRDS_MS) }),
    step: { kind: 'switch' },
  },
  {
    when: 'the CA and the next one have expired',
    state: state({ current: ca('current', CA_LIFE_MS), next: ca('next', CA_LIFE_MS) }),
    since: published,
    step: { kind: 'replace' },
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

test('takeStep switches, and keeps the old certificate without its key', async () => {
  const given = state({ next: ca('next'), previous: [retired('previous', NOW + 1)] })
  assert.deepEqual(await takeStep(given, { kind: 'switch' }, NOW), {
    ...given,
    current: ca('next'),
    next: undefined,
    previous: [retired('previous', NOW + 1), retired('current', NOW + RETIREMENT_MS)],
  })
})

test('takeStep switches from an expired CA and does not keep it', async () => {
  const given = state({ current: ca('current', CA_LIFE_MS), next: ca('next') })
  assert.deepEqual(await takeStep(given, { kind: 'switch' }, NOW), state({ current: ca('next') }))
})

test('takeStep removes only the CAs whose time is over', async () => {
  const later = retired('later', NOW + 1)
  const given = state({ previous: [retired('ended', NOW), later] })
  assert.deepEqual(await takeStep(given, { kind: 'drop' }, NOW), state({ previous: [later] }))
})

test('takeStep replaces an expired CA, and records a requested renewal as done', async () => {
  const given = state({ current: ca('current', CA_LIFE_MS), next: ca('next'), renew: '1' })
  const { current, ...rest } = await takeStep(given, { kind: 'replace' }, NOW)
  assert.equal(current.notAfter, NOW + CA_LIFE_MS)
  assert.deepEqual(rest, { next: undefined, previous: [], renew: '1', renewed: '1' })
})

test('a switch does not change the text of the bundle', async () => {
  const given = state({ next: ca('next'), previous: [retired('previous', NOW + 1)] })
  assert.equal(bundleOf(given), 'previouscurrentnext')
  assert.equal(bundleOf(await takeStep(given, { kind: 'switch' }, NOW)), bundleOf(given))
})

/** One step: the time since the last one, whether the objects hold the bundle, whether a renewal is requested. */
const look = fc.record({
  passedMs: fc.constantFrom(1_000, SETTLE_MS, HOUR_MS, 20 * HOUR_MS, 30 * 24 * HOUR_MS),
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

test('a CA is trusted before it signs and after it has signed, whatever happens when', async () => {
  const property = fc.asyncProperty(fc.array(look, { maxLength: 25 }), async (looks) => {
    let now = NOW
    let since: number | undefined
    let held: CaState = state({ current: ca('first') })
    /** When each CA signed last. */
    const signed = new Map<string, number>()
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
      }
      checkTrust(held, signed, now)
      if (bundleOf(held) !== bundleOf(before)) since = undefined
    }
  })
  await fc.assert(property, { numRuns: 60 })
})
