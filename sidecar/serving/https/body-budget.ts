// The memory that the bodies of a server's requests may take, all together and those of one address. Where it is used up, the
// bodies that come slowly make room: those of the address with the most first. Reads no body: body.ts does.
import type { IncomingMessage, ServerResponse } from 'node:http'

export interface BodyLimits {
  readonly bytes: number
  readonly peerBytes: number
  /** The first bytes of each body, which are not counted: how many requests there are is limited elsewhere. */
  readonly uncountedBytes?: number
}

/** API servers send a body in milliseconds. One that is not complete after this time makes room for any other. */
const PROMPT_MS = 1_000

/** The bodies of one address, the oldest first. */
interface Peer {
  readonly bodies: Set<Body>
  bytes: number
}

interface Body {
  readonly request: IncomingMessage
  readonly address: string
  readonly peer: Peer
  readonly since: number
  bytes: number
}

/** The memory of one body. It is free again when the answer to its request is complete, or its connection is closed. */
export interface Share {
  /**
   * Takes more memory.
   *
   * @returns false if there is none: then all of the body's is free again
   */
  grow(bytes: number): boolean
}

export class BodyBudget {
  readonly #limits: BodyLimits
  readonly #peers = new Map<string, Peer>()
  #bytes = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** What all bodies take now, without what is not counted. */
  get bytes(): number {
    return this.#bytes
  }

  open(request: IncomingMessage, response: ServerResponse): Share {
    const { remoteAddress: address = '' } = request.socket
    const peer = this.#peers.get(address) ?? { bodies: new Set(), bytes: 0 }
    this.#peers.set(address, peer)
    const body = { request, address, peer, since: performance.now(), bytes: 0 }
    peer.bodies.add(body)
    response.once('close', () => this.#free(body))
    return { grow: (bytes) => this.#grow(body, bytes) }
  }

  #grow(body: Body, bytes: number): boolean {
    const { peer } = body
    // A body that has made room for another gets no more.
    if (!peer.bodies.has(body)) return false
    this.#take(body, bytes)
    // Long bodies take no room of short ones.
    if (this.#counted(body) === 0) return true
    while (peer.bytes > this.#limits.peerBytes && this.#displace([peer], peer));
    while (this.#bytes > this.#limits.bytes && this.#displace(this.#largestFirst(), peer));
    if (peer.bytes <= this.#limits.peerBytes && this.#bytes <= this.#limits.bytes) return true
    this.#free(body)
    return false
  }

  #largestFirst(): readonly Peer[] {
    return [...this.#peers.values()].sort((one, other) => other.bytes - one.bytes)
  }

  /** Closes the connection of one body that makes room for a peer. @returns false if there is none */
  #displace(peers: readonly Peer[], newcomer: Peer): boolean {
    const prompt = performance.now() - PROMPT_MS
    for (const peer of peers) {
      for (const body of peer.bodies) {
        if (body.request.complete || this.#counted(body) === 0) continue
        if (body.since > prompt && peer.bytes <= newcomer.bytes) continue
        this.#free(body)
        body.request.socket.destroy()
        return true
      }
    }
    return false
  }

  #take(body: Body, bytes: number): void {
    const before = this.#counted(body)
    body.bytes += bytes
    const change = this.#counted(body) - before
    body.peer.bytes += change
    this.#bytes += change
  }

  #counted({ bytes }: Body): number {
    return Math.max(0, bytes - (this.#limits.uncountedBytes ?? 0))
  }

  #free(body: Body): void {
    const { peer, address } = body
    if (!peer.bodies.delete(body)) return
    this.#take(body, -body.bytes)
    if (peer.bodies.size === 0 && this.#peers.get(address) === peer) this.#peers.delete(address)
  }
}
