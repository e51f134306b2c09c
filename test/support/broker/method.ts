// What a simulated broker's methods are made of: the call they get, the reply they give, the errors they answer with.
import { ERRNO } from '#flux/errors.ts'
import type { JsonObject } from '#flux/wire/payload.ts'
import type { Instance } from '#simulation/instance.ts'
import type { Release, Scheduler } from './release.ts'

/** An error response: its number, and the text that a real broker sends with it, if any. */
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

/** A request, decoded, with the credentials that the broker stamped. */
export interface Call {
  /** `{}` without a payload. */
  readonly args: JsonObject
  /** Which broker answers. */
  readonly rank: number
  readonly userid: number
  readonly rolemask: number
  /** Whether the streaming flag is set. */
  readonly streaming: boolean
  readonly client: ClientState
}

/** What methods may do to the connection that a call came by. */
export interface ClientState {
  readonly uuid: string
  subscribe(prefix: string): void
  unsubscribe(prefix: string): void
  /** Ends the stream with this matchtag as its cancel topic does. */
  cancel(matchtag: number): void
}

/** What methods may know of their broker. */
export interface BrokerState {
  readonly instance: Instance
  readonly release: Release
  readonly scheduler: Scheduler
  readonly path: string
  readonly uuid: string
  /** User id of the instance's owner. */
  readonly owner: number
  readonly privateMode: boolean
  /** Children of one broker in the overlay network. */
  readonly fanout: number
  readonly quorum: number
  /** Tables of the configuration besides those that follow from the instance. */
  readonly config: JsonObject
  /** Phase of the instance. */
  readonly phase: string
  /** Milliseconds since the epoch. */
  readonly phaseSince: number
}

/** Several answers to one call. `open` sends the first ones and says how to stop; `end` answers with an error number. */
export class Stream {
  readonly open: (push: (answer: JsonObject) => void, end: (errnum: number) => void) => () => void

  constructor(open: Stream['open']) {
    this.open = open
  }
}

/** `undefined` is a success without payload. */
export type Reply = JsonObject | undefined | Stream

export interface Method {
  /** Where it lives: brokers' own methods answer in early phases, those on `every` rank also when asked elsewhere. */
  readonly home: 'broker' | 'every' | 'lead'
  readonly ownerOnly?: (broker: BrokerState) => boolean
  /** Whether this broker has it at all. Default: yes. */
  readonly exists?: (broker: BrokerState) => boolean
  /** @throws RpcError */
  answer(call: Call, broker: BrokerState): Reply
}

/** Methods by topic. */
export type Methods = Readonly<Record<string, Method>>

export const always = (): boolean => true

/** @throws RpcError as brokers do that find an argument missing */
export function stringArg({ args }: Call, key: string): string {
  const value = args[key]
  if (typeof value !== 'string') throw new RpcError(ERRNO.EPROTO)
  return value
}
