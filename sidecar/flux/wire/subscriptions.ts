// The event subscriptions of one connection: which events go to which stream. Subscribing at the broker is in client.ts.
import type { FluxError } from '../errors.ts'
import { settle } from './exchange.ts'
import type { EventMessage } from './message.ts'
import { decodeJson, type JsonObject } from './payload.ts'
import { AnswerStream } from './stream.ts'

/** An event of a subscription. Its payload is `{}` if the event has none. */
export interface FluxEvent {
  readonly topic: string
  readonly payload: JsonObject
}

export class Subscriptions {
  /** The topic prefix of each stream. */
  readonly #prefixes = new Map<AnswerStream<FluxEvent>, string>()

  /** Opens a stream of the events whose topic begins with `prefix`. */
  add(prefix: string): AnswerStream<FluxEvent> {
    const events = new AnswerStream<FluxEvent>()
    this.#prefixes.set(events, prefix)
    return events
  }

  remove(events: AnswerStream<FluxEvent>): void {
    this.#prefixes.delete(events)
  }

  /** Passes an event to the streams that want it. An event that cannot be decoded fails them. */
  publish(event: EventMessage): void {
    const topic = event.topic ?? ''
    for (const [events, prefix] of this.#prefixes) {
      if (!topic.startsWith(prefix)) continue
      const decode = () => ({ topic, payload: decodeJson(event.payload, topic) })
      settle(decode, events.push, events.giveUp)
    }
  }

  /** Fails all streams, because the connection ended. */
  failAll(reason: FluxError): void {
    for (const events of this.#prefixes.keys()) events.fail(reason)
    this.#prefixes.clear()
  }
}
