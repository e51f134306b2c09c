// Settings of a MiniCluster's scheduler that defeat autoscaling, and what cures them. The sidecar sees them too, once Flux
// runs; here they are told before. Pure.
import {
  FLUXION_DEFAULTS,
  type FluxionSettings,
  fillsLowFirst,
  refusesWideJobs,
} from '#flux/calls/fluxion.ts'
import type { MiniCluster } from '../injection/minicluster.ts'
import { readBrokerConfig } from './broker-config.ts'

/** Fluxion's start script gives these to its module; they win over the configuration. */
const OPTIONS_VARIABLE = 'FLUXION_RESOURCE_OPTIONS'

/** A sentence for each of them, short enough for a warning (review.ts cuts them). */
export function adviseOnScheduler({ spec }: MiniCluster): readonly string[] {
  const { scheduler, brokerConfig } = spec?.flux ?? {}
  // sched-simple keeps wide jobs waiting, and fills the lowest rank first.
  if (scheduler?.simple === true) return []
  const options = readOptions(spec?.containers ?? [])
  const { queuePolicy } = scheduler ?? {}
  // The operator writes the policy into the configuration that it makes; one that is given replaces all of that.
  if ((brokerConfig ?? '') === '') {
    const settings = { queuePolicy: queuePolicy || undefined, ...options }
    return [
      ...(refusesWideJobs(settings) ? [REFUSES] : []),
      ...(fillsLowFirst(settings) ? [] : [fillsHigh(settings, 'spec.containers.environment')]),
    ]
  }
  const config = readBrokerConfig(brokerConfig ?? '')
  if (config.kind === 'malformed') {
    const { line, column } = config
    return [`${CONFIG}: no TOML at line ${line}, column ${column}: the broker would not start`]
  }
  const settings = { ...config.settings, ...options }
  return [
    ...(queuePolicy ? [`${POLICY}: ignored, because ${CONFIG} is all of the configuration`] : []),
    ...(refusesWideJobs(settings) ? [REFUSES_BY_CONFIG] : []),
    ...(fillsLowFirst(settings) ? [] : [fillsHigh(settings, CONFIG)]),
  ]
}

const CONFIG = 'spec.flux.brokerConfig'
const POLICY = 'spec.flux.scheduler.queuePolicy'

const REFUSES =
  `${POLICY}: with fcfs, the default, Fluxion refuses jobs for more nodes than are up, and the ` +
  'MiniCluster does not grow for them: set conservative'

const REFUSES_BY_CONFIG =
  `${CONFIG}: with queue-policy fcfs Fluxion refuses jobs for more nodes than are up: set ` +
  'queue-policy = "conservative", or [sched-fluxion-resource] prune-filters = "ALL:core"'

function fillsHigh({ matchPolicy }: FluxionSettings, place: string): string {
  const policy = (matchPolicy ?? FLUXION_DEFAULTS.matchPolicy).slice(0, MAX_SHOWN)
  const cure =
    place === CONFIG
      ? '[sched-fluxion-resource] match-policy = "lonode"'
      : `${OPTIONS_VARIABLE}: match-policy=lonode`
  return (
    `${place}: Fluxion's match-policy ${policy} does not fill the lowest nodes first, ` +
    `which shrinking keeps: set ${cure}`
  )
}

/** A custom policy may be long. */
const MAX_SHOWN = 24

type Containers = NonNullable<NonNullable<MiniCluster['spec']>['containers']>

/** `match-policy=lonode prune-filters=ALL:core`, of whichever container runs the broker. */
function readOptions(containers: Containers): FluxionSettings {
  const text = containers.map(({ environment }) => environment?.[OPTIONS_VARIABLE]).find(Boolean)
  const options = new Map<string, string>()
  for (const option of text?.split(/\s+/) ?? []) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(option) ?? []
    options.set(key, value)
  }
  const matchPolicy = options.get('match-policy')
  const pruneFilters = options.get('prune-filters')
  return { ...(matchPolicy && { matchPolicy }), ...(pruneFilters && { pruneFilters }) }
}
