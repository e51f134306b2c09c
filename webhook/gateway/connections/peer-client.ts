// The way to one peer: its connections and its circuit. Which peer is asked, and by whom, is in asking.ts.
import { performance } from 'node:perf_hooks'
import type { SecureContext } from 'node:tls'
import { Circuit, type CircuitTiming } from '../circuit.ts'
import type { Peer } from '../peers/peer.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import { ConnectionPool } from './connection-pool.ts'
import { type Exchange, exchange, type RawAnswer } from './exchange.ts'
import type { Handshakes } from './handshakes.ts'
import { PeerFailure, tooSlow } from './peer-failure.ts'

/** A sidecar answers from memory: one that has taken this long does not work. */
const SLOW_MS = 500

/** The part of the time in which the gateway itself was at work: with more it may have been late to read the answer. */
const BUSY = 0.8

interface PeerClientOptions extends CircuitTiming {
  readonly peer: Peer
  /** The DNS name that its certificate must have. */
  readonly name: string
  readonly context: SecureContext
  readonly limit: ConnectionLimit
  readonly handshakes: Handshakes
}

type PeerQuestion = Pick<Exchange, 'path' | 'headers' | 'maxBytes' | 'share'>

export class PeerClient {
  readonly peer: Peer
  readonly circuit: Circuit
  /** When it was asked last, by the clock. */
  usedAt: number
  readonly #name: string
  readonly #clock: () => number
  readonly #limit: ConnectionLimit
  readonly #handshakes: Handshakes
  #pool: ConnectionPool

  constructor({ peer, name, context, limit, handshakes, ...circuit }: PeerClientOptions) {
    this.peer = peer
    this.circuit = new Circuit({ ...circuit, whyFailed: whyUnreachable })
    this.usedAt = circuit.clock()
    this.#name = name
    this.#clock = circuit.clock
    this.#limit = limit
    this.#handshakes = handshakes
    this.#pool = new ConnectionPool({ peer, name, context, limit, handshakes })
  }

  get idleConnections(): number {
    return this.#pool.idle
  }

  /** Uses another certificate from the next connection on. Requests under way keep the old ones. */
  renew(context: SecureContext): void {
    this.retire()
    const own = { peer: this.peer, name: this.#name, limit: this.#limit }
    this.#pool = new ConnectionPool({ ...own, context, handshakes: this.#handshakes })
  }

  retire(): void {
    this.#pool.retire()
  }

  /** @throws PeerFailure; AskError if there is no room for the answer */
  ask(question: PeerQuestion, signal: AbortSignal): Promise<RawAnswer> {
    const { peer } = this
    const askedAt = this.#clock()
    const before = performance.eventLoopUtilization()
    this.usedAt = askedAt
    return this.circuit.run(async () => {
      try {
        const headers = { host: this.#name, ...question.headers }
        return await exchange({ ...question, pool: this.#pool, peer, headers, signal })
      } catch (cause) {
        if (!signal.aborted) throw cause
        const ms = this.#clock() - askedAt
        const { utilization } = performance.eventLoopUtilization(before)
        const isOurFault = ms < SLOW_MS || utilization > BUSY
        const kind = isOurFault ? 'abandoned' : 'unreachable'
        throw new PeerFailure(kind, tooSlow(peer, ms), { cause })
      }
    })
  }
}

/** Errors that a peer answers are no failures. */
function whyUnreachable(error: unknown): string | undefined {
  return error instanceof PeerFailure && error.kind === 'unreachable' ? error.message : undefined
}
