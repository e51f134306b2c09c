// The ways to all peers that are asked: made when a pod is asked first, forgotten when nobody has asked it for long.
import type { SecureContext } from 'node:tls'
import { sidecarName } from '#serving/certificates/certificate-names.ts'
import type { CircuitTiming } from '../circuit.ts'
import type { Peer } from '../peers/peer.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import { Handshakes } from './handshakes.ts'
import { PeerClient } from './peer-client.ts'
import { placeOf } from './peer-failure.ts'

const SWEEP_MS = 60_000

/** An HPA asks every 15 s. */
const FORGET_MS = 300_000

export class PeerClients {
  readonly #clients = new Map<string, PeerClient>()
  readonly #circuit: CircuitTiming
  readonly #limit: ConnectionLimit
  readonly #handshakes: Handshakes
  #sweptAt: number

  constructor(circuit: CircuitTiming, limit: ConnectionLimit) {
    this.#circuit = circuit
    this.#limit = limit
    this.#handshakes = new Handshakes(circuit.clock)
    this.#sweptAt = circuit.clock()
  }

  get all(): readonly PeerClient[] {
    return [...this.#clients.values()]
  }

  /** The one for a pod at an address, if it was asked lately. */
  find(peer: Peer): PeerClient | undefined {
    return this.#clients.get(keyOf(peer))
  }

  /** The one for a pod at an address: another pod has other connections, and another circuit. */
  of(peer: Peer, context: SecureContext): PeerClient {
    this.#sweep()
    const known = this.find(peer)
    if (known !== undefined) return known
    const own = { peer, name: sidecarName(peer), context, handshakes: this.#handshakes }
    const client = new PeerClient({ ...own, limit: this.#limit, ...this.#circuit })
    this.#clients.set(keyOf(peer), client)
    return client
  }

  renew(context: SecureContext): void {
    for (const client of this.#clients.values()) client.renew(context)
  }

  /** Closes the connections: the busy ones after their answer. */
  retire(): void {
    for (const client of this.#clients.values()) client.retire()
    this.#clients.clear()
  }

  #sweep(): void {
    const now = this.#circuit.clock()
    if (now - this.#sweptAt < SWEEP_MS) return
    this.#sweptAt = now
    for (const [key, client] of this.#clients) {
      if (now - client.usedAt < FORGET_MS) continue
      client.retire()
      this.#clients.delete(key)
    }
  }
}

function keyOf(peer: Peer): string {
  return `${peer.uid} ${placeOf(peer)} ${sidecarName(peer)}`
}
