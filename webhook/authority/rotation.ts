// How the CA is renewed, as a state machine of plain values: make the next one, let everyone trust it, sign with it,
// and forget the old one when its last leaf has ended. Who carries the steps out is no matter here.
import { type CaState, createCa } from './ca-state.ts'
import { HOUR_MS, LEAF_LIFE_MS, renewalTime } from './certificate-authority.ts'

/**
 * API servers learn of a changed webhook configuration by watch, each for itself; an object that reads right is not yet
 * one that is in force everywhere.
 */
export const SETTLE_MS = 10_000

/** The longest life of a leaf, and an hour for clocks that differ and replicas that learn late of the switch. */
export const RETIREMENT_MS = LEAF_LIFE_MS + HOUR_MS

/** What is to be done to the state next. */
export type Step =
  | { readonly kind: 'wait' }
  /** Make the next CA, to be trusted and not to sign yet. */
  | { readonly kind: 'prepare'; readonly reason: 'age' | 'request' }
  /** Sign with the next CA. */
  | { readonly kind: 'switch' }
  /** Trust no longer what was retired. */
  | { readonly kind: 'drop' }
  /** The current CA has expired and nothing else is there: begin anew, without overlap. */
  | { readonly kind: 'replace' }

/**
 * Decides.
 *
 * @param now milliseconds since 1970
 * @param publishedSince since when all objects were seen holding the state's whole bundle; `undefined`: they do not
 */
export function nextStep(state: CaState, now: number, publishedSince: number | undefined): Step {
  const { current, next, previous } = state
  const usableNext = next !== undefined && next.notAfter > now
  if (current.notAfter <= now) return { kind: usableNext ? 'switch' : 'replace' }
  if (previous.some(({ until }) => until <= now)) return { kind: 'drop' }
  if (next !== undefined) {
    // Left lying by a cluster that was down for long: a newer one is made in its place.
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

/** The state after a step. A step that does not fit the state leaves it as it is. */
export async function takeStep(state: CaState, { kind }: Step, now: number): Promise<CaState> {
  const { current, next, previous } = state
  switch (kind) {
    case 'wait':
      return state
    case 'prepare':
      return { ...state, next: await createCa(now), renewed: state.renew }
    case 'switch': {
      if (next === undefined) return state
      const { key: _gone, ...old } = current
      const retired = { ...old, until: now + RETIREMENT_MS }
      return {
        ...state,
        current: next,
        next: undefined,
        // What has expired is trusted by nobody, published or not.
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
