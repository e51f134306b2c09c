// Says what has become of each APIService, for who looks at night: a line in the log for each change, a gauge, and an Event on
// the APIService that `kubectl describe apiservice` shows.
import { createHash } from 'node:crypto'
import { Gauge, type Registry } from 'prom-client'
import type { Logger } from '#serving/log.ts'
import { formatTime } from '#serving/time.ts'
import { GATEWAY } from '../../contract.ts'
import { type EventText, eventFields } from '../../events/event.ts'
import type { Cluster } from '../../kubernetes/cluster.ts'
import { Outage } from '../../kubernetes/outage.ts'
import { API_SERVICE, referenceOf } from './api-service.ts'
import type { Change, Decision, Step } from './decision.ts'

/** The API server forgets Events after an hour by default: one that still holds is written again. */
const EVENT_REPEAT_MS = 10 * 60_000

/** Kubernetes requires it for Events about objects without namespace. */
const EVENT_NAMESPACE = 'default'

/** `published`: it leads to the gateway. `waiting`: it will, once API servers find a replica. `left`: it is another's. */
const STATES = ['published', 'waiting', 'left', 'off'] as const
type State = (typeof STATES)[number]

const CHANGES: Readonly<Record<Change['kind'], string>> = {
  create: 'published an APIService',
  repair: 'repaired an APIService: another writer had changed it',
  'take over': 'took over an APIService',
  remove: 'removed an APIService that is not served any more',
  release: 'released an APIService: another adapter has been installed over it',
}

export interface ReportsOptions {
  readonly cluster: Pick<Cluster, 'create'>
  readonly registry: Registry
  readonly log: Logger
  /** Milliseconds of a monotonic clock. */
  readonly now?: () => number
}

export class Reports {
  readonly #cluster: ReportsOptions['cluster']
  readonly #log: Logger
  readonly #now: () => number
  readonly #gauge: Gauge
  readonly #outage: Outage
  /** What was said last about each APIService. */
  readonly #said = new Map<string, string>()
  /** When each Event was written last, by its name. */
  readonly #written = new Map<string, number>()

  constructor({ cluster, registry, log, now = () => performance.now() }: ReportsOptions) {
    this.#cluster = cluster
    this.#log = log
    this.#now = now
    this.#outage = new Outage(log, 'write an Event about an APIService')
    this.#gauge = new Gauge({
      name: 'flux_gateway_api_services',
      help: 'Whether an APIService leads to the gateway (published), will (waiting), is of another adapter (left), or off',
      labelNames: ['name', 'state'],
      registers: [registry],
    })
  }

  /** @param obstacle why a change was not carried out: it is tried again soon; `undefined` if it was */
  async report(decision: Decision, obstacle: string | undefined): Promise<void> {
    const isDone = obstacle === undefined
    const { step } = decision
    const { name } = referenceOf(decision.version)
    const state = stateOf(decision, isDone)
    for (const one of STATES) this.#gauge.set({ name, state: one }, one === state ? 1 : 0)
    if (step.kind === 'change' && isDone) {
      const { kind, from } = step.change
      this.#log.info({ name, from }, CHANGES[kind])
    }
    this.#say(name, state, { step, obstacle })
    const event = eventOf(step, isDone, name)
    if (event !== undefined) await this.#write({ name, uid: decision.uid }, event)
  }

  /** A lasting state is said once. */
  #say(
    name: string,
    state: State,
    { step, obstacle }: { readonly step: Step; readonly obstacle: string | undefined },
  ): void {
    const reason = step.kind === 'leave' ? { because: step.because, why: step.why } : { obstacle }
    const text = JSON.stringify([state, reason])
    const isNew = this.#said.get(name) !== text
    this.#said.set(name, text)
    if (!isNew) return
    if (step.kind === 'leave') {
      this.#log.warn(
        { name, state, ...reason },
        'leaves an APIService, and all of its group, alone',
      )
    } else if (state === 'waiting') {
      this.#log.info({ name, why: obstacle }, 'waits before it publishes an APIService')
    }
  }

  async #write(
    about: { readonly name: string; readonly uid: string | undefined },
    text: EventText,
  ): Promise<void> {
    const hash = createHash('sha256')
      .update(`${about.uid} ${text.reason} ${text.message}`)
      .digest('hex')
      .slice(0, 10)
    const event = `${about.name}.${hash}`
    const now = this.#now()
    if (now - (this.#written.get(event) ?? Number.NEGATIVE_INFINITY) < EVENT_REPEAT_MS) return
    const time = formatTime(new Date())
    try {
      // A conflict means that it is there: all replicas use the same name.
      await this.#cluster.create({
        ...eventFields({ ...API_SERVICE, ...about }, text, GATEWAY),
        metadata: { name: event, namespace: EVENT_NAMESPACE },
        ...{ firstTimestamp: time, lastTimestamp: time, count: 1 },
      })
      this.#written.set(event, now)
      this.#outage.report([])
    } catch (error) {
      this.#outage.report([error])
    }
  }
}

function stateOf({ step, isOurs }: Decision, isDone: boolean): State {
  if (step.kind === 'keep') return 'published'
  if (step.kind === 'none') return 'off'
  if (step.kind === 'leave') return isOurs ? 'published' : 'left'
  if (step.change.kind === 'remove') return isDone ? 'off' : 'published'
  if (step.change.kind === 'release') return 'left'
  return isOurs || isDone ? 'published' : 'waiting'
}

function eventOf(step: Step, isDone: boolean, name: string): EventText | undefined {
  if (step.kind === 'leave') {
    // One for the group, on the APIService that is the reason.
    if (step.because !== name) return undefined
    return { type: 'Warning', reason: 'NotPublished', message: step.why }
  }
  if (step.kind !== 'change' || !isDone || step.change.from === undefined) return undefined
  const { namespace, name: service, port } = step.change.from
  const message = `It leads to the gateway of flux-metrics; before, to Service ${namespace}/${service}:${port}`
  return { type: 'Normal', reason: 'TakenOver', message }
}
