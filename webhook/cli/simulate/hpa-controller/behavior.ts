// What `behavior` allows: windows that steady recommendations, and policies that limit how fast sizes change. Pure.
import { addInt32, toInt32 } from './int32.ts'
import type { ScalingPolicy, ScalingRules } from './spec.ts'

export type Direction = 'scaleUp' | 'scaleDown'

/** Rules with nothing left open. */
export interface Rules {
  readonly stabilizationMs: number
  readonly selectPolicy: NonNullable<ScalingRules['selectPolicy']>
  readonly policies: readonly ScalingPolicy[]
}

const DEFAULT_POLICIES: Readonly<Record<Direction, readonly ScalingPolicy[]>> = {
  scaleUp: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
  scaleDown: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
}

/** Rules as the API server and the controller complete them. */
export function rulesFor(
  direction: Direction,
  rules: ScalingRules | undefined,
  { stabilizationSeconds }: { readonly stabilizationSeconds: number },
): Rules {
  return {
    stabilizationMs: (rules?.stabilizationWindowSeconds ?? stabilizationSeconds) * 1000,
    selectPolicy: rules?.selectPolicy ?? 'Max',
    policies: rules?.policies ?? DEFAULT_POLICIES[direction],
  }
}

/** Replicas recommended, added or removed, and when. */
export interface Dated {
  readonly at: number
  readonly replicas: number
}

/** Those that a window still holds. */
export function within(
  all: readonly Dated[],
  { now, windowMs }: { readonly now: number; readonly windowMs: number },
): readonly Dated[] {
  return all.filter(({ at }) => at > now - windowMs)
}

/** The changes of size that an HPA made. It never looks at those that others made. */
export type ScaleEvents = Readonly<Record<Direction, readonly Dated[]>>

/** Adds an event in the place of the last one that is older than every policy of its own direction, if there is one. */
export function addEvent(
  events: readonly Dated[],
  event: Dated,
  { policies }: Rules,
): readonly Dated[] {
  const longestMs = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds * 1000))
  const outdated = events.findLastIndex(({ at }) => at < event.at - longestMs)
  return outdated === -1 ? [...events, event] : events.with(outdated, event)
}

/** What policies are applied to. */
export interface Pace {
  readonly now: number
  /** The present size. */
  readonly replicas: number
  readonly events: ScaleEvents
}

/** The size that a direction's policies allow to go to now; it may be on the other side of the present one. */
export function limitOf(
  direction: Direction,
  { selectPolicy, policies }: Rules,
  { now, replicas, events }: Pace,
): number {
  if (selectPolicy === 'Disabled') return replicas
  const limits = policies.map((policy) => {
    const windowMs = policy.periodSeconds * 1000
    const added = sum(within(events.scaleUp, { now, windowMs }))
    const removed = sum(within(events.scaleDown, { now, windowMs }))
    const before = addInt32(addInt32(replicas, -added), removed)
    return direction === 'scaleUp' ? raised(before, policy) : lowered(before, policy)
  })
  const isHighest = (direction === 'scaleUp') === (selectPolicy === 'Max')
  return isHighest ? Math.max(...limits) : Math.min(...limits)
}

function sum(events: readonly Dated[]): number {
  return events.reduce((total, { replicas }) => addInt32(total, replicas), 0)
}

function raised(replicas: number, { type, value }: ScalingPolicy): number {
  if (type === 'Pods') return addInt32(replicas, value)
  return toInt32(Math.ceil(replicas * (1 + value / 100)))
}

function lowered(replicas: number, { type, value }: ScalingPolicy): number {
  if (type === 'Pods') return addInt32(replicas, -value)
  return toInt32(replicas * (1 - value / 100))
}
