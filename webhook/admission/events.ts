// Writes the Kubernetes Events that `kubectl describe minicluster` shows. A failure is logged and stops nothing.
import type { Logger } from '#serving/log.ts'
import type { MiniCluster } from '../injection/minicluster.ts'
import type { Cluster } from '../kubernetes/cluster.ts'

const COMPONENT = 'flux-metrics-webhook'

/** Events that are being written at once. Further ones are dropped, so that a slow API server does not fill the memory. */
const MAX_PENDING = 64

/** The API server's limit of `message`. */
const MAX_MESSAGE_LENGTH = 1024

export interface EventText {
  readonly type: 'Normal' | 'Warning'
  /** In UpperCamelCase, for programs. */
  readonly reason: string
  readonly message: string
}

/** Writes events (core/v1 `Event`). */
export class EventRecorder {
  readonly #cluster: Cluster
  readonly #log: Logger
  #pending = 0

  constructor(options: { readonly cluster: Cluster; readonly log: Logger }) {
    this.#cluster = options.cluster
    this.#log = options.log
  }

  /** Returns at once; a failure is logged. */
  record(minicluster: MiniCluster, text: EventText): void {
    if (this.#pending >= MAX_PENDING) {
      this.#log.warn({ ...text }, 'dropped an event: too many are being written')
      return
    }
    this.#pending += 1
    void this.#write(minicluster, text).finally(() => {
      this.#pending -= 1
    })
  }

  async #write({ apiVersion, metadata }: MiniCluster, text: EventText): Promise<void> {
    const { name, uid } = metadata
    const namespace = metadata.namespace ?? 'default'
    const now = `${new Date().toISOString().slice(0, 19)}Z`
    try {
      await this.#cluster.create({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { generateName: `${name}.`, namespace },
        involvedObject: { apiVersion, kind: 'MiniCluster', name, namespace, uid },
        ...text,
        message: text.message.slice(0, MAX_MESSAGE_LENGTH),
        source: { component: COMPONENT },
        reportingComponent: COMPONENT,
        reportingInstance: COMPONENT,
        firstTimestamp: now,
        lastTimestamp: now,
        count: 1,
      })
    } catch (err) {
      this.#log.warn({ err, ...text }, 'could not write an event')
    }
  }
}
