// The rules of `spec.behavior`: windows over which recommendations are stabilized, and policies that limit how fast the
// size changes. Pure.
import { addInt32, toInt32 } from './int32.ts'
import type { ScalingPolicy, ScalingRules } from './spec.ts'

export type Direction = 'scaleUp' | 'scaleDown'

/** Scaling rules whose defaults are filled in. */
export interface CompleteRules {
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

/** Fills in the defaults of the API server and of the controller. */
export function rulesFor(
  direction: Direction,
  rules: ScalingRules | undefined,
  { stabilizationSeconds }: { readonly stabilizationSeconds: number },
): CompleteRules {
  return {
    stabilizationMs: (rules?.stabilizationWindowSeconds ?? stabilizationSeconds) * 1000,
    selectPolicy: rules?.selectPolicy ?? 'Max',
    policies: rules?.policies ?? DEFAULT_POLICIES[direction],
  }
}

/** A number of replicas (recommended, added or removed) and its time. */
export interface DatedReplicas {
  readonly at: number
  readonly replicas: number
}

/** Keeps the entries that are younger than the window. */
export function within(
  all: readonly DatedReplicas[],
  { now, windowMs }: { readonly now: number; readonly windowMs: number },
): readonly DatedReplicas[] {
  return all.filter(({ at }) => at > now - windowMs)
}

/** The changes of size that this HPA made. Changes that others made are not counted. */
export type ScaleEvents = Readonly<Record<Direction, readonly DatedReplicas[]>>

/** Adds an event. It replaces the last event that is older than the period of every policy of its direction, if there is one. */
export function addEvent(
  events: readonly DatedReplicas[],
  event: DatedReplicas,
  { policies }: CompleteRules,
): readonly DatedReplicas[] {
  const longestMs = Math.max(0, ...policies.map(({ periodSeconds }) => periodSeconds * 1000))
  const outdated = events.findLastIndex(({ at }) => at < event.at - longestMs)
  return outdated === -1 ? [...events, event] : events.with(outdated, event)
}

/** The policies limit a change of this size at this time. */
export interface PolicyInput {
  readonly now: number
  /** The present size. */
  readonly replicas: number
  readonly events: ScaleEvents
}

/**
 * The farthest size that the policies of a direction allow now. After earlier changes it may lie on the other side of the
 * present size.
 */
export function limitOf(
  direction: Direction,
  { selectPolicy, policies }: CompleteRules,
  { now, replicas, events }: PolicyInput,
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

function sum(events: readonly DatedReplicas[]): number {
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
