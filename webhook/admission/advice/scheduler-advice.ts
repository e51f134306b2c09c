// Warnings about settings of a MiniCluster's scheduler that defeat autoscaling, each with its cure. The sidecar reports the
// same settings once Flux runs (explaining/notices/scheduler-traps.ts). Pure.
import {
  FLUXION_DEFAULTS,
  type FluxionSettings,
  fillsLowFirst,
  refusesWideJobs,
  type SchedulerTrap,
} from '#flux/calls/fluxion.ts'
import type { MiniCluster } from '../../objects/minicluster.ts'
import type { BrokerConfigReading } from './broker-config.ts'

/** Fluxion's start script passes these options to its two modules; they override the configuration. */
const RESOURCE_VARIABLE = 'FLUXION_RESOURCE_OPTIONS'
const QUEUE_VARIABLE = 'FLUXION_QMANAGER_OPTIONS'

/** A warning about a setting of the scheduler. */
export interface SchedulerAdvice {
  readonly text: string
  /** What the sidecar says of the same setting; `undefined` if the setting could not be read, or is another. */
  readonly trap?: SchedulerTrap
}

/**
 * One warning for each setting, short enough for `kubectl` (review.ts cuts longer ones).
 *
 * @param config `spec.flux.brokerConfig`; `undefined` if there is none
 */
export function adviseOnScheduler(
  { spec }: MiniCluster,
  config: BrokerConfigReading | undefined,
): readonly SchedulerAdvice[] {
  const { scheduler } = spec?.flux ?? {}
  // sched-simple keeps wide jobs pending, and fills the lowest rank first.
  if (scheduler?.simple === true) return []
  const environment = brokerEnvironment(spec?.containers ?? [])
  const long = [RESOURCE_VARIABLE, QUEUE_VARIABLE].flatMap((variable) => {
    const { length } = environment[variable] ?? ''
    if (length <= MAX_OPTIONS_LENGTH) return []
    return [{ text: tooLong(`${ENVIRONMENT}.${variable}`, length, MAX_OPTIONS_LENGTH) }]
  })
  if (long.length > 0) return long
  const options = readOptions(environment)
  const { queuePolicy } = scheduler ?? {}
  // The operator writes the policy into its own configuration, which brokerConfig replaces as a whole.
  if (config === undefined) {
    const settings = { queuePolicy: queuePolicy || undefined, ...options }
    return [
      ...(refusesWideJobs(settings) ? [refuses(options, REFUSES)] : []),
      ...(fillsLowFirst(settings) ? [] : [fillsHigh(settings, ENVIRONMENT)]),
    ]
  }
  if (config.kind === 'too-long') {
    return [{ text: tooLong(CONFIG, config.length, config.maxLength) }]
  }
  if (config.kind === 'malformed') {
    const { line, column } = config
    const place = `${CONFIG}: invalid TOML at line ${line}, column ${column}`
    return [{ text: `${place}: the broker will not start` }]
  }
  const settings = { ...config.settings, ...options }
  return [
    ...(queuePolicy ? [{ text: IGNORED }] : []),
    ...(refusesWideJobs(settings) ? [refuses(options, REFUSES_BY_CONFIG)] : []),
    ...(fillsLowFirst(settings) ? [] : [fillsHigh(settings, CONFIG)]),
  ]
}

const CONFIG = 'spec.flux.brokerConfig'
const ENVIRONMENT = 'spec.containers.environment'
const POLICY = 'spec.flux.scheduler.queuePolicy'

const IGNORED = `${POLICY}: ignored because ${CONFIG} replaces the whole configuration: set the policy there`

const REFUSES =
  `${POLICY}: with fcfs, the default, Fluxion refuses jobs for more nodes than are up, and the ` +
  'MiniCluster does not grow for them: set conservative'

const REFUSES_BY_CONFIG =
  `${CONFIG}: with queue-policy fcfs Fluxion refuses jobs for more nodes than are up: set ` +
  'queue-policy = "conservative", or [sched-fluxion-resource] prune-filters = "ALL:core"'

const REFUSES_BY_OPTIONS =
  `${ENVIRONMENT}.${QUEUE_VARIABLE}: with queue-policy fcfs Fluxion refuses jobs for more nodes than are up: ` +
  'set queue-policy=conservative'

/** The warning for the place that decides: the options, where they have a policy. */
function refuses({ queuePolicy }: FluxionSettings, elsewhere: string): SchedulerAdvice {
  const text = queuePolicy === undefined ? elsewhere : REFUSES_BY_OPTIONS
  return { text, trap: 'scheduler-refuses-jobs' }
}

function fillsHigh({ matchPolicy }: FluxionSettings, place: string): SchedulerAdvice {
  const policy = (matchPolicy ?? FLUXION_DEFAULTS.matchPolicy).slice(0, MAX_SHOWN)
  const cure =
    place === CONFIG
      ? '[sched-fluxion-resource] match-policy = "lonode"'
      : `${RESOURCE_VARIABLE}: match-policy=lonode`
  const text =
    `${place}: Fluxion's match-policy ${policy} does not fill the lowest ranks first, ` +
    `but shrinking removes the highest: set ${cure}`
  return { text, trap: 'scheduler-fills-high' }
}

function tooLong(place: string, length: number, maxLength: number): string {
  return (
    `${place}: not checked, ${length} characters are more than ${maxLength}: ` +
    "once Flux runs, /explain shows Fluxion's settings"
  )
}

/** Characters of a policy in a warning: a custom policy may be long. */
const MAX_SHOWN = 24

/** Real options are a few words. Options as large as the API server accepts would take a second and 65 MB to read. */
const MAX_OPTIONS_LENGTH = 16_384

type Containers = NonNullable<NonNullable<MiniCluster['spec']>['containers']>

/** The environment of the container that runs the broker. The operator takes a single container for it. */
function brokerEnvironment(containers: Containers): Readonly<Record<string, string>> {
  const [only, second] = containers
  const broker = second === undefined ? only : containers.find(({ runFlux }) => runFlux === true)
  return broker?.environment ?? {}
}

/** Of options that are given twice, the last one counts, as in Flux. */
function readOptions(environment: Readonly<Record<string, string>>): FluxionSettings {
  const resource = optionsIn(environment[RESOURCE_VARIABLE] ?? '')
  const queuePolicy = optionsIn(environment[QUEUE_VARIABLE] ?? '').get('queue-policy')
  const matchPolicy = resource.get('match-policy')
  const pruneFilters = resource.get('prune-filters')
  return {
    ...(queuePolicy && { queuePolicy }),
    ...(matchPolicy && { matchPolicy }),
    ...(pruneFilters && { pruneFilters }),
  }
}

/** `match-policy=lonode prune-filters=ALL:core` */
function optionsIn(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>()
  for (const option of text.split(/\s+/)) {
    const [, key = '', value = ''] = /^([^=]+)=(.+)$/.exec(option) ?? []
    options.set(key, value)
  }
  return options
}
