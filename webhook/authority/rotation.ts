// The rotation of the CA as a state machine of plain values: create the next CA, wait until all trust it, sign with it,
// and remove the old one when its last leaf has expired. The steps are carried out in ca-keeper.ts.
import { type CaState, createCa, type SigningCa, type TrustedCa, toTrustedCa } from './ca-state.ts'
import {
  CA_TERM_MS,
  crossSign,
  HOUR_MS,
  LEAF_LIFE_MS,
  renewalTime,
} from './certificate-authority.ts'

/**
 * How long a bundle must be published before it counts as trusted. Each API server watches the objects for itself: a
 * changed object is not in force everywhere at once.
 */
export const SETTLE_MS = 10_000

/** The longest life of a leaf, and an hour for clocks that differ and for replicas that notice the switch late. */
export const RETIREMENT_MS = LEAF_LIFE_MS + HOUR_MS

/**
 * How many cross-certificates are kept. By age there are never more than eight; the others are for renewals by hand. Each
 * makes a handshake with the webhook 600 bytes longer.
 */
export const MAX_CROSSED = 16

/** Why a CA is not used any longer: it is old, a person asked for it, or a clock that was ahead made it. */
export type Reason = 'age' | 'request' | 'clock'

/** The next change of the state. */
export type Step =
  | { readonly kind: 'wait' }
  /** Create the next CA, which is trusted but does not sign yet. */
  | { readonly kind: 'prepare'; readonly reason: Reason }
  /** Sign with the next CA. */
  | { readonly kind: 'switch' }
  /** Remove the retired CAs whose time is over: they are no longer trusted. */
  | { readonly kind: 'drop' }
  /** Create a new CA at once, because no client accepts the current one and there is no other. */
  | { readonly kind: 'replace'; readonly reason: 'age' | 'clock' }

/**
 * Decides the next step.
 *
 * @param now milliseconds since 1970
 * @param publishedSince since when all objects have held the state's whole bundle; `undefined` if they do not
 */
export function nextStep(state: CaState, now: number, publishedSince: number | undefined): Step {
  const { current, next, previous } = state
  const unusable = whyUnusable(current, now)
  if (unusable !== undefined) {
    const usableNext = next !== undefined && whyUnusable(next, now) === undefined
    return usableNext ? { kind: 'switch' } : { kind: 'replace', reason: unusable }
  }
  if (previous.some(({ until }) => until <= now)) return { kind: 'drop' }
  if (next !== undefined) {
    // If the cluster was down for a long time, the next CA is too old: a new one replaces it.
    const reason = whyUnusable(next, now) ?? (isAged(next, now) ? 'age' : undefined)
    if (reason !== undefined) return { kind: 'prepare', reason }
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
  const { next, previous } = state
  switch (kind) {
    case 'wait':
      return state
    case 'prepare':
      return { ...state, next: await createCa(now), renewed: state.renew }
    case 'switch':
      return next === undefined ? state : succeed(state, next, now)
    case 'drop':
      return { ...state, previous: previous.filter(({ until }) => until > now) }
    case 'replace':
      return { ...(await succeed(state, await createCa(now), now)), renewed: state.renew }
  }
}

/** The current CA signs its successor, and then its key is deleted. */
async function succeed(state: CaState, successor: SigningCa, now: number): Promise<CaState> {
  const { current, previous, crossed } = state
  const successors = { ...state, current: successor, next: undefined }
  // No client trusts an expired CA, or what it has signed, even if it is published.
  if (current.notAfter <= now) return { ...successors, crossed: [] }
  const { key: _deleted, ...old } = current
  const cross = toTrustedCa(await crossSign(current, successor.certificate))
  return {
    ...successors,
    previous: [...previous, { ...old, until: now + RETIREMENT_MS }],
    crossed: [...crossed.filter(({ notAfter }) => notAfter > now), cross].slice(-MAX_CROSSED),
  }
}

/** Why no client accepts a CA at this time; `undefined` if clients do. */
function whyUnusable({ notBefore, notAfter }: TrustedCa, now: number): 'age' | 'clock' | undefined {
  if (notAfter <= now) return 'age'
  return notBefore > now ? 'clock' : undefined
}

/** A CA that a person has put into the Secret may have a short life. */
function isAged({ notBefore, notAfter }: TrustedCa, now: number): boolean {
  return now >= Math.min(notBefore + CA_TERM_MS, renewalTime(notBefore, notAfter))
}
