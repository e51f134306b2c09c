// Events that can be written only after a look-up: about the MiniCluster of a pod whose look-up failed, and about one that a
// review claims to be of. Each waits until the API server answers. A review never waits for them.
import { Backoff } from '#serving/waiting/backoff.ts'
import type { EventText } from '../events/event.ts'
import type { EventRecorder } from '../events/event-recorder.ts'
import { readAnnotations } from '../objects/annotations.ts'
import type { MiniCluster } from '../objects/minicluster.ts'
import type { Owner } from '../objects/pod.ts'
import type { Candidate } from './decision.ts'
import { TooManyLookUps } from './look-ups/look-up-quota.ts'
import type { LookUps } from './look-ups/look-ups.ts'
import type { Reference } from './look-ups/owners.ts'

const MAX_NOTES = 512

/** So that one namespace does not take all of them. */
const MAX_NOTES_OF_NAMESPACE = 128

/** Characters of a note as JSON. The names of real objects, and our own sentences, are shorter. */
const MAX_NOTE_LENGTH = 4_096

/** How long a note waits: as long as the API server keeps an Event. */
const NOTE_LIFE_MS = 3_600_000

/** An API server that is back is noticed within this time. */
const PAUSE_CAP_MS = 30_000

const FIRST_PAUSE_MS = 500

/** Something to be said about a MiniCluster, if it exists. */
export type Note = {
  readonly namespace: string
} & (
  | { readonly kind: 'minicluster'; readonly reference: Reference; readonly event: EventText }
  | {
      readonly kind: 'pod'
      readonly job: Owner
      /** What the pod itself says about metrics; otherwise its MiniCluster decides. */
      readonly isEnabled: boolean | undefined
      readonly event: EventText
    }
)

interface Waiting {
  readonly note: Note
  /** In milliseconds of a monotonic clock. */
  readonly until: number
}

export interface LaterEventsOptions {
  readonly lookUps: Pick<LookUps, 'find' | 'confirm'>
  readonly events: Pick<EventRecorder, 'record'>
}

export class LaterEvents {
  readonly #options: LaterEventsOptions
  readonly #waiting: Waiting[] = []
  readonly #backoff = new Backoff({ firstMs: FIRST_PAUSE_MS, capMs: PAUSE_CAP_MS })
  #working = false

  constructor(options: LaterEventsOptions) {
    this.#options = options
  }

  /** Returns at once. A note for which there is no room is dropped. */
  add(note: Note): void {
    if (JSON.stringify(note).length > MAX_NOTE_LENGTH) return
    const { namespace } = note
    const ofNamespace = this.#waiting.filter((other) => other.note.namespace === namespace).length
    if (this.#waiting.length >= MAX_NOTES || ofNamespace >= MAX_NOTES_OF_NAMESPACE) return
    this.#waiting.push({ note, until: performance.now() + NOTE_LIFE_MS })
    if (!this.#working) void this.#work()
  }

  /** One after the other. After a failure there is a pause, and the note goes to the end. */
  async #work(): Promise<void> {
    this.#working = true
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        const minicluster = await this.#find(next.note)
        this.#backoff.reset()
        if (minicluster !== undefined) this.#options.events.record(minicluster, next.note.event)
      } catch (error) {
        // Notes of strangers would fill the room of the others.
        if (error instanceof TooManyLookUps) continue
        if (performance.now() < next.until) this.#waiting.push(next)
        await pause(this.#backoff.next())
      }
    }
    this.#working = false
  }

  /** `undefined` if there is nothing to be said, or nobody to whom. */
  async #find(note: Note): Promise<MiniCluster | undefined> {
    const { lookUps } = this.#options
    if (note.kind === 'minicluster') return lookUps.confirm(note.reference, note.namespace)
    if (note.isEnabled === false) return undefined
    const candidate: Candidate = { kind: 'candidate', job: note.job }
    const minicluster = await lookUps.find(candidate, note.namespace)
    if (minicluster === undefined) return undefined
    const { metadata, spec } = minicluster
    const { settings } = readAnnotations(spec?.pod?.annotations, metadata.annotations)
    return (note.isEnabled ?? settings.enabled) === true ? minicluster : undefined
  }
}

/** Keeps no program running. */
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref()
  })
}
