// An Event (core/v1): what it says, and the fields that carry it. When one is written, and under which name, is for its writers.
// Pure.
import { printable } from '#serving/text.ts'

/** The API server's limit of `message`. */
const MAX_MESSAGE_LENGTH = 1024

export interface EventText {
  readonly type: 'Normal' | 'Warning'
  /** In UpperCamelCase, for programs. */
  readonly reason: string
  readonly message: string
}

/** The object that an Event is about. `kubectl describe` asks for Events with its UID. */
export interface EventSubject {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly namespace?: string
  readonly uid: string | null | undefined
}

/** The fields of an Event, without its own name, its times and its count. */
export function eventFields(
  involvedObject: EventSubject,
  { type, reason, message }: EventText,
  component: string,
) {
  return {
    apiVersion: 'v1',
    kind: 'Event',
    involvedObject,
    type,
    reason,
    message: printable(message).slice(0, MAX_MESSAGE_LENGTH),
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
  }
}
