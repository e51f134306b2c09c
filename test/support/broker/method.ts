// The types of a simulated broker's methods: their call, their reply and their errors. The methods are in *-methods.ts.
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Release, Scheduler } from './release.ts'

/** An error response: its number, and its text if a real broker sends one. */
export class RpcError extends Error {
  readonly errnum: number
  readonly text: string | undefined

  constructor(errnum: number, text?: string) {
    super(text ?? `errno ${errnum}`)
    this.name = 'RpcError'
    this.errnum = errnum
    this.text = text
  }
}

/** Bits of a rolemask (RFC 12). */
export const ROLE = { owner: 1, user: 2, local: 4 } as const

/** A decoded request, with the credentials from the broker. */
export interface Call {
  /** `{}` without a payload. */
  readonly args: JsonObject
  /** Rank of the broker that answers. */
  readonly rank: number
  readonly userid: number
  readonly rolemask: number
  /** Whether the streaming flag is set. */
  readonly streaming: boolean
  readonly client: ClientState
}

/** The operations of a method on the connection of its call. */
export interface ClientState {
  readonly uuid: string
  subscribe(prefix: string): void
  unsubscribe(prefix: string): void
  /** Ends the stream with this matchtag, like its cancel topic. */
  cancel(matchtag: number): void
}

/** The state of a broker that methods can read. */
export interface BrokerState {
  readonly instance: Instance
  readonly release: Release
  readonly scheduler: Scheduler
  readonly path: string
  readonly uuid: string
  /** User id of the instance's owner. */
  readonly owner: number
  readonly privateMode: boolean
  /** Children of each broker in the overlay network. */
  readonly fanout: number
  readonly quorum: number
  /** Tables of the configuration, in addition to the tables that follow from the instance. */
  readonly config: JsonObject
  /** Phase of the instance. */
  readonly phase: string
  /** Milliseconds since the epoch. */
  readonly phaseSince: number
}

/**
 * Several answers to one call. `open` sends the first answers and returns a function that stops the stream. `end` answers
 * with an error number.
 */
export class Stream {
  readonly open: (push: (answer: JsonObject) => void, end: (errnum: number) => void) => () => void

  constructor(open: Stream['open']) {
    this.open = open
  }
}

/** `undefined` is a success without payload. */
export type Reply = JsonObject | undefined | Stream

export interface Method {
  /** `broker`: answers on every rank, also in early phases. `every`: answers on every rank. `lead`: answers on rank 0. */
  readonly home: 'broker' | 'every' | 'lead'
  readonly ownerOnly?: (broker: BrokerState) => boolean
  /** Whether this broker has the method. Default: yes. */
  readonly exists?: (broker: BrokerState) => boolean
  /** @throws RpcError */
  answer(call: Call, broker: BrokerState): Reply
}

/** Methods by topic. */
export type Methods = Readonly<Record<string, Method>>

export const always = (): boolean => true

/** @throws RpcError for a missing argument, like a real broker */
export function stringArg({ args }: Call, key: string): string {
  const value = args[key]
  if (typeof value !== 'string') throw new RpcError(ERRNO.EPROTO)
  return value
}
