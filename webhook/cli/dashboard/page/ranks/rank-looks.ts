// How each state of a rank looks in the picture: a class for its colours, and a sign inside its cell. Pure.
import type { Shape } from './rank-grid.ts'

export interface Look {
  /** The class of its style. */
  readonly name: string
  readonly sign: Shape | undefined
}

const cross: Shape = (x, y, side) => {
  const inset = side * 0.22
  const long = side - 2 * inset
  return `M${x + inset} ${y + inset}l${long} ${long}m0 -${long}l-${long} ${long}`
}

const plus: Shape = (x, y, side) => {
  const inset = side * 0.25
  const long = side - 2 * inset
  return `M${x + side / 2} ${y + inset}v${long}M${x + inset} ${y + side / 2}h${long}`
}

const down: Shape = (x, y, side) => {
  const inset = side * 0.24
  const half = side / 2 - inset
  return `M${x + inset} ${y + side * 0.36}l${half} ${half}l${half} -${half}`
}

const bar: Shape = (x, y, side) => `M${x + side * 0.2} ${y + side / 2}h${side * 0.6}`

const pause: Shape = (x, y, side) => {
  const long = side * 0.5
  return `M${x + side * 0.36} ${y + side * 0.25}v${long}M${x + side * 0.64} ${y + side * 0.25}v${long}`
}

const slash: Shape = (x, y, side) => {
  const inset = side * 0.22
  const long = side - 2 * inset
  return `M${x + inset} ${y + side - inset}l${long} -${long}`
}

/** Its line has round ends. */
const dot: Shape = (x, y, side) => `M${x + side / 2} ${y + side / 2}h0.01`

/** By state (sidecar/explaining/rank-states.ts). */
export const LOOKS: ReadonlyMap<string, Look> = new Map([
  ['busy', { name: 'busy', sign: undefined }],
  ['free', { name: 'free', sign: undefined }],
  ['draining', { name: 'draining', sign: down }],
  ['leaving', { name: 'leaving', sign: down }],
  ['coming', { name: 'coming', sign: plus }],
  ['drained busy', { name: 'drained-busy', sign: cross }],
  ['drained', { name: 'drained', sign: cross }],
  ['torpid', { name: 'torpid', sign: pause }],
  ['closed', { name: 'closed', sign: bar }],
  ['lost', { name: 'lost', sign: cross }],
  ['bursted', { name: 'bursted', sign: slash }],
  ['absent', { name: 'absent', sign: dot }],
])

/** A later release of the sidecar may have more states. */
export const UNKNOWN_LOOK: Look = { name: 'other', sign: bar }
