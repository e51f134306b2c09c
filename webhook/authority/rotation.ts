// The rotation of the CA as a state machine of plain values: create the next CA, wait until all trust it, sign with it,
// and remove the old one when its last leaf has expired. The steps are carried out in ca-keeper.ts.
import { type CaState, createCa } from './ca-state.ts'
import { HOUR_MS, LEAF_LIFE_MS, renewalTime } from './certificate-authority.ts'

/**
 * How long a bundle must be published before it counts as trusted. Each API server watches the objects for itself: a
 * changed object is not in force everywhere at once.
 */
export const SETTLE_MS = 10_000

/** The longest life of a leaf, and an hour for clocks that differ and for replicas that notice the switch late. */
export const RETIREMENT_MS = LEAF_LIFE_MS + HOUR_MS

/** The next change of the state. */
export type Step =
  | { readonly kind: 'wait' }
  /** Create the next CA, which is trusted but does not sign yet. */
  | { readonly kind: 'prepare'; readonly reason: 'age' | 'request' }
  /** Sign with the next CA. */
  | { readonly kind: 'switch' }
  /** Remove the retired CAs whose time is over: they are no longer trusted. */
  | { readonly kind: 'drop' }
  /** Create a new CA at once, because the current one has expired and there is no other. */
  | { readonly kind: 'replace' }

/**
 * Decides the next step.
 *
 * @param now milliseconds since 1970
 * @param publishedSince since when all objects have held the state's whole bundle; `undefined` if they do not
 */
export function nextStep(state: CaState, now: number, publishedSince: number | undefined): Step {
  const { current, next, previous } = state
  const usableNext = next !== undefined && next.notAfter > now
  if (current.notAfter <= now) return { kind: usableNext ? 'switch' : 'replace' }
  if (previous.some(({ until }) => until <= now)) return { kind: 'drop' }
  if (next !== undefined) {
    // If the cluster was down for a long time, the next CA is too old: a new one replaces it.
    if (isAged(next, now)) return { kind: 'prepare', reason: 'age' }
    const settled = publishedSince !== undefined && now - publishedSince >= SETTLE_MS
    return { kind: settled ? 'switch' : 'wait' }
  }
  if (isAged(current, now)) return { kind: 'prepare', reason: 'age' }
  if (state.renew !== undefined && state.renew !== state.renewed) {
    return { kind: 'prepare', reason: 'request' }
  }
  return { kind: 'wait' }
}

/** The state after a step. A step that does not fit the state changes nothing. */
export async function takeStep(state: CaState, { kind }: Step, now: number): Promise<CaState> {
  const { current, next, previous } = state
  switch (kind) {
    case 'wait':
      return state
    case 'prepare':
      return { ...state, next: await createCa(now), renewed: state.renew }
    case 'switch': {
      if (next === undefined) return state
      const { key: _deleted, ...old } = current
      const retired = { ...old, until: now + RETIREMENT_MS }
      return {
        ...state,
        current: next,
        next: undefined,
        // No client trusts an expired CA, even if it is published.
        previous: current.notAfter <= now ? previous : [...previous, retired],
      }
    }
    case 'drop':
      return { ...state, previous: previous.filter(({ until }) => until > now) }
    case 'replace':
      return { ...state, current: await createCa(now), next: undefined, renewed: state.renew }
  }
}

function isAged(ca: { readonly notBefore: number; readonly notAfter: number }, now: number) {
  return now >= renewalTime(ca.notBefore, ca.notAfter)
}
