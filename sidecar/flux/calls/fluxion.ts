// The meaning of Fluxion's settings for jobs (flux-config-sched-fluxion-qmanager(5), flux-config-sched-fluxion-resource(5)),
// with Fluxion's defaults for settings that are not set. Pure.

/** Settings. `undefined` is the default. */
export interface FluxionSettings {
  readonly queuePolicy?: string | undefined
  readonly matchPolicy?: string | undefined
  readonly pruneFilters?: string | undefined
}

/** A setting that defeats autoscaling, by the code under which every program tells it. */
export type SchedulerTrap = 'scheduler-refuses-jobs' | 'scheduler-fills-high'

/** Fluxion's own defaults. */
export const FLUXION_DEFAULTS = {
  queuePolicy: 'fcfs',
  matchPolicy: 'first',
  pruneFilters: 'ALL:core,ALL:node',
} as const

/** Policies that fill the lowest rank first. */
const LOW_POLICIES = ['lonode', 'lonodex', 'low']

/** Whether a job for more nodes than are up is refused. Fluxion 0.43 and later refuses it if a prune filter counts nodes. */
export function refusesWideJobs({ queuePolicy, pruneFilters }: FluxionSettings): boolean {
  const policy = queuePolicy ?? FLUXION_DEFAULTS.queuePolicy
  return policy === 'fcfs' && /:node\b/.test(pruneFilters ?? FLUXION_DEFAULTS.pruneFilters)
}

/** Whether jobs go to the lowest ranks first. A policy is a name, or `policy=NAME` among other settings. */
export function fillsLowFirst({ matchPolicy }: FluxionSettings): boolean {
  const text = matchPolicy ?? FLUXION_DEFAULTS.matchPolicy
  const [, name = text] = /(?:^|\s)policy=(\S+)/.exec(text) ?? []
  return LOW_POLICIES.includes(name)
}

/** Whether a node is given to one job only, however small the job. */
export function givesWholeNodes({ matchPolicy = '' }: FluxionSettings): boolean {
  return /nodex\b|\bnode_exclusive=true\b/.test(matchPolicy)
}
